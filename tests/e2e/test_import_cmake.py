"""`bpfgen import cmake`: a real CMake project, whose objects are the same afterwards."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from project import Project

from bpfgen.bpf.compare import differences

pytestmark = pytest.mark.real
LISTS = """\
cmake_minimum_required(VERSION 3.18)
project(tools NONE)
set(FLAGS -O2 -g -target bpf -mcpu=v2 -D__TARGET_ARCH_x86 -DLIMIT=3 -I${CMAKE_SOURCE_DIR}/include)
foreach(name one two)
  add_custom_command(OUTPUT ${name}.o DEPENDS src/${name}.bpf.c
    COMMAND clang-19 ${FLAGS} -c ${CMAKE_SOURCE_DIR}/src/${name}.bpf.c -o ${name}.o)
  list(APPEND OBJECTS ${name}.o)
endforeach()
add_custom_target(bpf ALL DEPENDS ${OBJECTS})
"""
SOURCE = """\
#include "limit.h"
__attribute__((section("xdp"), used)) int run(void *ctx) { return LIMIT + MORE; }
char _license[] __attribute__((section("license"), used)) = "GPL";
"""


def test_the_same_objects(tmp_path: Path) -> None:
    if shutil.which("cmake") is None:
        pytest.skip("needs cmake")
    project = Project(tmp_path)
    project.write("CMakeLists.txt", LISTS)
    project.write("include/limit.h", "#define MORE 1\n")
    for name in ("one", "two"):
        project.write(f"src/{name}.bpf.c", SOURCE)
    build = tmp_path / "by cmake"
    subprocess.run(["cmake", "-G", "Ninja", "-S", project.root, "-B", build], check=True, capture_output=True)
    subprocess.run(["cmake", "--build", build], check=True, capture_output=True)
    said = project.bpfgen("import", "cmake").stdout
    assert "wrote build.toml: 2 programs of 2 compiles" in said
    project.make()
    for name in ("one", "two"):
        theirs, ours = build / f"{name}.o", project.root / "out" / "obj" / name / "x86_bpfel.bpf.o"
        # But for the paths of sources, which CMake gives as absolute ones.
        found = differences(ours.read_bytes(), theirs.read_bytes())
        assert [each for each in found if not each.startswith("BTF.ext: line_info of ")] == []
