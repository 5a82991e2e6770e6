"""Debian's kernels of four series, for two architectures: types come out, and headers are what those say."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import fetch
import pytest
from layouts import Layouts, Reader

from bpfgen.bpf.btf import Btf, Kind
from bpfgen.bpf.container import read_container
from bpfgen.cc.declarations import parse
from bpfgen.cc.lean import without_dwarf
from bpfgen.kernels.extract import kernel_btf
from bpfgen.kernels.header import header
from bpfgen.outputs.vmlinux import SWITCH

pytestmark = pytest.mark.input
TOOLS = ("apt-get", "bpftool", "clang-19")
ROOT = Path(__file__).parents[2]
SERIES = [each.series for each in fetch.KERNELS]
CELLS = [(series, arch) for series in SERIES for arch in fetch.KERNEL_ARCHES]
OF_COMPILERS = {
    "__builtin_va_list",
    "__gnuc_va_list",
    "va_list",
    "struct __va_list_tag",
    "struct __va_list",
    "union whole_header",
}
OF_COMPILERS |= {"struct warn_args"}  # which has a va_list in it
"""Types that each compiler has its own of."""
PARTS = 8
"""Of a header that are compiled one by one: clang looks at each name when it adds another one to the types."""
BY_US, BY_BPFTOOL = "bpfgen", "bpftool"


@pytest.fixture(autouse=True)
def tools() -> None:
    """What all of them need."""
    missing = [tool for tool in TOOLS if shutil.which(tool, path=f"{fetch.SEARCH}") is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")


@cache
def types(series: str, arch: str) -> bytes:
    """The BTF of a kernel."""
    return kernel_btf(str(fetch.kernel(series, arch)))


@pytest.mark.parametrize(("series", "arch"), CELLS)
def test_types_come_out(series: str, arch: str) -> None:
    """All of them, of the right architecture."""
    found = {each.name: each for each in Btf(types(series, arch)) if each.kind is Kind.STRUCT}
    assert {"task_struct", "pt_regs", "sk_buff"} <= set(found)
    btf = Btf(types(series, arch))
    registers = {member.name for member in btf.members(found["pt_regs"])}
    assert ("r15" in registers, "orig_x0" in registers) == (arch == "amd64", arch == "arm64")


@cache
def made(series: str, arch: str, maker: str, folder: Path) -> bytes:
    """A kernel's header, by one of the two that make it."""
    if maker == BY_US:
        return header(Btf(types(series, arch))).encode()
    (folder / "raw.btf").write_bytes(types(series, arch))
    bpftool = str(shutil.which("bpftool", path=fetch.SEARCH))
    words = [bpftool, "btf", "dump", "file", str(folder / "raw.btf"), "format", "c"]
    return SWITCH + subprocess.run(words, check=True, capture_output=True).stdout


def truth(btf: Btf) -> Layouts:
    """What the kernel's own types look like."""
    return {name: each for name, each in Reader(btf).all().items() if name not in OF_COMPILERS}


def compiled(text: bytes, wanted: Layouts, folder: Path) -> Layouts:
    """The types of a header, by clang: all of those that `wanted` has."""
    (folder / "vmlinux.h").write_bytes(text)
    tags = sorted({tag.decode() for tag in re.findall(rb"^((?:struct|union|enum) \w+) \{", text, re.MULTILINE)})
    # Behind a member that is a pointer, clang leaves out what a struct with a name has in it.
    users = [f"{tag} " for tag in tags]
    users += [f"{name} *" for name, each in wanted.items() if " " not in name and len(each) == 1]
    found: dict[str, dict[str, Any]] = {}
    for part in range(PARTS):
        for name, each in Reader(_compiled(users[part::PARTS], folder)).all().items():
            found.setdefault(name, {}).update({repr(layout): layout for layout in each})
    return {name: [each[key] for key in sorted(each)] for name, each in found.items()}


def _compiled(users: list[str], folder: Path) -> Btf:
    members = "".join(f"{user}user_{number};\n" for number, user in enumerate(users))
    (folder / "all.c").write_text(f'#include "vmlinux.h"\nunion whole_header {{\n{members}}} *whole_header;\n')
    words = ["clang-19", "-target", "bpf", "-g", "-w", "-fms-extensions", "-c", "all.c", "-o", "all.o"]
    subprocess.run([*words, *without_dwarf("bpfel")], cwd=folder, check=True, capture_output=True)
    section = read_container((folder / "all.o").read_bytes()).section(".BTF")
    assert section is not None
    return Btf(section.data)


def differing(found: Layouts, wanted: Layouts) -> dict[str, Any]:
    """Types that a header has in another way than the kernel."""
    several = {name for name, each in wanted.items() if " " not in name and len(each) > 1}
    names = [name for name in wanted if name not in several]
    return {name: (found.get(name), wanted[name]) for name in names if found.get(name) != wanted[name]}


@pytest.mark.parametrize(("series", "arch"), CELLS)
def test_headers_are_what_the_kernel_is(series: str, arch: str, tmp_path: Path) -> None:
    """By both makers: each type as large as in the kernel, and each of its members at the same place."""
    wanted = truth(Btf(types(series, arch)))
    ours = made(series, arch, BY_US, tmp_path)
    parse(ours)
    assert differing(compiled(ours, wanted, tmp_path), wanted) == {}
    theirs = made(series, arch, BY_BPFTOOL, tmp_path)
    parse(theirs)
    assert differing(compiled(theirs, wanted, tmp_path), wanted) == {}
