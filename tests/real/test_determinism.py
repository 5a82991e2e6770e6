"""One source gives one sequence of bytes, however often it is compiled."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from determinism import digests
from project import Project

pytestmark = pytest.mark.real

REPOSITORY = Path(__file__).parents[2]
PROGRAMS = REPOSITORY / "tests" / "data" / "programs"
LIBBPF = "/usr/include/bpf"
BTF = "/sys/kernel/btf/vmlinux"
ALL = bool(os.environ.get("BPFGEN_ALL"))
"""Of the repository's own programs too, and with each compiler as often."""


@pytest.mark.parametrize(("clang", "times"), [("clang-19", 50), ("clang-14", 10), ("wheel", 10)])
def test_one_result(tmp_path: Path, clang: str, times: int) -> None:
    if clang != "wheel" and shutil.which(clang) is None:
        pytest.skip(f"{clang} is not installed")
    if not os.access(BTF, os.R_OK) or not Path(LIBBPF).is_dir():
        pytest.skip(f"no {BTF} or no {LIBBPF}")
    project = Project(tmp_path, clang)
    shutil.copytree(REPOSITORY / "include", tmp_path / "include", dirs_exist_ok=True)
    shutil.copytree(REPOSITORY / "bpf", tmp_path / "own")
    shutil.copytree(PROGRAMS, tmp_path / "bpf")
    shutil.copytree(LIBBPF, tmp_path / "libbpf/bpf")
    config = '[kernel.here]\nbtf = "kernel.btf"\n[targets]\narches = ["amd64"]\n'
    shutil.copyfile(BTF, tmp_path / "kernel.btf")
    # The repository's own headers have names of libbpf's in them, so each kind has its folder.
    config += '[program."*"]\nsource = "bpf/*.bpf.c"\ninclude = ["libbpf"]\n'
    if ALL:
        config += '[program."own_*"]\nsource = "own/*.c"\n'
    project.config(config)
    project.make()
    objects = [f"out/obj/{name}" for name in project.objects()]
    assert len(objects) >= 3
    found = digests(tmp_path, objects, 50 if ALL else times)
    assert {name: len(different) for name, different in found.items()} == dict.fromkeys(objects, 1)
