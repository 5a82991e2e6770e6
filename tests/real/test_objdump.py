"""Instructions and CO-RE relocations of this repository's objects, as llvm-objdump has them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import objdump
import pytest

from bpfgen.strip import strip

ROOT = Path(__file__).resolve().parents[2]
OBJECTS = sorted((ROOT / "tests" / "data" / "objects").glob("*.o"))
SOURCES = sorted((ROOT / "bpf").rglob("*.c"))

pytestmark = pytest.mark.real


@pytest.mark.parametrize("path", OBJECTS, ids=lambda path: path.name)
def test_committed_objects(path: Path) -> None:
    assert objdump.differences(path) == []


@pytest.mark.parametrize("target", ["bpfel", "bpfeb"])
@pytest.mark.parametrize("cpu", ["v1", "v2", "v3", "v4"])
def test_the_repositorys_programs(target: str, cpu: str, tmp_path: Path) -> None:
    flags = ("-O2", "-g", "-target", target, f"-mcpu={cpu}", "-D__TARGET_ARCH_x86", f"-I{ROOT / 'include'}")
    headers = ("-idirafter", "/usr/include/x86_64-linux-gnu")
    for source in SOURCES:
        path = tmp_path / f"{source.stem}.o"
        subprocess.run(("clang-19", *flags, *headers, "-c", str(source), "-o", str(path)), check=True)
        path.write_bytes(strip(path.read_bytes()))  # for lines, llvm-objdump goes by DWARF where there is some
        assert objdump.differences(path) == []
