"""Kernel targets → edges of `bpfgen verify`."""

from __future__ import annotations

import gzip
import io
import re
import struct
import tarfile
from pathlib import Path

import pytest

from bpfgen import cli
from bpfgen.config.decode import decode
from bpfgen.config.report import Report
from bpfgen.config.schema import Config
from bpfgen.config.source import read_document
from bpfgen.kernels.boot import bootable, configuration, release_of
from bpfgen.kernels.unusable import Unusable
from bpfgen.matrix import expand
from bpfgen.sources import NamedProgram
from bpfgen.verify.modules import depends, plain
from bpfgen.verifying import cells, section

HEAD = """
[project]
name = "x"
[targets]
arches = ["amd64", "arm64"]
[program.a]
source = "a.c"
[program.a.load]
maps = { events = 8 }
[program.b]
source = "b.c"
arches = ["arm64"]
kernels = ["types"]
"""


def config(text: str) -> Config:
    """A decoded build.toml."""
    document = read_document("build.toml", (HEAD + text).encode())
    report = Report(document)
    found = decode(document.values, report)
    report.fail_if_any()
    return found


@pytest.mark.parametrize(
    ("kernel", "key", "source"),
    [
        ('btf = "k-{arch}.deb"', "btf", "k-arm64.deb"),
        ('btf = "boot/vmlinuz"', "btf", "boot/vmlinuz"),
        ('btf = "k.btf"\nimage = "Image-{arch}"', "image", "Image-arm64"),
        ('btf = "a.deb"\nimage = "b.deb"', "image", "b.deb"),
        ('btf = "k.btf"', "", ""),
        ('btf = "vmlinux.h"', "", ""),
        ('btf = "5.4.0.btf.tar.xz"', "", ""),
        ('btf = "/sys/kernel/btf/vmlinux"', "", ""),
        ('upstream = "5.10"', "", ""),
    ],
)
def test_what_boots(kernel: str, key: str, source: str) -> None:
    """The kernel is the image's, or that of a package; types alone are none."""
    found = config(f"[kernel.k]\n{kernel}\n[kernel.types]\nbtf = 'k.btf'\n")
    units = expand(found, [NamedProgram(name, name, (f"{name}.c",)) for name in ("a", "b")])
    rows = {(cell.kernel, cell.arch): (cell.key, cell.source) for cell in cells(found, units)}
    assert list(rows) == [("k", "amd64"), ("k", "arm64"), ("types", "amd64"), ("types", "arm64")]
    assert rows["k", "arm64"] == (key, source)
    assert rows["types", "arm64"] == ("", "")
    plan = section(found, units)
    assert plan["loads"] == {"a": {"maps": {"events": 8}, "attach": {}, "optional": (), "modules": (), "accept": {}}}
    assert [each["kernel"] for each in plan["kernels"]] == (["k", "k"] if key else [])


def elf(machine: int) -> bytes:
    """The head of an ELF file."""
    return b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 2, machine) + bytes(44)


ARM64 = bytes(0x38) + b"ARM\x64" + bytes(64)


@pytest.mark.parametrize(("data", "arch"), [(elf(62), "amd64"), (ARM64, "arm64")])
def test_bootable(data: bytes, arch: str) -> None:
    """An ELF file for amd64, an Image for arm64, as they are."""
    assert bootable(data, arch) == data


@pytest.mark.parametrize(
    ("data", "arch", "message"),
    [
        (b"", "amd64", "is empty"),
        (b"text", "amd64", "is no kernel"),
        (b"\x9f\xeb\x01\0" + bytes(20), "amd64", "has a kernel's types, and no kernel to boot"),
        (elf(183), "amd64", "is no kernel for amd64"),
        (ARM64, "amd64", "is in a form that no machine for amd64 boots"),
        (elf(183), "arm64", "is in a form that no machine for arm64 boots"),
    ],
)
def test_not_bootable(data: bytes, arch: str, message: str) -> None:
    """What no machine of that architecture starts is refused before one is tried."""
    with pytest.raises(Unusable, match=message):
        bootable(data, arch)


@pytest.mark.parametrize("note", [b"", struct.pack("<III4sI", 4, 4, 18, b"Xen", 0x1000000)])
def test_without_the_note(note: bytes) -> None:
    """qemu finds the start of an ELF file by its note: a kernel that has none boots as it is shipped."""
    kernel = gzip.compress(elf(62) + note)
    head = bytearray(1024)
    head[0x1F1], head[0x202:0x206] = 1, b"HdrS"
    head[0x248:0x250] = struct.pack("<II", 0, len(kernel))
    assert bootable(bytes(head) + kernel, "amd64")[:] == (elf(62) + note if note else bytes(head) + kernel)


def package(*names: str) -> bytes:
    """A tar archive of files whose contents are their names."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(name)
            archive.addfile(member, io.BytesIO(name.encode()))
    return made.getvalue()


def test_configuration() -> None:
    """It stands before the kernel in its package; a file that is no package has none."""
    assert (
        configuration(package("./boot/System.map-6.1", "./boot/config-6.1", "./boot/vmlinuz-6.1"))
        == b"./boot/config-6.1"
    )
    assert configuration(package("lib/modules/6.1/config", "lib/modules/6.1/vmlinuz")) == b"lib/modules/6.1/config"
    assert configuration(package("./boot/vmlinuz-6.1", "./usr/share/doc/config-6.1")) == b""
    assert configuration(ARM64) == b""


def test_release() -> None:
    """The banner says it."""
    assert release_of(b"\0\0Linux version 6.1.0-50-cloud-amd64 (debian-kernel@lists) #1\n") == "6.1.0-50-cloud-amd64"
    assert release_of(b"nothing") == ""


def test_modules() -> None:
    """Names of files and of modules differ in one letter; what is no ELF file depends on nothing."""
    assert plain("kernel/drivers/md/md-mod") == "md_mod"
    assert depends(elf(62)) == []


def test_commands_of_the_page() -> None:
    """Every command that the page shows is one."""
    page = Path(__file__).parents[2] / "docs" / "verify.md"
    lines = re.findall(r"^\$ (?:sudo )?bpfgen (verify.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) > 4
    for line in lines:
        assert cli.parse(line.split()).run
