"""What tells two builds of a program apart that print the same version, and is the same on every host."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator

PT_NOTE, NT_GNU_BUILD_ID = 4, 3


def fingerprint(paths: Iterable[str]) -> str:
    """One word for the contents of program files and libraries; raises `OSError`."""
    together = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            data = file.read(1 << 16)
            # Linkers hash what they wrote: no need to read 200 MB of LLVM again.
            build = next(_build_ids(data), b"")
            if not build:
                together.update(data)
                while data := file.read(1 << 20):
                    together.update(data)
            together.update(build)
    return together.hexdigest()[:32]


def _build_ids(data: bytes) -> Iterator[bytes]:
    """GNU build ids in the first bytes of a 64-bit little-endian ELF file (elf(5), "Notes"); none of anything else."""
    if data[:6] != b"\x7fELF\x02\x01" or len(data) < 64:
        return
    start, size, count = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
    for place in range(start, start + size * count, size or 1):
        if place + 56 > len(data) or struct.unpack_from("<I", data, place)[0] != PT_NOTE:
            continue
        offset, length = struct.unpack_from("<Q", data, place + 8)[0], struct.unpack_from("<Q", data, place + 32)[0]
        notes = data[offset : offset + length]
        while len(notes) >= 12:
            name, described, kind = struct.unpack_from("<III", notes)
            body = 12 + -(-name // 4) * 4
            if kind == NT_GNU_BUILD_ID and notes[12 : 12 + name] == b"GNU\0" and len(notes) >= body + described:
                yield notes[body : body + described]
            notes = notes[body + -(-described // 4) * 4 :]
