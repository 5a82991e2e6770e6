"""What holds for every large code base, compared with a plain clang-19 that knows nothing of bpfgen."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar, TypeVar, Union

import objdump
import pytest
from determinism import digests
from objects import code, loads
from project import BPFGEN, NINJA

from bpfgen.frozen import frozen

KERNEL_TYPES = "/sys/kernel/btf/vmlinux"
TOOLS = ("bpftool", "clang-19", "clangd-19", objdump.OBJDUMP, "unshare")

T = TypeVar("T")


@frozen
class Built:
    """One code base in a folder of its own, built by bpfgen and by plain clang."""

    root: Path
    ours: dict[str, Path]
    """Objects of bpfgen, by source."""
    plain: dict[str, Path]
    """Objects of plain clang, by source; a source on which it fails has none."""


class InputContract:
    """Tests of one code base; a subclass says which, and how plain clang compiles it."""

    name: str
    """The folder beside this file with its `build.toml`."""
    needs: tuple[str, ...]
    """Commands that fetch it."""
    folders: tuple[str, ...]
    """What a build needs of the fetched tree."""
    sources: str
    """A glob of all its BPF programs."""
    flags: tuple[str, ...]
    """What its own Makefile gives clang, besides the target."""
    count: int
    """How many programs plain clang builds on Linux 6.18, so that nothing is compared with nothing."""

    editor_step = 1
    """clangd opens every Nth source."""

    @staticmethod
    def fetch() -> Path:
        """The fetched tree, which is not ours to write to."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def built(cls, tmp_path_factory: pytest.TempPathFactory) -> Built:
        """Fetches the input and builds it twice."""
        missing = [tool for tool in (*TOOLS, *cls.needs) if shutil.which(tool) is None]
        if missing:
            pytest.skip(f"not installed: {', '.join(missing)}")
        if not os.access(KERNEL_TYPES, os.R_OK):
            pytest.skip(f"no {KERNEL_TYPES}")
        root, plain = tmp_path_factory.mktemp(cls.name), tmp_path_factory.mktemp("plain")
        tree = cls.fetch()
        for folder in cls.folders:
            # Go's module cache is read-only, and so would be a copy with modes.
            shutil.copytree(tree / folder, root / folder, symlinks=True, copy_function=shutil.copyfile)
        shutil.copyfile(Path(__file__).parent / cls.name / "build.toml", root / "build.toml")
        _run(*BPFGEN, cwd=root)
        _run(NINJA, cwd=root)
        return Built(root, _objects(root), cls.compile(root, plain))

    @classmethod
    def compile(cls, root: Path, out: Path) -> dict[str, Path]:
        """Compiles every source with clang alone."""
        header = _run("bpftool", "btf", "dump", "file", KERNEL_TYPES, "format", "c", cwd=root)
        (out / "vmlinux.h").write_text(header, encoding="utf-8")
        target = ("-O2", "-g", "-target", "bpf", "-mcpu=v3", "-D__TARGET_ARCH_x86", f"-I{out}")
        asm = ("-idirafter", "/usr/include/x86_64-linux-gnu")  # Debian's place of <asm/…>

        def compiled(source: str) -> bool:
            words = ("clang-19", *target, *cls.flags, *asm, "-c", source, "-o", str(objects[source]))
            return subprocess.run(words, cwd=root, check=False, capture_output=True).returncode == 0

        sources = sorted(str(path.relative_to(root)) for path in root.glob(cls.sources))
        objects = {source: out / f"{number}.o" for number, source in enumerate(sources)}
        return {source: objects[source] for source, good in each(compiled, sources).items() if good}

    def test_one_small_file(self, built: Built) -> None:
        """Thirty lines are enough, and nothing is left to do after a build."""
        assert len((built.root / "build.toml").read_text(encoding="utf-8").splitlines()) <= 30
        assert _run(*BPFGEN, cwd=built.root) == ""
        assert "no work to do" in _run(NINJA, cwd=built.root)

    def test_builds_what_clang_builds(self, built: Built) -> None:
        """No program fewer, and no program left out that plain clang would build."""
        assert sorted(built.ours) == sorted(built.plain)
        assert len(built.plain) >= self.count * 0.95  # another kernel's types suit a few programs more or fewer

    def test_same_code(self, built: Built) -> None:
        """Instructions, maps, data and relocations are those of plain clang."""
        both = sorted(built.ours.keys() & built.plain.keys())
        assert [source for source in both if code(built.ours[source]) != code(built.plain[source])] == []

    def test_same_programs_load(self, built: Built) -> None:
        """What the running kernel accepts of plain clang's objects, it accepts of ours."""
        if os.geteuid() != 0:
            pytest.skip("loading takes root")
        plain = _loading(built.plain)
        assert _loading(built.ours) == plain
        assert len(plain) >= self.count / 4  # the others need arguments, modules or hooks that this kernel lacks

    def test_instructions_are_read(self, built: Built) -> None:
        """Every instruction and every CO-RE relocation as llvm-objdump has them."""
        found = each(lambda source: objdump.differences(built.ours[source]), built.ours)
        assert {source: lines for source, lines in found.items() if lines} == {}

    def test_editor(self, built: Built) -> None:
        """clangd knows each source and finds no error in it."""

        def errors(source: str) -> str:
            # The first line only: the diagnostics are the whole file's, hover texts and the like are clangd's matter.
            own = ("--check-lines=1-1", "--clang-tidy=0", "--enable-config=0", "--log=error")
            where = ("--compile-commands-dir=.", f"--check={source}")
            done = subprocess.run(
                ("clangd-19", *own, *where), cwd=built.root, check=False, capture_output=True, text=True
            )
            return done.stderr if done.returncode else ""

        entries = json.loads((built.root / "compile_commands.json").read_text(encoding="utf-8"))
        assert sorted(entry["file"] for entry in entries) == sorted(built.ours)
        # clangd takes a second or more for each; BPFGEN_ALL=1 has it open every source.
        sources = sorted(built.ours)[:: 1 if os.environ.get("BPFGEN_ALL") else self.editor_step]
        assert {source: text for source, text in each(errors, sources).items() if text} == {}


