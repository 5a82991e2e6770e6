"""docs/migrate.md, on a project of the seed's own files: every phase does what the page shows, and all stays green."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from elftools.elf.elffile import ELFFile
from switching import environ, run

pytestmark = [pytest.mark.real, pytest.mark.input]

ROOT = Path(__file__).parent.parent
PAGE = ROOT.parent / "docs" / "migrate.md"
BLOCK = re.compile(r"^(?:(All of|At the end of) `([^`]+)`:\n\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_phases(tmp_path: Path) -> None:
    """From the old build to the new one; `make` and `go test` succeed after each phase, which is a commit."""
    root = tmp_path / "flywall"
    shutil.copytree(ROOT / "data/flywall", root)
    (tmp_path / "bin").mkdir()
    clang = shutil.which("clang-19")
    assert clang
    (tmp_path / "bin/clang").symlink_to(clang)
    env = environ(BPF2GO_CC="clang", LC_ALL="C.UTF-8")
    # The Ninja that comes with bpfgen, whose --quiet says nothing where nothing is to do.
    env["PATH"] = f"{tmp_path / 'bin'}:{Path(sys.executable).parent}:{env['PATH']}"
    run("git", "init", "-q", cwd=root, env=env)
    _green("as it was", root, env)
    before = {path.stem: _code(path) for path in (root / "build/ebpf").glob("*.o")}
    phases = re.split(r"^## (Phase \d|File by file).*$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    for name, text in zip(phases[:-2:2], phases[1::2]):
        for how, file, _, block in BLOCK.findall(text):
            if file:
                path = root / file
                path.write_text((f"{path.read_text()}\n" if how == "At the end of" else "") + block)
            else:
                assert _tour(block, root, env) == block
        _green(name, root, env)
        made = {name: _code(root / f"out/obj/{name}/bpfel.bpf.o") for name in before}
        assert made == before, name
    assert len(phases) == 2 * 6
    log = run("git", "log", "--format=%s", cwd=root, env=env).stdout.split("\n")
    assert log[:-1] == ["Phase 5", "Phase 4", "Phase 3", "Phase 2", "Phase 1", "as it was"]
    _workflow(root, env)
    run("clangd-19", "--check=internal/ebpf/programs/xdp_blocklist.c", cwd=root, env=env)


def _tour(block: str, root: Path, env: dict[str, str]) -> str:
    """What a terminal shows of a tour's commands."""
    commands = re.findall(r"^\$ (.*)$", block, re.MULTILINE)
    script = "".join(f"printf '%s\\n' {shlex.quote(f'$ {command}')}\n{command}\n" for command in commands)
    return run("sh", "-ec", f"exec 2>&1\n{script}", cwd=root, env=env).stdout


def _green(name: str, root: Path, env: dict[str, str]) -> None:
    """The project builds and its tests pass; then it is a commit."""
    for target in ("ebpf", "ebpf-native", "ebpf-embed"):
        run("make", "-s", target, cwd=root, env=env)
    run("go", "test", "./...", cwd=root, env=env)
    run("git", "add", "-A", cwd=root, env=env)
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    run("git", *author, "commit", "-qm", name, cwd=root, env=env)


def _code(path: Path) -> dict[str, bytes]:
    """The programs of an object: sections of instructions, by name."""
    with path.open("rb") as file:
        sections = ELFFile(file).iter_sections()
        return {each.name: each.data() for each in sections if each["sh_flags"] & 4 and each["sh_size"]}


def _workflow(root: Path, env: dict[str, str]) -> None:
    """The workflow's own steps succeed in a checkout, but for the one that installs."""
    text = (root / ".github/workflows/ebpf-build.yml").read_text(encoding="utf-8")
    run("git", "clone", "-q", ".", "checkout", cwd=root, env=env)
    steps = [step["run"] for step in yaml.safe_load(text)["jobs"]["build-ebpf"]["steps"] if "run" in step]
    assert len(steps) == 3
    for script in steps[1:]:
        run("sh", "-ec", script, cwd=root / "checkout", env=env)
