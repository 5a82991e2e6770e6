"""Layouts of generated Go types are those of C: the Go compiler itself checks sizes and places of random structs."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import pytest
from cstructs import checks, source
from hypothesis import HealthCheck, given, settings
from oracle import go

from bpfgen.bpf.btf import Btf
from bpfgen.bpf.container import read_container
from bpfgen.outputs.bpf2go.gotypes import text
from bpfgen.outputs.bpf2go.levels import LEVELS
from bpfgen.outputs.bpf2go.model import Options, read_model

pytestmark = pytest.mark.real
# 8-byte words, 4-byte words with uint64 at 4, and big-endian ones.
ARCHES = {"amd64": "bpfel", "386": "bpfel", "arm": "bpfel", "s390x": "bpfeb"}
OFTEN = settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)


def compile_c(text: str, folder: Path, target: str) -> bytes:
    """The object of a C text."""
    (folder / "x.c").write_text(text)
    words = ("clang-19", "-target", target, "-O2", "-g", "-Wno-everything", "-c", "x.c", "-o", "x.o")
    subprocess.run(words, cwd=folder, check=True)
    return (folder / "x.o").read_bytes()


def package(data: bytes, folder: Path, api: str) -> None:
    """A Go package of an object's types and of checks."""
    model = read_model(data, "x.o", Options("c", (), global_types=True), LEVELS[api])
    elf = read_container(data)
    section = elf.section(".BTF")
    assert section is not None
    head = 'package layout\n\nimport (\n\t"structs"\n\t"unsafe"\n)\n\nvar _ structs.HostLayout\n\n'
    types = "".join(f"type {each.name} {text(each.type)}\n\n" for each in model.types)
    (folder / "layout.go").write_text(head + types + checks(Btf(section.data), "c"))
    (folder / "go.mod").write_text("module example.com/layout\n\ngo 1.23\n")


@OFTEN
@given(source())
def test_sizes_and_places(c: str) -> None:
    """Of every struct, for each architecture."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        objects = {target: compile_c(c, folder, target) for target in sorted(set(ARCHES.values()))}
        for arch, target in ARCHES.items():
            package(objects[target], folder, "0.22")
            go("build", ".", cwd=folder, GOARCH=arch, GOOS="linux", CGO_ENABLED="0")


def test_a_wrong_layout_does_not_compile(tmp_path: Path) -> None:
    """The checks are no empty words: a byte more in one type, and Go refuses it."""
    data = compile_c("struct s0 { int a; short b; struct { char c; int d; } e; }; struct s0 v;", tmp_path, "bpfel")
    package(data, tmp_path, "0.22")
    go("build", ".", cwd=tmp_path)
    right = (tmp_path / "layout.go").read_text()
    for wrong in ("A int32\n\tZ int32", "A int64"):
        (tmp_path / "layout.go").write_text(right.replace("A int32", wrong, 1))
        with pytest.raises(AssertionError, match=r"must not be negative|invalid array length|overflows"):
            go("build", ".", cwd=tmp_path)
