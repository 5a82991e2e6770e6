"""A kernel in any of the forms that it is shipped in → the file that a machine boots: an ELF `vmlinux`, or an Image."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping

from bpfgen.kernels.elf import MAGIC as ELF
from bpfgen.kernels.extract import BTF, innermost
from bpfgen.kernels.held import Data
from bpfgen.kernels.image import is_image
from bpfgen.kernels.packages import WANTED, is_package, kernel_in, members
from bpfgen.kernels.unusable import Unusable

HINT = "name a kernel's package, its vmlinuz, vmlinux or Image:  image = …"
NO_IMAGE = re.compile(r"\.(?:h|btf|json|btf\.tar\.\w+)$|^/sys/kernel/btf/")
"""Names of files that have a kernel's types and no kernel."""


def bootable(data: Data, arch: str) -> Data:
    """The kernel in a file, as qemu boots it. Raises Unusable where there is none, or one of another kind."""
    while is_package(data):
        found = kernel_in(data)
        assert found is not None  # as a package
        data = found
    inner = innermost(data)
    if inner[:3] in BTF:
        raise Unusable("has a kernel's types, and no kernel to boot", HINT)
    elf, image = inner[:4] == ELF, is_image(inner)
    if not elf and not image:
        raise Unusable("is no kernel", HINT)
    if elf and arch in ELF_MACHINES and inner[18:20] != ELF_MACHINES[arch]:
        raise Unusable(f"is no kernel for {arch}", OTHER)
    if image and arch in IMAGES and inner[0x38:0x3C] != IMAGES[arch]:
        raise Unusable(f"is no kernel for {arch}", OTHER)
    if (elf and arch in IMAGES) or (image and arch not in IMAGES):
        raise Unusable(f"is in a form that no machine for {arch} boots", HINT)
    # Without the note qemu takes no ELF file: then the kernel unpacks itself, which takes seconds where it is emulated.
    if elf and data[0x202:0x206] == BZIMAGE and all(inner.find(note) < 0 for note in PVH):
        return data
    return inner


BZIMAGE = b"HdrS"
"""Documentation/arch/x86/boot.rst"""
PVH = tuple(struct.pack("<III4s", 4, size, 18, b"Xen") for size in (4, 8))
"""XEN_ELFNOTE_PHYS32_ENTRY (xen/interface/elfnote.h): where a kernel that isn't packed starts."""


ELF_MACHINES: Mapping[str, bytes] = {"amd64": b"\x3e\0", "arm64": b"\xb7\0"}
"""`e_machine` of elf.h."""
IMAGES: Mapping[str, bytes] = {"arm64": b"ARM\x64"}
"""Architectures whose kernels boot as an Image, and its magic (Documentation/arch/arm64/booting.rst)."""
OTHER = "write {arch} in its path where there is a file for each architecture"


def release_of(data: Data) -> str:
    """The version of a kernel as `uname -r` says it, by the banner in it; empty where there is none."""
    at = data.find(BANNER)
    return data[at + len(BANNER) : at + 200].split(b" ")[0].decode(errors="replace") if at >= 0 else ""


BANNER = b"Linux version "
"""init/version.c"""


def configuration(data: Data) -> bytes:
    """The configuration of the kernel in a package, which stands before it there; empty where there is none, or no
    package. Raises Unusable.
    """
    for member in members(data) if is_package(data) else ():
        if CONFIG.search(member.path):
            return member.data()[:]
        if WANTED.search(member.path):
            break
    return b""


CONFIG = re.compile(r"(?:^|/)(?:boot/config-[^/]+|lib/modules/[^/]+/config)$")
