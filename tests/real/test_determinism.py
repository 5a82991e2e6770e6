"""One source gives one sequence of bytes, however often it is compiled."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from project import Project

pytestmark = pytest.mark.real

REPOSITORY = Path(__file__).parents[2]
PROGRAMS = REPOSITORY / "tests" / "data" / "programs"
LIBBPF = "/usr/include/bpf"
BTF = "/sys/kernel/btf/vmlinux"
RUNS = 50
ALL = bool(os.environ.get("BPFGEN_ALL"))
"""Of the repository's own programs too."""


@pytest.mark.parametrize("clang", ["clang-19", "clang-14", "wheel"])
def test_one_result(tmp_path: Path, clang: str) -> None:
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
    objects = sorted((tmp_path / "out/obj").rglob("*.bpf.o"))
    assert len(objects) >= 3

    def hashes(path: Path) -> set[str]:
        name = str(path.relative_to(tmp_path))
        command = project.ninja("-t", "commands", "-s", name).rstrip("\n")
        found = set()
        for _ in range(RUNS):
            path.unlink()
            subprocess.run(command, cwd=tmp_path, shell=True, check=True, capture_output=True)
            found.add(hashlib.sha256(path.read_bytes()).hexdigest())
        return found

    with ThreadPoolExecutor(2) as pool:
        assert [len(found) for found in pool.map(hashes, objects)] == [1] * len(objects)
