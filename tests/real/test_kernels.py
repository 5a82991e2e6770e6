"""Debian's kernels of four series, for two architectures: types come out, and headers are what those say."""

from __future__ import annotations

import json
import platform
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import fetch
import pytest
from layouts import Layouts, Reader, plain
from project import Project

from bpfgen.bpf.btf import Btf, Kind
from bpfgen.bpf.compare import differences
from bpfgen.bpf.container import read_container
from bpfgen.cc.declarations import parse
from bpfgen.cc.lean import without_dwarf
from bpfgen.kernels.extract import kernel_btf
from bpfgen.kernels.header import header
from bpfgen.outputs.vmlinux import SWITCH

pytestmark = pytest.mark.input
TOOLS = ("apt-get", "clang-19", "dpkg-deb")
ROOT = Path(__file__).parents[2]
SERIES = [each.series for each in fetch.KERNELS]
CELLS = [(series, arch) for series in SERIES for arch in fetch.KERNEL_ARCHES]
COMPARED = [*((series, "amd64") for series in SERIES[:-1]), (SERIES[-1], "arm64")]
"""Kernels whose headers are compared; the newest for amd64 is by both makers, below. The other three were, too, once:
each takes a quarter of a minute."""
ENUMS = (Kind.ENUM, Kind.ENUM64)
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
LEAN = without_dwarf("bpfel")
PART = 1000
"""Types that are compiled at a time: clang looks at each name when it adds another one to them."""


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


def truth(btf: Btf) -> Layouts:
    """What the kernel's own types look like."""
    return {name: each for name, each in Reader(btf).all().items() if name not in OF_COMPILERS}


def compiled(text: bytes, wanted: Layouts, folder: Path) -> Layouts:
    """The types of a header, by clang: all of those that `wanted` has."""
    (folder / "vmlinux.h").write_bytes(text)
    _clang(folder, *LEAN, "-x", "c-header", "vmlinux.h", "-o", "vmlinux.pch")
    tags = dict.fromkeys(re.findall(r"^((?:struct|union|enum) \w+) \{", text.decode(), re.MULTILINE))
    # Behind a member that is a pointer, clang leaves out what a struct with a name has in it.
    users = [f"{tag} " for tag in tags]
    users += [f"{name} *" for name, each in wanted.items() if " " not in name and len(each) == 1]
    found: dict[str, dict[str, Any]] = {}
    for first in range(0, len(users), PART):  # what stands together needs much the same
        for name, each in Reader(_compiled(users[first : first + PART], folder)).all().items():
            found.setdefault(name, {}).update({repr(layout): layout for layout in each})
    return {name: [each[key] for key in sorted(each)] for name, each in found.items()}


def _compiled(users: list[str], folder: Path) -> Btf:
    members = "".join(f"{user}user_{number};\n" for number, user in enumerate(users))
    (folder / "all.c").write_text(f"union whole_header {{\n{members}}} *whole_header;\n")
    _clang(folder, "-include-pch", "vmlinux.pch", *LEAN, "-c", "all.c", "-o", "all.o")
    section = read_container((folder / "all.o").read_bytes()).section(".BTF")
    assert section is not None
    return Btf(section.data)