class FastContract(InputContract):
    """Tests of a code base that reads `vmlinux.h`."""

    builds = 50
    """How often an object is built, to see whether it's always the same."""
    builds_step = 1
    """Of every Nth program."""

    fast_step = 1
    """Every Nth program is compiled both ways, with each compiler."""
    refused: ClassVar[Mapping[str, int]] = {"clang-14": 0, "clang-19": 0, "wheel": 0}
    """How many of all programs a compiler refuses at most."""

    @pytest.mark.parametrize("clang", ["clang-14", "clang-19", "wheel"])
    def test_fast_is_the_same(self, built: Built, clang: str) -> None:
        """With the reduced `vmlinux.h` as with the whole one: code, relocations, CO-RE records, BTF but for numbers.

        Every program that reads the header gets a reduced one, but for those that this compiler refuses either way.
        """
        # The wheel has no headers of libbpf's, and looks into no folder of the system's. The input's own come first.
        shutil.copytree("/usr/include/bpf", built.root / "libbpf" / "bpf", dirs_exist_ok=True)
        toml = (built.root / "build.toml").read_text(encoding="utf-8")
        toml = re.sub(
            r"(?m)^include = \[(.*)\]$", r'include = [\1, "libbpf"]', toml.replace('"clang-19"', f'"{clang}"')
        )
        (built.root / "fast.toml").write_text(toml, encoding="utf-8")
        step = 1 if os.environ.get("BPFGEN_ALL") else self.fast_step
        programs = json.loads((built.root / "out" / "manifest.json").read_text(encoding="utf-8"))["objects"][::step]
        only = [word for row in programs for word in ("--only", row["id"])]
        *lines, last = _run(*BPFGEN, "-f", "fast.toml", "check", "--fast", "-v", *only, cwd=built.root).splitlines()
        assert len(lines) == len(programs)
        assert ", 0 different" in last
        unread = [line for line in lines if line.endswith(": whole: no vmlinux.h is included")]
        others = [line for line in lines if ": reduced: " not in line and line not in unread]
        assert len(others) <= self.refused[clang], others
        assert len(unread) + len(others) < len(programs) * 0.8  # so that nothing is compared with nothing

    def test_same_bytes_every_time(self, built: Built) -> None:
        """However often an object is built, with the reduced header of the build before or without, it is the same."""
        step = 1 if os.environ.get("BPFGEN_ALL") else self.builds_step
        objects = [str(path.relative_to(built.root)) for path in list(built.ours.values())[::step]]
        before = {name: hashlib.sha256((built.root / name).read_bytes()).hexdigest() for name in objects}
        assert digests(built.root, objects, self.builds) == {name: {digest} for name, digest in before.items()}


def _objects(root: Path) -> dict[str, Path]:
    """The objects of the manifest, by source."""
    manifest = json.loads((root / "out" / "manifest.json").read_text(encoding="utf-8"))
    return {source: root / row["path"] for row in manifest["objects"] for source in row["sources"]}


def _loading(objects: dict[str, Path]) -> list[str]:
    """The sources whose objects load."""
    return [source for source, good in each(lambda source: loads(objects[source]), objects).items() if good]


def each(function: Callable[[str], T], sources: Iterable[str]) -> dict[str, T]:
    """A command's result for every source, as many at once as there are processors."""
    sources = list(sources)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(sources, pool.map(function, sources)))


def _run(*words: Union[str, Path], cwd: Path) -> str:
    done = subprocess.run(words, cwd=cwd, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{words}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout
