"""50 builds of each object of this repository give one SHA-256."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from project import Project

sys.path.append(str(Path(__file__).resolve().parents[1] / "real"))
from determinism import digests

pytestmark = pytest.mark.real

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("clang", "times"), [("clang-14", 5), ("clang-19", 50), ("wheel", 5)])
def test_same_bytes_every_time(tmp_path: Path, clang: str, times: int) -> None:
    for name in ("bpf", "include"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    toml = (REPOSITORY / "build.toml").read_text(encoding="utf-8")
    (tmp_path / "build.toml").write_text(
        f'{toml}\n[toolchain]\nclang = "{clang}"\n[cache]\nlauncher = "none"\n', "utf-8"
    )
    project = Project(tmp_path, clang)
    project.make()
    objects = [f"out/obj/{name}" for name in project.objects()]
    found = digests(tmp_path, objects, 50 if os.environ.get("BPFGEN_ALL") else times)
    assert {name: len(different) for name, different in found.items()} == dict.fromkeys(objects, 1)
