"""A kernel's package in a build: what is made of it, when it is made again, and what is said where it is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
from btffile import Builder
from kernelfile import PACKERS as PACK
from kernelfile import bzimage, deb, elf, sized, tar
from project import Project

from bpfgen.bpf.btf import Kind

pytestmark = pytest.mark.real
CONFIG = """\
bpftool = "none"
[targets]
arches = ["amd64"]
[kernel.k]
btf = "kernel.deb"
[program.a]
source = "bpf/a.c"
"""
SOURCE = '#include "vmlinux.h"\nint f(struct task *t) { return t->pid; }\n'
HEADER, TYPES, OBJECT = "vmlinux/k/amd64/vmlinux.h", "vmlinux/k/amd64/vmlinux.btf", "obj/a/x86_bpfel.bpf.o"


def package(*members: str, note: bytes = b"") -> bytes:
    """A package whose kernel has `struct task` with these members."""
    btf = Builder("<")
    btf.add(Kind.INT, "int", 4, 1 << 24 | 32)
    words = [word for number, name in enumerate(members) for word in (btf.name(name), 1, 32 * number)]
    btf.add(Kind.STRUCT, "task", 4 * len(members), *words, items=len(members))
    vmlinux = elf(btf.bytes())
    files = {
        "./usr/share/doc/linux/changelog": note,
        "./boot/vmlinuz-6.1": bzimage(sized(PACK["xz"](vmlinux), vmlinux)),
    }
    return deb(tar(files))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project that is built."""
    project = Project(tmp_path)
    project.config("")
    toml = (project.root / "build.toml").read_text(encoding="utf-8")
    project.write("build.toml", toml.replace("[toolchain]\n", "[toolchain]\n" + CONFIG.partition("[")[0]))
    with (project.root / "build.toml").open("a", encoding="utf-8") as file:
        file.write("[" + CONFIG.partition("[")[2])
    project.write("bpf/a.c", SOURCE)
    (project.root / "kernel.deb").write_bytes(package("state", "pid"))
    project.make()
    assert project.idle()
    return project


def test_only_new_types_make_a_new_header(project: Project) -> None:
    """A package with other files and the same types changes nothing."""
    (project.root / "kernel.deb").write_bytes(package("state", "pid", note=b"another version"))
    assert project.built() == set()
    assert project.idle()
    (project.root / "kernel.deb").write_bytes(package("state", "flags", "pid"))
    assert {HEADER, TYPES, OBJECT} <= project.built()
    assert project.idle()


def test_damage_is_said_in_build_toml(project: Project) -> None:
    """At the place where it is now, and what was there stays."""
    before = project.stamps()
    (project.root / "kernel.deb").write_bytes(b"!<arch>\n")
    toml = (project.root / "build.toml").read_text(encoding="utf-8")
    project.write("build.toml", "# one more line\n" + toml)
    project.bpfgen()
    said = project.ninja(code=None)
    line = ("# one more line\n" + toml).splitlines().index('btf = "kernel.deb"') + 1
    assert f'build.toml:{line}:7: error: "kernel.deb" is an empty package: it has no data.tar\n' in said
    assert project.stamps() == before


def test_moved_lines_make_nothing_again(project: Project) -> None:
    """The place is looked up when it is needed, so it isn't part of the command."""
    toml = (project.root / "build.toml").read_text(encoding="utf-8")
    project.write("build.toml", "# one more line\n" + toml)
    project.bpfgen()
    assert project.built() == set()
