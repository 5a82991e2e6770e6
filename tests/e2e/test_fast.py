"""A reduced `vmlinux.h` gives what the whole one gives: the same object, the same messages, the same exit code."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from fast_cases import CASES, HEADER, HEADERS, Case
from project import Project

from bpfgen import cli
from bpfgen.bpf.compare import differences
from bpfgen.frozen import frozen

pytestmark = pytest.mark.real

LIBBPF = "/usr/include/bpf"
TARGETS = '[targets]\narches = ["amd64"]\n'


@frozen
class Built:
    """The cases, built with and without reduced headers."""

    fast: Project
    plain: Project
    messages: tuple[Mapping[str, str], Mapping[str, str]]
    """What Ninja shows of each program, of both."""


def write(project: Project, cases: Mapping[str, Case], fast: bool) -> None:
    """Writes a project with a program for each case."""
    shutil.copytree(LIBBPF, project.root / "include/bpf", dirs_exist_ok=True)  # the wheel's clang reads no /usr/include
    config = TARGETS + f"[compile]\nfast = {str(fast).lower()}\n"
    kernels = {f"for-{name}": header for name, (header, _) in HEADERS.items() if name in cases} or {"here": HEADER}
    for name, header in kernels.items():
        (project.root / f"{name}.h").write_bytes(header.encode())
        config += f'[kernel.{name}]\nbtf = "{name}.h"\n'
    for name, case in cases.items():
        project.write(f"bpf/{name}.c", case.source)
        (project.root / "inc" / name).mkdir(parents=True, exist_ok=True)
        for path, text in case.files.items():
            project.write(path.replace("inc/", f"inc/{name}/", 1) if path.startswith("inc/") else path, text)
        sources = [f"bpf/{name}.c", *(path for path in case.files if path.startswith("bpf/"))]
        include = json.dumps([f"inc/{name}", "include"])
        key = f"sources = {json.dumps(sources)}" if len(sources) > 1 else f"source = {json.dumps(sources[0])}"
        config += f"[program.{name}]\n{key}\ninclude = {include}\n{case.toml}"
        config += f'vmlinux = "for-{name}"\n' if f"for-{name}" in kernels else ""
    project.write("build.toml", f'[project]\nname = "test"\n[toolchain]\nclang = "{project.clang}"\n'
                  f'[cache]\nlauncher = "none"\n{config}')  # fmt: skip
    if "through_link" in cases:
        _link(project)


def _link(project: Project) -> None:
    """A linked header, and a linked folder from which `..` leads elsewhere than its name says."""
    project.write("elsewhere/real.h", '#include "vmlinux.h"\n#define T struct task\n')
    (project.root / "inc/through_link/link.h").symlink_to("../../elsewhere/real.h")
    project.write("elsewhere/deep/a.h", '#include "vmlinux.h"\n#include "../t.h"\n')
    project.write("elsewhere/t.h", "#define T struct task\n")
    project.write("inc/through_linked_folder/t.h", "#define T int\n")
    (project.root / "inc/through_linked_folder/linked").symlink_to("../../elsewhere/deep")


def messages(output: str) -> dict[str, str]:
    """What clang said of each program, by Ninja's output; warnings and errors alone."""
    found: dict[str, str] = {}
    program = ""
    for line in output.splitlines():
        if re.match(r"\[\d+/\d+\] ", line):
            named = re.search(r"([\w.]+)/x86_bpfel", line)
            program = named[1] if named else ""
        elif program and not line.startswith(("FAILED", "ninja:")) and " -target " not in line:
            found[program] = found.get(program, "") + line + "\n"
    return found


def how(project: Project, program: str) -> str:
    """What `bpfgen explain` says of the header of a program's one object."""
    (way,) = ways(project, program)
    return way


def ways(project: Project, program: str) -> list[str]:
    """What `bpfgen explain` says of the headers of a program's objects."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        assert cli.run(["-C", str(project.root), "explain", program, "--format", "json"]) == 0
    return list(json.loads(text.getvalue())["vmlinux.h"].values())


def object_of(project: Project, program: str) -> bytes:
    """A program's object; empty where it wasn't made."""
    path = project.root / f"out/obj/{program}/x86_bpfel.bpf.o"
    return path.read_bytes() if path.exists() else b""


@pytest.fixture(scope="module", params=["clang-19", "clang-14", "wheel"])
def clang(request: pytest.FixtureRequest) -> str:
    """Each compiler."""
    name = str(request.param)
    if name != "wheel" and shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    if not Path(LIBBPF).is_dir():
        pytest.skip(f"no {LIBBPF}")
    return name


def build(factory: pytest.TempPathFactory, clang: str, cases: Mapping[str, Case]) -> Built:
    """Builds cases both ways."""
    shown = []
    projects = []
    for fast in (True, False):
        project = Project(factory.mktemp("fast" if fast else "plain"), clang)
        write(project, cases, fast)
        project.bpfgen()
        shown.append(messages(project.ninja("-k", "0", code=None)))
        projects.append(project)
    return Built(projects[0], projects[1], (shown[0], shown[1]))


@pytest.fixture(scope="module")
def sources(clang: str, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """All sources, with one header."""
    return build(tmp_path_factory, clang, CASES)


@pytest.fixture(scope="module")
def headers(clang: str, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Headers that were not written by bpftool, each with a source."""
    return build(tmp_path_factory, clang, {name: case for name, (_, case) in HEADERS.items()})


@pytest.mark.parametrize("name", CASES)
def test_source(sources: Built, name: str) -> None:
    check(sources, name, CASES[name])


@pytest.mark.parametrize("name", HEADERS)
def test_header(headers: Built, name: str) -> None:
    check(headers, name, HEADERS[name][1])


def check(built: Built, name: str, case: Case) -> None:
    """Checks that both ways give the same, and that the fast one was taken where it should be."""
    ours, theirs = object_of(built.fast, name), object_of(built.plain, name)
    assert bool(ours) == bool(theirs)
    assert not theirs or differences(ours, theirs) == []
    assert built.messages[0].get(name) == built.messages[1].get(name)
    assert bool(theirs) == case.builds
    assert re.match(case.how, how(built.fast, name))
