"""Bytes of a file without having them in memory: `mmap` for what is there, a temporary file for what is unpacked."""

from __future__ import annotations

import mmap
import tempfile
from typing import IO, Protocol, Union

from bpfgen.kernels.unusable import Unusable

Data = Union[bytes, mmap.mmap]
"""What can be sliced, searched, and read by `struct`."""
LIMIT = 4 << 30
"""Bytes of a kernel. The largest in use, a `vmlinux` with all of its DWARF, has about 1 GB."""
BLOCK = 1 << 20


class Readable(Protocol):
    """A stream."""

    def read(self, size: int, /) -> bytes:
        """Up to that many bytes; none at the end."""


def mapped(path: str) -> Data:
    """The bytes of a file. Raises `OSError`."""
    with open(path, "rb") as file:
        try:
            return _map(file)
        except (OSError, ValueError):  # empty, or one of /sys, which says another size than it has
            return file.read()


def unpacked(stream: Readable) -> Data:
    """All that a stream has; raises Unusable where that doesn't end."""
    with tempfile.TemporaryFile() as file:
        size = 0
        while block := stream.read(BLOCK):
            size += len(block)
            if size > LIMIT:
                raise Unusable(f"unpacks to more than {LIMIT >> 30} GiB")
            file.write(block)
        file.flush()
        return _map(file) if size else b""


def _map(file: IO[bytes]) -> mmap.mmap:
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
