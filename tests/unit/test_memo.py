"""`memo`: plain `bpfgen` with nothing to do, and everything that must wake it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from project import BPFGEN, Project

from bpfgen import memo

# What a `bpfgen` with nothing to do may load beyond the interpreter's own start.
PINNED = {"__future__", "bpfgen", "bpfgen.__main__", "bpfgen.memo"}
LOADED = (
    "import sys; before = set(sys.modules); import bpfgen.__main__ as m; m.main(); print(*set(sys.modules) - before)"
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A generated project whose files are old enough to be trusted."""
    made = Project(tmp_path / "p")
    made.program("one")
    made.config('[program."*"]\nsource = "bpf/*.c"\nportable = true\n')
    settle(made)
    return made


def settle(project: Project) -> None:
    """Runs until no input is too young to be trusted."""
    project.bpfgen()
    while not fresh(project):
        project.bpfgen()


def fresh(project: Project, **env: str) -> bool:
    """Whether a new process finds nothing to do."""
    script = "import sys; from bpfgen import memo; sys.exit(not memo.fresh())"
    done = subprocess.run([sys.executable, "-c", script], cwd=project.root, env={**os.environ, **env}, check=False)
    return done.returncode == 0


def test_imports_are_few(project: Project) -> None:
    done = project.run([sys.executable, "-c", LOADED])
    assert set(done.stdout.split()) <= PINNED


CHANGES: dict[str, Callable[[Path], object]] = {
    "config": lambda root: os.utime(root / "build.toml"),
    "new source": lambda root: (root / "bpf/two.c").touch(),
    "lost source": lambda root: (root / "bpf/one.c").unlink(),
    "lost Ninja file": lambda root: (root / "build.ninja").unlink(),
    "edited Ninja file": lambda root: (root / "build.ninja").write_text("", encoding="utf-8"),
    "lost editor file": lambda root: (root / "compile_commands.json").unlink(),
    "lost notes": lambda root: (root / "out/.bpfgen/inputs").unlink(),
    "damaged notes": lambda root: (root / "out/.bpfgen/inputs").write_bytes(b"\xff\n"),
    "short notes": lambda root: (root / "out/.bpfgen/inputs").write_text(
        memo.surroundings().replace(os.getcwd(), str(root)) + "\nx\n", encoding="utf-8"
    ),
    "config of the same size and old date": lambda root: restore(root / "build.toml"),
}


def restore(path: Path) -> None:
    """Writes a file of the same size and time, as a package manager may."""
    stat = path.stat()
    path.write_text(path.read_text(encoding="utf-8").replace("test", "tset"), encoding="utf-8")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize("change", CHANGES)
def test_changes_are_seen(project: Project, change: str) -> None:
    assert fresh(project)
    CHANGES[change](project.root)
    assert not fresh(project)


def test_another_path_is_seen(project: Project) -> None:
    assert not fresh(project, PATH=f"{os.environ['PATH']}:/nowhere")


def test_part_of_the_matrix_is_not_the_whole(project: Project) -> None:
    project.bpfgen("--only", "one")
    assert not fresh(project)


def test_racy_edit(project: Project) -> None:
    """An input as young as the run itself is never trusted: it can change again within one tick of the clock."""
    toml = project.root / "build.toml"
    os.utime(toml)
    stat = toml.stat()
    assert memo.stamp(str(toml), stat.st_ctime_ns - 1) == "? ?"
    assert memo.stamp(str(toml), stat.st_ctime_ns) == f"{stat.st_ctime_ns} {stat.st_size}"
    assert memo.stamp(str(project.root / "nothing")) == "- -"


def test_fresh_run_is_silent_and_writes_nothing(project: Project) -> None:
    before = {path: path.stat().st_mtime_ns for path in project.root.rglob("*")}
    assert project.run(BPFGEN).stdout == ""
    assert {path: path.stat().st_mtime_ns for path in project.root.rglob("*")} == before
