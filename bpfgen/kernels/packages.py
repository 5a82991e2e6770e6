"""The kernel in a package: `.deb` (deb(5)), `.rpm` (the RPM package format), or any tar archive, such as BTFHub's."""

from __future__ import annotations

import re
import struct
import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Optional

from bpfgen.frozen import frozen
from bpfgen.kernels.compressed import Unpacked, format_of
from bpfgen.kernels.held import Data, Readable, unpacked
from bpfgen.kernels.unusable import Unusable

AR = b"!<arch>\n"
RPM = b"\xed\xab\xee\xdb"
WANTED = re.compile(r"(?:^|/)(?:vmlinu[xz](?:-[^/]*)?|Image(?:\.[a-z0-9]+)?|[^/]*\.btf)$")
"""Files that can have a kernel's types, by their paths in a package."""
UNWANTED = re.compile(r"(?:^|/)usr/(?:src|share)/|/(?:build|source)/")
NO_KERNEL = "has no kernel in it"
HINT = (
    "packages of modules, headers or names alone have none; in Debian it is linux-image-VERSION-ARCH, "
    "from Linux 6.19 on linux-binary-VERSION-ARCH"
)


@frozen
class Member:
    """A file in a package."""

    path: str
    data: Callable[[], Data]
    """Its contents, which can be had until the next member is asked for. Raises Unusable."""


def kernel_in(data: Data) -> Optional[Data]:
    """The first kernel of a package or archive; None where the file is none. Raises Unusable."""
    if not is_package(data):
        return None
    for member in members(data):
        if _wanted(member.path):
            return member.data()
    raise Unusable(NO_KERNEL, HINT)


def is_package(data: Data) -> bool:
    """Whether it is a `.deb`, an `.rpm` or a tar archive, which may be packed with nothing."""
    return data[:8] == AR or data[:4] == RPM or data[257:262] == b"ustar"


def members(data: Data) -> Iterator[Member]:
    """The files of a package that aren't empty. Raises Unusable, also where it is none."""
    if data[:8] == AR:
        return _deb(data)
    if data[:4] == RPM:
        return _rpm(data)
    if data[257:262] == b"ustar":
        return in_tar(_Whole(data))
    raise Unusable("is no package")


class _Whole:
    """Data that isn't packed, as a stream."""

    def __init__(self, data: Data, start: int = 0, end: Optional[int] = None) -> None:
        self._data, self._at, self._end = data, start, len(data) if end is None else end

    def read(self, size: int, /) -> bytes:
        part = self._data[self._at : min(self._at + size, self._end)]
        self._at += len(part)
        return part


def in_tar(stream: Readable) -> Iterator[Member]:
    """The files of a tar archive. Raises Unusable."""
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:  # type: ignore[call-overload]
            for member in archive:
                file = archive.extractfile(member) if member.isreg() and member.size else None
                if file is not None:
                    yield Member(member.name, partial(_from_tar, file))
    except TAR_ERRORS as error:
        raise Unusable(TAR_DAMAGE) from error


TAR_ERRORS = (tarfile.TarError, EOFError, ValueError, OverflowError)
TAR_DAMAGE = "is damaged: the archive in it can't be read"


def _from_tar(file: Readable) -> Data:
    try:
        return unpacked(file)
    except TAR_ERRORS as error:
        raise Unusable(TAR_DAMAGE) from error


def _wanted(path: str) -> bool:
    return WANTED.search(path) is not None and UNWANTED.search(path) is None


def _deb(data: Data) -> Iterator[Member]:
    """An ar archive, of which `data.tar` with some ending has the files."""
    at = len(AR)
    while at + 60 <= len(data):
        head = data[at : at + 60]
        size = head[48:58].strip()
        if head[58:60] != b"`\n" or not size.isdigit():
            break
        start, end = at + 60, at + 60 + int(size)
        if head.startswith(b"data.tar"):
            if end > len(data) or start == end:
                raise Unusable("is damaged: its files end beyond the package")
            return in_tar(_stream(data, start, end))
        at = end + (end & 1)
    if at < len(data):
        raise Unusable("is damaged: it is no sound Debian package")
    raise Unusable("is an empty package: it has no data.tar", "fetch it again")


def _stream(data: Data, start: int, end: int) -> Readable:
    return Unpacked(data, start, end) if format_of(data, start) else _Whole(data, start, end)


def _rpm(data: Data) -> Iterator[Member]:
    """A lead, the signature (whose size is rounded up to 8), the header, and a cpio archive."""
    try:
        at = _header_end(data, 96)
        at = _header_end(data, at + -at % 8)
    except struct.error:
        raise Unusable("is damaged: it is no sound RPM package") from None
    if at >= len(data):
        raise Unusable("is an empty package: it has no files", "fetch it again")
    return _cpio(_stream(data, at, len(data)))


def _header_end(data: Data, at: int) -> int:
    magic, entries, size = struct.unpack_from(">4s4xII", data, at)
    if magic[:3] != b"\x8e\xad\xe8":
        raise struct.error
    return int(at + 16 + 16 * entries + size)


def _cpio(stream: Readable) -> Iterator[Member]:
    """The "newc" format (cpio(5)): 13 numbers of 8 hexadecimal digits, the name, the contents, both padded to 4."""
    while len(head := _exactly(stream, 110)) == 110 and head.startswith((b"070701", b"070702")):
        try:
            mode, size, length = (int(head[6 + 8 * field : 14 + 8 * field], 16) for field in (1, 6, 11))
        except ValueError:
            break
        name = _exactly(stream, length + -(110 + length) % 4)[: length - 1].decode(errors="replace")
        if name == "TRAILER!!!":
            return
        contents = _Limited(stream, size)
        if size and mode & 0o170000 == 0o100000:
            yield Member(name, partial(_complete, contents))
        while contents.read(1 << 20):
            pass
        _exactly(stream, -size % 4)
    raise Unusable(TAR_DAMAGE)


class _Limited:
    """The next bytes of a stream."""

    def __init__(self, stream: Readable, left: int) -> None:
        self._stream, self.left = stream, left

    def read(self, size: int, /) -> bytes:
        block = self._stream.read(min(size, self.left))
        self.left -= len(block)
        return block


def _complete(contents: _Limited) -> Data:
    data = unpacked(contents)
    if contents.left:
        raise Unusable("is damaged: it ends within the kernel")
    return data


def _exactly(stream: Readable, size: int) -> bytes:
    """That many bytes, or less at the end."""
    parts = b""
    while len(parts) < size and (block := stream.read(size - len(parts))):
        parts += block
    return parts
