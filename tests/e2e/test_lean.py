"""Sources without `vmlinux.h`: the shell and clang alone make what the driver makes, and nobody notices."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from project import Project

from bpfgen.bpf.btf import Btf
from bpfgen.bpf.container import read_container
from bpfgen.strip import strip

pytestmark = pytest.mark.real

PLAIN = """\
#include "common.h"
struct packet { long at; struct packet *next; };
struct packet first;
SEC("xdp") int plain(void *ctx) { return first.at ? VERDICT : 1; }
"""
# Only pointers in a struct name these: clang declares them at the end of BTF, in an order that changes.
FORWARDS = """\
#include "common.h"
struct zebra { int a; }; struct ant { int b; }; struct bee { int c; };
struct all { struct zebra *zebra; struct ant *ant; struct bee *bee; } all;
SEC("xdp") int forwards(void *ctx) { return all.ant ? VERDICT : 1; }
"""
ASSEMBLY = PLAIN.replace("plain(", "assembly(") + 'asm(".section .debug_mine\\n.long 1\\n.text");\n'
SOURCES = {"plain": PLAIN, "forwards": FORWARDS, "assembly": ASSEMBLY}
TARGETS = '[targets]\narches = ["amd64", "s390x"]\n'
CLANGS = ["clang-19", "wheel"]


@pytest.fixture(params=CLANGS)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """A project with all sources, in a folder whose name needs every kind of quoting."""
    if request.param != "wheel" and shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return written(Project(tmp_path / "a b: c,d'é $x #1", request.param))


def written(project: Project, more: str = "") -> Project:
    """Writes the sources and `build.toml`; `more` is of `[program."*"]`."""
    for name, text in SOURCES.items():
        project.write(f"bpf/{name}.c", text)
    project.config(f'{TARGETS}[program."*"]\nsource = "bpf/*.c"\n{more}')
    return project


def commands(project: Project) -> str:
    """What Ninja would run for the objects."""
    return project.ninja("-t", "commands", "objects")


def test_same_objects_as_by_the_driver(project: Project, tmp_path: Path) -> None:
    """With a launcher, the driver does all; an object is the same without."""
    project.make()
    assert "-mlink-builtin-bitcode" in commands(project)
    assert project.idle()
    launched = written(Project(tmp_path / "launched", project.clang))
    text = (launched.root / "build.toml").read_text(encoding="utf-8")
    launched.write("build.toml", text.replace('launcher = "none"', 'launcher = ["env"]'))
    launched.make()
    assert "-mlink-builtin-bitcode" not in commands(launched)
    assert project.objects() == launched.objects()


def test_same_objects_without_grep(project: Project, tmp_path: Path) -> None:
    """As on a system whose `grep` has no `-P`."""
    project.make()
    objects = project.objects()
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "cmp", "mv", "rm"):
        (folder / name).symlink_to(str(shutil.which(name)))
    shutil.rmtree(project.root / "out/obj")
    project.ninja("objects", env={**os.environ, "PATH": str(folder)})
    assert project.objects() == objects


def test_stripped_they_are_the_plain_ones(project: Project, tmp_path: Path) -> None:
    """Code, relocations, BTF, symbols and the order of sections: byte by byte."""
    project.make()
    plain = written(Project(tmp_path / "plain", project.clang), "fast = false\n")
    plain.make()
    assert "-mlink-builtin-bitcode" not in commands(plain)
    ours = {name: strip(data) for name, data in project.objects().items()}
    assert ours == plain.objects()
    for name, data in project.objects().items():
        assert b".debug" not in data
        if name.startswith("forwards"):
            types = Btf(read_container(data).section(".BTF").data)  # type: ignore[union-attr]
            assert [types.type(number).name for number in range(len(types) - 3, len(types))] == ["ant", "bee", "zebra"]
        assert str(project.root).encode() not in data
    assert ", 0 different" in project.bpfgen("check", "--fast").stdout


def test_edits(project: Project) -> None:
    project.make()
    before = project.stamps()
    project.write("bpf/plain.c", PLAIN + "// more\n")
    assert project.built() == set()  # compiled, and left alone
    assert project.compiled == {"plain/x86_bpfel", "plain/s390_bpfeb"}
    header = project.root / "include/common.h"
    header.write_text(header.read_text(encoding="utf-8").replace("VERDICT 2", "VERDICT 3"), encoding="utf-8")
    assert {name for name in project.built() if name.endswith(".o")} == {
        name for name in before if name.endswith(".bpf.o")
    }
    assert project.idle()
    assert not [name for name in project.stamps() if not name.endswith((".o", ".json", ".go", ".mod"))]


def test_messages(project: Project) -> None:
    """A warning once, as clang says it; an error once, with Ninja's exit code; then the object of before is there."""
    project.write("bpf/plain.c", '#warning "say \\n %s"\n' + PLAIN)
    project.bpfgen()
    said = project.ninja()
    assert said.count('warning: "say \\n %s"') == 2  # one for each byte order
    before = project.objects()
    project.write("bpf/plain.c", "int x = y;\n")
    said = project.ninja(code=1, env={**os.environ, "LC_ALL": "C"})
    assert said.count("error: use of undeclared identifier 'y'") == said.count("FAILED: ") > 0
    assert project.objects() == before
    project.write("bpf/plain.c", '#warning "say \\n %s"\n' + PLAIN)
    project.ninja()
    assert project.objects() == before
