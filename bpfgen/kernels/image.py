"""A kernel as machines boot it: where the kernel itself lies, packed, within the code that unpacks it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Optional

from bpfgen.kernels.compressed import MAGIC, Unpacked, format_of
from bpfgen.kernels.held import Data, unpacked
from bpfgen.kernels.unusable import Unusable

Part = tuple[int, int]
"""Where something begins and ends."""


def payload(data: Data) -> Optional[Part]:
    """The packed kernel of an x86 bzImage or of an EFI zboot image; None of another file. Raises Unusable."""
    part = _bzimage(data) or _zboot(data)
    if part and (part[1] > len(data) or part[0] >= part[1]):
        raise Unusable("is damaged: the kernel in it ends beyond the file")
    return part


def _bzimage(data: Data) -> Optional[Part]:
    """Documentation/arch/x86/boot.rst: the payload's place counts from the end of the set-up code."""
    if data[0x202:0x206] != b"HdrS" or len(data) < 0x250:
        return None
    sectors = data[0x1F1] or 4
    offset, length = struct.unpack_from("<II", data, 0x248)
    start = (sectors + 1) * 512 + offset
    return start, start + length


def _zboot(data: Data) -> Optional[Part]:
    """drivers/firmware/efi/libstub/zboot-header.S"""
    if data[:2] != b"MZ" or data[4:8] != b"zimg" or len(data) < 16:
        return None
    start, length = struct.unpack_from("<II", data, 8)
    return start, start + length


def is_image(data: Data) -> bool:
    """Whether it is a plain Image of arm64, riscv or loongarch (Documentation/arch/arm64/booting.rst)."""
    return data[0x38:0x3C] in (b"ARM\x64", b"RSC\x05") or (data[:2] == b"MZ" and data[8:16] != bytes(8))


def packed_parts(data: Data) -> Iterator[Data]:
    """What can be unpacked from anywhere within an image, as scripts/extract-vmlinux of the kernel looks for it."""
    for name in ("gzip", "xz", "zstd", "bzip2", "lz4", "lzma"):
        at = data.find(MAGIC[name])
        tries = 0
        while at >= 0 and tries < TRIES:
            if format_of(data, at) == name:
                tries += 1
                try:
                    yield unpacked(Unpacked(data, at))
                except Unusable as error:
                    if error.hint:  # a library is missing, which may be all that is
                        raise
            at = data.find(MAGIC[name], at + 1)


TRIES = 16
"""Places that look like the beginning of a format, before it is given up."""
