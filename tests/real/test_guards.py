"""What guards keep from being reached is what the running kernel's verifier doesn't look at."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bpfgen.bpf.code import Function
from bpfgen.bpf.flow import Flow, Known
from bpfgen.bpf.kernel import KernelTypes
from bpfgen.bpf.object import BpfObject
from bpfgen.bpf.resolve import MISSING, Resolver

pytestmark = pytest.mark.real
SOURCES = Path(__file__).parent / "core"
VMLINUX = Path("/sys/kernel/btf/vmlinux")
SETTINGS = {"CONFIG_BPF": "y", "CONFIG_NO_SUCH_THING": "n"}
NOWHERE = "9999"
"""The helper that no kernel has."""
BUILDS = [
    ("clang-19", "v3", False),
    ("clang-19", "v3", True),
    ("clang-19", "v2", False),
    ("clang-19", "v4", False),
    ("clang-14", "v3", True),
]
"""Compilers, instruction sets, and whether guards are the other way round; loading takes two seconds each."""


@pytest.fixture(scope="module")
def each(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Loads programs one by one."""
    if missing := [tool for tool in ("clang-14", "clang-19", "gcc") if shutil.which(tool) is None]:
        pytest.skip(f"not installed: {', '.join(missing)}")
    if os.geteuid() != 0 or not VMLINUX.exists():
        pytest.skip("loading takes root, and a kernel with BTF")
    command = tmp_path_factory.mktemp("each") / "each"
    subprocess.run(["gcc", SOURCES / "each.c", "-o", command, "-lbpf"], check=True)
    return command


def known(found: BpfObject) -> Known:
    """What the running kernel says."""
    with Path("/proc/kallsyms").open() as lines:
        symbols = {line.split()[2] for line in lines}
    version, patch, sub = map(int, re.findall(r"\d+", f"{platform.release()}.0")[:3])
    number = (version << 16) + (patch << 8) + min(sub, 255)
    ksyms = {each.name: each.name in symbols for each in found.externs if each.kind in ("ksym", "kfunc")}
    return Known((version, patch), ksyms, {**SETTINGS, "LINUX_KERNEL_VERSION": number})


def refused(found: BpfObject) -> Iterator[tuple[str, bool]]:
    """Programs, and whether they reach something that isn't there."""
    resolutions = Resolver(found).resolve(KernelTypes(VMLINUX.read_bytes()))
    flow, facts = Flow(found), known(found)
    for program in found.functions:
        if program.section == ".text":
            continue
        live = flow.live(program, resolutions, facts)
        poisoned = any(place in live and each.state == MISSING for place, each in resolutions.items())
        yield (
            program.name,
            poisoned or any((each.section, slot) in live for each in found.functions for slot in absent(each)),
        )


def absent(function: Function) -> Iterator[int]:
    """Calls of what no kernel has."""
    for slot, reference in function.references.items():
        insn = next(each for each in function.code if each.slot == slot)
        if reference.name == NOWHERE or (reference.kind == "kfunc" and insn.code == 0x85):
            yield slot


@pytest.mark.parametrize(("clang", "cpu", "swapped"), BUILDS)
def test_guards(clang: str, cpu: str, swapped: bool, each: Path, tmp_path: Path) -> None:
    """All guards hold, and where they are the other way round, each program is refused."""
    flags = ["-O2", "-g", "-target", "bpf", f"-mcpu={cpu}", "-Wall", *(["-DSWAPPED"] if swapped else [])]
    path = tmp_path / "guards.o"
    subprocess.run([clang, *flags, "-c", SOURCES / "guards.bpf.c", "-o", path], check=True)
    settings = "".join(f"{name}={value}\n" for name, value in SETTINGS.items())
    said = subprocess.run([each, path, settings], check=True, capture_output=True, text=True).stdout
    kernel = {name: number != "0" for name, number in (line.split() for line in said.splitlines())}
    ours = dict(refused(BpfObject(path.read_bytes())))
    assert ours == kernel
    pairs = [name for name in ours if not name.startswith("other_")]
    assert len(pairs) == 36
    assert {ours[name] for name in pairs} == {swapped}
