"""Types of Debian's kernels as libbpf-tools need them: those of bpftool, byte for byte, and every relocation's outcome
stays the same.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import fetch
import pytest
from project import BPFGEN, NINJA

from bpfgen.bpf.core import CORE_KINDS, TARGET
from bpfgen.bpf.kernel import KernelTypes
from bpfgen.bpf.object import BpfObject
from bpfgen.bpf.resolve import Resolver
from bpfgen.kernels.extract import kernel_btf
from bpfgen.kernels.mincore import Marks

pytestmark = [
    pytest.mark.input,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="bpftool is fetched for amd64"),
]
TOOLS = ("apt-get", "clang-19", "dpkg-deb")
KERNELS = [*((each.series, "amd64") for each in fetch.KERNELS), (fetch.KERNELS[-1].series, "arm64")]


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Path]:
    """libbpf-tools, built."""
    missing = [tool for tool in TOOLS if shutil.which(tool, path=fetch.SEARCH) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    root = tmp_path_factory.mktemp("libbpf-tools")
    shutil.copytree(fetch.libbpf_tools(), root, dirs_exist_ok=True)
    shutil.copyfile(Path(__file__).parent / "libbpf_tools/build.toml", root / "build.toml")
    for words in (BPFGEN, (NINJA, "objects")):
        subprocess.run(words, cwd=root, check=True, capture_output=True)
    found = sorted(root.glob("out/obj/*/*.o"))
    assert len(found) > 50
    return found


def by_bpftool(types: bytes, objects: Sequence[Path], folder: Path) -> bytes:
    """`bpftool gen min_core_btf` (bpftool-gen(8))."""
    source, target = folder / "types.btf", folder / "min.btf"
    source.write_bytes(types)
    words = [str(each) for each in (fetch.bpftool(), "gen", "min_core_btf", source, target, *objects)]
    subprocess.run(words, check=True, capture_output=True)
    return target.read_bytes()


@pytest.mark.parametrize(("series", "arch"), KERNELS)
def test_the_same_as_bpftools(series: str, arch: str, objects: Sequence[Path], tmp_path: Path) -> None:
    """The bytes; and of what we wrote, bpftool leaves nothing out."""
    data = kernel_btf(str(fetch.kernel(series, arch)))
    types, found = KernelTypes(data), [BpfObject(path.read_bytes()) for path in objects]
    marks = Marks(types)
    for each in found:
        marks.record(each)
    written = marks.written()
    assert by_bpftool(data, objects, tmp_path) == written
    assert by_bpftool(written, objects, tmp_path) == written
    assert 1000 < len(written) < len(data) / 100
    assert unlike(found, types, KernelTypes(written)) == []


def unlike(found: Sequence[BpfObject], whole: KernelTypes, part: KernelTypes) -> list[str]:
    """Relocations with another outcome to one of the loaders; the number of a type is another one in each section."""
    different: list[str] = []
    count = 0
    for resolver in (Resolver(each, loader) for each in found for loader in ("libbpf", "cilium")):
        theirs, ours = resolver.resolve(whole), resolver.resolve(part)
        assert theirs.keys() == ours.keys()
        count += len(theirs)
        for place, outcome in theirs.items():
            same = ours[place].state == outcome.state and (
                ours[place].value == outcome.value or outcome.relocation.kind == TARGET
            )
            if not same:
                kind = CORE_KINDS[outcome.relocation.kind]
                different.append(f"{place} {kind} {outcome.relocation.access.path}: {outcome.value}")
    assert count > 1000
    return different
