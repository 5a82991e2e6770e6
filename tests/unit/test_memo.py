"""`memo`: plain `bpfgen` with nothing to do, and everything that must wake it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from project import BPFGEN, Project

from bpfgen import memo

# What a `bpfgen` with nothing to do loads beyond the interpreter's own start, which includes `os`.
NOTHING_CHANGED = {"__future__", "bpfgen", "bpfgen.__main__", "bpfgen.memo"}
# What it loads of bpfgen and of others to read everything and write it.
READ_AGAIN = {
    *NOTHING_CHANGED,
    "bpfgen.catalog",
    "bpfgen.cli",
    "bpfgen.buildid",
    "bpfgen.builders",
    "bpfgen.builders.settings",
    "bpfgen.cc",
    "bpfgen.cc.index",
    "bpfgen.cc.job",
    "bpfgen.cc.lean",
    "bpfgen.commands",
    "bpfgen.commands.generate",
    "bpfgen.compdb",
    "bpfgen.compile",
    "bpfgen.config",
    "bpfgen.config.check",
    "bpfgen.config.checkbuilder",
    "bpfgen.config.checkflags",
    "bpfgen.config.checkplaces",
    "bpfgen.config.checkgo",
    "bpfgen.config.checkkernel",
    "bpfgen.config.checkverdicts",
    "bpfgen.config.checkverify",
    "bpfgen.config.decode",
    "bpfgen.config.report",
    "bpfgen.config.schema",
    "bpfgen.config.schemabuilder",
    "bpfgen.config.schemacheck",
    "bpfgen.config.schemaverify",
    "bpfgen.config.source",
    "bpfgen.config.values",
    "bpfgen.errors",
    "bpfgen.files",
    "bpfgen.frozen",
    "bpfgen.graph",
    "bpfgen.headers",
    "bpfgen.host",
    "bpfgen.launcher",
    "bpfgen.matrix",
    "bpfgen.ninja",
    "bpfgen.notes",
    "bpfgen.outputs",
    "bpfgen.outputs.manifest",
    "bpfgen.plan",
    "bpfgen.project",
    "bpfgen.quote",
    "bpfgen.sources",
    "bpfgen.toolchain",
    "tomli",
}
# Python's own, where versions differ in what the rest imports: what costs milliseconds and isn't needed.
NOT_LOADED = {"asyncio", "difflib", "email", "logging", "pathlib", "socket", "subprocess", "tempfile", "urllib.parse"}

# Without `site`, whose `.pth` files load what they like: the path of this process comes by the command line.
LOADED = """
import os, sys
sys.path[:] = sys.argv.pop(1).split(os.pathsep)
before = set(sys.modules)
from bpfgen.__main__ import main
assert main() == 0
print(*((name, getattr(sys.modules[name], "__file__", "")) for name in set(sys.modules) - before), sep="\\n")
"""


def loaded(project: Project) -> dict[str, str]:
    """The modules that plain `bpfgen` loads beyond the interpreter's own, and their files (empty: built in)."""
    words = [sys.executable, "-I", "-S", "-c", LOADED, os.pathsep.join(filter(None, sys.path))]
    lines = project.run(words).stdout.splitlines()
    modules = [ast.literal_eval(line) for line in lines if line.startswith("('")]
    return {name: file or "" for name, file in modules}


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


def test_imports_where_nothing_changed(project: Project) -> None:
    assert set(loaded(project)) == NOTHING_CHANGED


OUTPUTS = ("outputs.bpf2go", *(f"outputs.bpf2go.{name}" for name in ("constraints", "identifiers", "levels")))
GO = {
    "": (),
    "[go]": ("outputs.go", "outputs.names", "text"),
    '[go]\nbindings = "bpf2go"': ("bindings", "text", *OUTPUTS),
}


@pytest.mark.parametrize("go", GO)
def test_imports_where_everything_is_read(project: Project, go: str) -> None:
    """Compilers were asked before; a Go package only adds the modules that name its files, and the news of them."""
    with (project.root / "build.toml").open("a") as file:
        file.write(f"{go}\n")
    modules = loaded(project)
    stdlib = sysconfig.get_path("stdlib") + os.sep
    others = {
        name
        for name, file in modules.items()
        if file and (not file.startswith(stdlib) or "site-packages" in file) and not name.endswith("__mypyc")
    }
    ours = {name for name in others if name.startswith("bpfgen") or "." not in name}
    assert ours | {"__future__"} == READ_AGAIN | {f"bpfgen.{name}" for name in GO[go]}
    assert not NOT_LOADED & set(modules)


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
