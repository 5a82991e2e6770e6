"""libbpf-tools in copies: one for each contestant, who edits and builds nobody else's."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

from benchmarks import peers
from benchmarks.measure import Contestant, Missing
from benchmarks.ours import Project
from benchmarks.peers import X86, Arch, Compile, Compiler
from benchmarks.tools import Tools

QUICK = ("biolatency", "cpudist", "fsdist", "funclatency", "klockstat", "ksnoop", "opensnoop")
HEADERS = Path("/usr/include/bpf")
"""libbpf's; the tree's own Makefile puts a copy of them into its output folder."""
SUFFIX = ".bpf.c"

TOML = """\
[project]
name = "libbpf-tools"
[toolchain]
clang = "{clang}"
[compile]
include = ["libbpf-tools", "libbpf"]
mcpu = "v3"
[targets]
arches = {arches}
[kernel.tree]
btf = "libbpf-tools/{{arch}}/vmlinux.h"
[program."*"]
source = "libbpf-tools/*.bpf.c"
"""


@dataclass(frozen=True)
class Tree:
    """The fetched tree, and the programs of it that are built."""

    tools: Tools
    source: Path
    programs: tuple[str, ...]

    def copy(self, name: str, arches: Sequence[Arch]) -> Path:
        """A contestant's own: sources and headers below `libbpf-tools/`, libbpf's headers below `libbpf/bpf/`."""
        root = self.tools.work / name
        folder = root / "libbpf-tools"
        folder.mkdir(parents=True)
        for file in (*self.source.glob("*.h"), *(self.source / f"{name}{SUFFIX}" for name in self.programs)):
            shutil.copyfile(file, folder / file.name)
        for arch in arches:
            (folder / arch.kernel).mkdir()
            shutil.copyfile(self.source / arch.kernel / "vmlinux.h", folder / arch.kernel / "vmlinux.h")
            if arch.go != arch.kernel:
                (folder / arch.go).symlink_to(arch.kernel)  # bpfgen's {arch} is Go's name
        shutil.copytree(HEADERS, root / "libbpf" / "bpf")
        return root

    def make(self, where: str, compiler: Compiler, arches: Sequence[Arch] = (X86,), ccache: bool = False) -> Contestant:
        """make, with the rule of libbpf-tools."""
        folder = self.copy(where, arches) / "libbpf-tools"
        (folder / "Makefile").write_text(peers.makefile(compiler, self.programs, arches), encoding="utf-8")
        commands = (peers.make_command(self.tools, folder, ccache),)
        return Contestant("make", commands, self._objects(folder, arches), lambda: remove(folder / ".output"))

    def ninja(self, where: str, arches: Sequence[Arch] = (X86,)) -> Contestant:
        """Ninja, from a file written by hand."""
        folder = self.copy(where, arches) / "libbpf-tools"
        compiles = [
            Compile(f".output/{arch.name}/{program}.bpf.o", (f"{program}{SUFFIX}",), (), flags(arch))
            for arch, program in itertools.product(arches, self.programs)
        ]
        text = peers.ninja_file(peers.system(self.tools), compiles)
        (folder / "build.ninja").write_text(text, encoding="utf-8")
        return Contestant(
            "ninja, by hand",
            (peers.ninja_command(self.tools, folder),),
            self._objects(folder, arches),
            lambda: remove(folder / ".output", *folder.glob(".ninja_*")),
        )

    def bpfgen(self, where: str, arches: Sequence[Arch] = (X86,), clang: str = "", **more: Any) -> Project:
        """A project of bpfgen; `more` is for `Project.write`."""
        root = self.copy(where, arches)
        cache = root / ".ccache" if "launcher" in more else None
        toml = TOML.format(clang=clang or self.tools.clang, arches=[arch.go for arch in arches])
        return Project(self.tools, root, cache).write(toml, **more)

    def _objects(self, folder: Path, arches: Sequence[Arch]) -> dict[str, Path]:
        pairs = itertools.product(arches, self.programs)
        return {f"{arch.name}/{name}": folder / ".output" / arch.name / f"{name}.bpf.o" for arch, name in pairs}


def naming(row: Mapping[str, Any]) -> str:
    """bpfgen's object, named as the peers' are."""
    return f"{row['target']}/{row['program']}"


def flags(arch: Arch) -> tuple[str, ...]:
    """What libbpf-tools' Makefile gives clang besides -O2 and -g, and the instruction set that all agree on."""
    target = ("-target", arch.target, f"-D__TARGET_ARCH_{arch.kernel}", f"-I{arch.kernel}/")
    return ("-Wall", "-mcpu=v3", *target, "-I../libbpf")


def whole(tools: Tools, source: Path) -> Tree:
    """The tree with all its programs, or with a few."""
    everything = sorted(path.name[: -len(SUFFIX)] for path in source.glob(f"*{SUFFIX}"))
    return Tree(tools, source, QUICK if tools.quick else tuple(everything))


def building(tree: Tree, where: str, compiler: Compiler, arches: Sequence[Arch]) -> Tree:
    """The tree with the programs that a plain clang builds for all of the architectures; so nobody fails on one."""
    folder = tree.copy(where, arches) / "libbpf-tools"

    def builds(program: str) -> bool:
        words = (*compiler.command, *compiler.headers, "-O2", "-g", "-c", f"{program}{SUFFIX}", "-o", f"{program}.o")
        runs = (subprocess.run((*words, *flags(arch)), cwd=folder, capture_output=True, check=False) for arch in arches)
        return all(done.returncode == 0 for done in runs)

    with ThreadPoolExecutor(tree.tools.jobs) as pool:
        good = [name for name, fine in zip(tree.programs, pool.map(builds, tree.programs)) if fine]
    left_out = sorted(set(tree.programs) - set(good))
    print(f"  {len(good)} programs for {len(arches)} architectures; plain clang fails on {left_out}", flush=True)
    if len(good) < len(tree.programs) * 0.8:
        raise Missing("plain clang builds too few programs: a header or a tool is missing")
    return replace(tree, programs=tuple(good))


def remove(*paths: Optional[Path]) -> None:
    """Removes files and folders that are there."""
    for path in paths:
        if path is not None and path.is_dir():
            shutil.rmtree(path)
        elif path is not None and path.exists():
            path.unlink()
