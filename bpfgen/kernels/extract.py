"""A kernel in any of the forms that it is shipped in → its BTF.

Each form is opened until BTF is there: a `.deb` has a vmlinuz, that has a packed ELF file, that has a section `.BTF`.
"""

from __future__ import annotations

import struct

from bpfgen.bpf.btf import Btf
from bpfgen.bpf.malformed import Malformed
from bpfgen.kernels.compressed import Unpacked, format_of
from bpfgen.kernels.elf import MAGIC as ELF
from bpfgen.kernels.elf import section
from bpfgen.kernels.held import Data, mapped, unpacked
from bpfgen.kernels.image import is_image, packed_parts, payload
from bpfgen.kernels.packages import kernel_in
from bpfgen.kernels.unusable import Unusable

RUNNING = "/sys/kernel/btf/vmlinux"
"""The types of the kernel that runs."""
BTF = (b"\x9f\xeb\x01", b"\xeb\x9f\x01")
DEPTH = 8
"""Forms within each other; a package has four."""
NO_BTF = "has no BTF: this kernel was built without CONFIG_DEBUG_INFO_BTF"
NO_BTF_HINT = "BTFHub's archive has types of such kernels; or name a vmlinux.h, or a debug package's vmlinux"


def kernel_btf(path: str) -> bytes:
    """The BTF of the kernel in a file. Raises Unusable and `OSError`."""
    return find_btf(mapped(path))


def find_btf(data: Data) -> bytes:
    """The BTF of a kernel, sound as far as `Btf` looks. Raises Unusable."""
    data = innermost(data)
    if data[:3] in BTF:
        return _sound(data)
    if data[:4] == ELF:
        return _in_elf(data)
    return _in_image(data)


def innermost(data: Data) -> Data:
    """What isn't packed any more: raw BTF, an ELF file, or anything else, such as an Image. Raises Unusable."""
    if not len(data):
        raise Unusable("is empty")
    for _ in range(DEPTH):
        if data[:3] in BTF or data[:4] == ELF:
            return data
        inner = kernel_in(data)
        part = payload(data) if inner is None else None
        if inner is not None:
            data = inner
        elif part and format_of(data, part[0]):
            data = unpacked(Unpacked(data, *part))
        elif part:
            data = data[part[0] : part[1]]
        elif format_of(data):
            data = unpacked(Unpacked(data))
        else:
            return data
    raise Unusable("has too many archives within each other")


def _in_elf(data: Data) -> bytes:
    found = section(data, ".BTF")
    if not found:
        raise Unusable(NO_BTF, NO_BTF_HINT)
    return _sound(found)


def _in_image(data: Data) -> bytes:
    """A plain Image is what an ELF file's sections are in memory, without their names: BTF is found by its header."""
    found = _scan(data)
    if found is not None:
        return found
    for inner in packed_parts(data):
        if inner[:4] == ELF:
            return _in_elf(inner)
        found = _scan(inner)
        if found is not None:
            return found
    if is_image(data):
        raise Unusable(NO_BTF, NO_BTF_HINT)
    hint = "it takes raw BTF, a vmlinux, a vmlinuz or Image, a .deb, an .rpm, an archive of BTFHub, or a vmlinux.h"
    raise Unusable("is no kernel, and has no BTF", hint)


def _scan(data: Data) -> bytes | None:
    for magic, order in zip(BTF, "<>"):
        at = data.find(magic)
        while at >= 0:
            found = _at(data, at, order)
            if found is not None:
                return found
            at = data.find(magic, at + 1)
    return None


def _at(data: Data, at: int, order: str) -> bytes | None:
    """The kernel's BTF, if it begins there: an Image can have small ones, of BPF programs of its own."""
    if at + 24 > len(data):
        return None
    flags, length, type_at, type_size, string_at, string_size = struct.unpack_from(f"{order}xxxBIIIII", data, at)
    if flags or length != 24 or type_at or type_size != string_at or type_size < SMALLEST:
        return None
    if at + length + string_at + string_size > len(data):
        return None
    try:
        return _cut(data[at : at + length + string_at + string_size])
    except Malformed:
        return None


SMALLEST = 64 << 10
"""Bytes of a kernel's types, at least."""


def _sound(data: Data) -> bytes:
    try:
        return _cut(data[:])
    except Malformed as error:
        raise Unusable(f"has damaged {error}") from None


def _cut(data: bytes) -> bytes:
    if len(Btf(data)) == 1:
        raise Malformed("BTF: there are no types in it")
    return data
