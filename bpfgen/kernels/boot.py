"""A kernel in any of the forms that it is shipped in → the file that a machine boots: an ELF `vmlinux`, or an Image."""

from __future__ import annotations

import re

from bpfgen.kernels.elf import MAGIC as ELF
from bpfgen.kernels.extract import BTF, innermost
from bpfgen.kernels.held import Data
from bpfgen.kernels.image import is_image
from bpfgen.kernels.unusable import Unusable

HINT = "name a kernel's package, its vmlinuz, vmlinux or Image:  image = …"
NO_IMAGE = re.compile(r"\.(?:h|btf|json|btf\.tar\.\w+)$|^/sys/kernel/btf/")
"""Names of files that have a kernel's types and no kernel."""


def bootable(data: Data) -> Data:
    """The kernel in a file. Raises Unusable where there is none, or one of another kind."""
    inner = innermost(data)
    if inner[:3] in BTF:
        raise Unusable("has a kernel's types, and no kernel to boot", HINT)
    if inner[:4] != ELF and not is_image(inner):
        raise Unusable("is no kernel", HINT)
    return inner


def release_of(data: Data) -> str:
    """The version of a kernel as `uname -r` says it, by the banner in it; empty where none is found."""
    at = data.find(b"Linux version ")
    if at < 0:
        return ""
    return data[at + 14 : at + 142].split(b" ")[0].decode(errors="replace")
