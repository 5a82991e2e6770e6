"""`toolchain`: versions, and what is said when no compiler fits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from project import Project

from bpfgen.toolchain import meets, resource_folder


@pytest.mark.parametrize(
    ("version", "require", "result"),
    [
        ("19.1.7", ">=14", True),
        ("13.0.1", ">=14", False),
        ("19.1.7", ">=16,<20", True),
        ("20.1.0", ">=16,<20", False),
        ("19.1.7", "==19", True),
        ("19.1.7", "==19.1.6", False),
        ("19.1.7", "<=19", True),
        ("19.1.7", ">19", False),
        ("9", ">=14", False),
        ("19", "18", True),
    ],
)
def test_meets(version: str, require: str, result: bool) -> None:
    assert meets(version, require) is result


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose compiler is `tools/clang`."""
    made = Project(tmp_path, "tools/clang")
    made.program("one")
    made.config('[program.one]\nsource = "bpf/one.c"\n')
    return made


def compiler(project: Project, text: str) -> None:
    """Makes a compiler that says `text`."""
    path = project.write("tools/clang", f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_missing_compiler(project: Project) -> None:
    assert 'build.toml:4:9: error: there is no clang "tools/clang"' in project.bpfgen(code=3).stderr


def test_old_compiler(project: Project) -> None:
    compiler(project, "[ $1 = -print-targets ] && echo '    bpfel - BPF' || echo clang version 9.0.1")
    assert 'is clang 9.0.1, and toolchain.require is ">=14"' in project.bpfgen(code=3).stderr


def test_compiler_without_the_bpf_target(project: Project) -> None:
    compiler(project, "echo Apple clang version 17.0.0")
    assert "has no BPF target" in project.bpfgen(code=3).stderr


@pytest.mark.parametrize("text", ["exit 1", "echo hello", "printf '\\377\\n'"])
def test_program_that_is_no_compiler(project: Project, text: str) -> None:
    compiler(project, text)
    assert 'there is no clang "tools/clang"' in project.bpfgen(code=3).stderr


@pytest.mark.real
def test_auto_takes_the_wheel_where_there_is_nothing_else(project: Project) -> None:
    project.clang = "auto"
    project.config('[program.one]\nsource = "bpf/one.c"\nportable = true\n')
    env = {**os.environ, "PATH": "/nowhere"}
    project.bpfgen(env=env)
    assert "zig clang" in (project.root / "build.ninja").read_text(encoding="utf-8")
    project.ninja(env=env)
    assert set(project.objects()) == {"one/bpfel.bpf.o"}


@pytest.mark.parametrize(
    ("line", "folder"),
    [
        (' "/usr/bin/clang" -cc1 -triple bpfel -resource-dir /usr/lib/clang/19 -ferror-limit 19', "/usr/lib/clang/19"),
        (r' "/a b/clang" "-cc1" "-resource-dir" "/a b/\"c\"" "-o"', '/a b/"c"'),
        (r' "/a b/clang" -cc1 -resource-dir "/a b" -o', "/a b"),
        ("clang: error: no input files", ""),
    ],
)
def test_resource_folder(line: str, folder: str) -> None:
    """The forms in which `clang -v` writes words."""
    assert resource_folder(line) == folder