def _clang(folder: Path, *words: str) -> None:
    command = ["clang-19", "-target", "bpf", "-g", "-w", "-fms-extensions", *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def differing(found: Layouts, wanted: Layouts) -> dict[str, Any]:
    """Types that a header has in another way than the kernel."""
    several = {name for name, each in wanted.items() if " " not in name and len(each) > 1}
    names = [name for name in wanted if name not in several]
    return {name: (found.get(name), wanted[name]) for name in names if found.get(name) != wanted[name]}


@pytest.mark.parametrize(("series", "arch"), COMPARED)
def test_headers_are_what_the_kernel_is(series: str, arch: str, tmp_path: Path) -> None:
    """Each type as large as in the kernel, each of its members at the same place, and every value of an enum."""
    btf = Btf(types(series, arch))
    wanted = truth(btf)
    text = header(btf).encode()
    parse(text)  # compiles can reduce it
    assert differing(compiled(text, wanted, tmp_path), wanted) == {}
    reader = Reader(btf)
    values = {name for each in btf if each.kind in ENUMS for name, _ in reader.values(each)}
    assert values <= {plain(word) for word in re.findall(r"^\t+(\w+) = ", text.decode(), re.MULTILINE)}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the tool is fetched for amd64")
def test_bpftool_makes_the_same(tmp_path: Path) -> None:
    """Of the newest kernel, but for unions that the kernel's compiler shows without members."""
    data = types(SERIES[-1], "amd64")
    wanted = truth(Btf(data))
    assert differing(compiled(header(Btf(data)).encode(), wanted, tmp_path), wanted) == {}
    (tmp_path / "raw.btf").write_bytes(data)
    words = [str(fetch.bpftool()), "btf", "dump", "file", str(tmp_path / "raw.btf"), "format", "c"]
    text = SWITCH + subprocess.run(words, check=True, capture_output=True).stdout
    different = differing(compiled(text, wanted, tmp_path), wanted)
    assert all(kernel == [("union", (8, ()))] for _, kernel in different.values()), different


CONFIG = """
[targets]
arches = ["amd64", "arm64"]
[toolchain]
clang = "clang-19"
bpftool = "none"
[program."*"]
source = "bpf/*.c"
per_kernel = true
[program."tool-*"]
source = "libbpf-tools/*.bpf.c"
include = ["libbpf-tools"]
arches = ["amd64"]
# Plain clang-19 fails on these too: they need a newer libbpf than Debian 12 has.
exclude = [
  "libbpf-tools/bashreadline.bpf.c",
  "libbpf-tools/gethostlatency.bpf.c",
  "libbpf-tools/memleak.bpf.c",
  "libbpf-tools/sigsnoop.bpf.c",
]
"""
# Tools that need no newer kernel to compile: against each kernel's own types.
EACH = """
[program.each-NAME]
source = "libbpf-tools/NAME.bpf.c"
include = ["libbpf-tools"]
arches = ["amd64", "arm64"]
per_kernel = true
"""
OLD_ENOUGH = ("opensnoop", "execsnoop", "tcpconnect", "tcprtt", "vfsstat")
USES = """#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
struct seen { int version, pid, inode; } seen;
SEC("raw_tp/sched_switch") int look(void *ctx)
{
    struct task_struct *task = (void *)bpf_get_current_task();
    seen.version = LINUX_VERSION_CODE;
    seen.pid = BPF_CORE_READ(task, pid);
    seen.inode = sizeof(struct inode);
    return 0;
}
char LICENSE[] SEC("license") = "GPL";
"""


def test_programs_build_against_each(tmp_path: Path) -> None:
    """The repository's and some of libbpf-tools against every kernel, all of libbpf-tools against the newest; then with
    bpftool's header, which gives the same objects.
    """
    project = Project(tmp_path / "project")
    for folder in ("bpf", "include"):
        shutil.copytree(ROOT / folder, project.root / folder, dirs_exist_ok=True)
    project.write("bpf/look.c", USES)
    shutil.copytree(fetch.libbpf_tools(), project.root, dirs_exist_ok=True)
    text = CONFIG + "".join(EACH.replace("NAME", name) for name in OLD_ENOUGH)
    for series in SERIES:
        version = series if "." in series else f"{series}.0"
        text += f'[kernel."{series}"]\nupstream = "{version}"\nbtf = "{series}-{{arch}}.deb"\n'
        for arch in fetch.KERNEL_ARCHES:
            (project.root / f"{series}-{arch}.deb").symlink_to(fetch.kernel(series, arch))
    head = '[project]\nname = "kernels"\n[cache]\nlauncher = "none"\n[compile]\ninclude = ["include"]\n'
    project.write("build.toml", head + text)
    assert len(project.make()) > 100
    assert project.idle()
    first = project.objects()
    sources = sorted(path.stem for path in (project.root / "bpf").glob("*.c"))
    for source in sources:
        assert {f"{source}/{name}-{series}.bpf.o" for name in ("x86_bpfel", "arm64_bpfel") for series in SERIES} <= set(
            first
        )
    plan = json.loads((project.root / "out/.bpfgen/plan.json").read_text())
    flags = {each["kernel"]: each["flags"] for each in plan["objects"] if each["program"] == "look"}
    assert flags["5.10"] == ["-mcpu=v2", "-Wall", f"-DLINUX_VERSION_CODE={(5 << 16) + (10 << 8)}"]
    assert flags["6.12"] == ["-mcpu=v3", "-Wall", f"-DLINUX_VERSION_CODE={(6 << 16) + (12 << 8)}"]
    assert len({first[f"look/x86_bpfel-{series}.bpf.o"] for series in SERIES}) == len(SERIES)
    if platform.machine() == "x86_64":
        project.write("build.toml", head + text.replace('"none"', f'"{fetch.bpftool()}"', 1))
        project.bpfgen("--only", "look", "--only", "each-*")
        project.ninja()
        changed = {name: data for name, data in project.objects().items() if data != first[name]}
        assert [line for name, data in changed.items() for line in differences(first[name], data)] == []
