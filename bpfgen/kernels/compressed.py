"""What kernels and packages are packed with. gzip, bzip2, xz and lzma are Python's own; zstd is from Python 3.14 on."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Optional

from bpfgen.kernels.held import BLOCK, Data
from bpfgen.kernels.unusable import Unusable

MAGIC: Mapping[str, bytes] = {
    "gzip": b"\x1f\x8b\x08",
    "xz": b"\xfd7zXZ\0",
    "zstd": b"\x28\xb5\x2f\xfd",
    "bzip2": b"BZh",
    "lz4": b"\x02\x21\x4c\x18",
    "lz4 frame": b"\x04\x22\x4d\x18",
    "lzma": b"\x5d\0\0",
    "lzop": b"\x89LZO\0\r\n\x1a\n",
}
"""How each format begins. `lz4` is its legacy format, which is the kernel's."""
ZSTD_PART = 4 << 10
"""Bytes that are unpacked at a time: at most 32,000 times as many come out."""
LZ4_BLOCK = 8 << 20
"""Bytes of an unpacked block of that format (lz4_Frame_format.md, "Legacy frame")."""
LZ4_MOST = LZ4_BLOCK + LZ4_BLOCK // 255 + 16
"""Bytes of a packed one, at most (lz4.h, `LZ4_COMPRESSBOUND`)."""


def format_of(data: Data, at: int = 0) -> Optional[str]:
    """The format that begins there."""
    head = data[at : at + 9]
    return next((name for name, magic in MAGIC.items() if head.startswith(magic)), None)


class Unpacked:
    """A stream of what is packed in a part of `data`; what stands behind the packed stream is left out.

    `read` raises Unusable where it is damaged, or needs a library that isn't installed.
    """

    def __init__(self, data: Data, start: int = 0, end: Optional[int] = None) -> None:
        name = format_of(data, start)
        if name is None:
            raise Unusable("is packed in a way that isn't known")
        self._name = name
        self._blocks = _READERS[name](data, start, len(data) if end is None else end)
        self._block, self._at = b"", 0

    def read(self, size: int, /) -> bytes:
        """Up to that many bytes; none at the end."""
        try:
            while self._at == len(self._block):
                self._block, self._at = next(self._blocks), 0
        except StopIteration:
            return b""
        except (zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, RuntimeError) as error:
            raise Unusable(f"is damaged: its {self._name} data can't be unpacked") from error
        taken = self._block[self._at : self._at + size]
        self._at += len(taken)
        return taken


def _parts(data: Data, start: int, end: int) -> Iterator[bytes]:
    return iter(partial(_Part(data, start, end).read, BLOCK), b"")


def _gzip(data: Data, start: int, end: int) -> Iterator[bytes]:
    engine = zlib.decompressobj(wbits=31)
    for part in _parts(data, start, end):
        rest = part
        while rest and not engine.eof:
            yield engine.decompress(rest, BLOCK)
            rest = engine.unconsumed_tail
        if engine.eof:
            return
    raise EOFError


def _by(make: Callable[[], Any]) -> Callable[[Data, int, int], Iterator[bytes]]:
    """A reader with an object such as `lzma.LZMADecompressor`."""

    def read(data: Data, start: int, end: int) -> Iterator[bytes]:
        engine = make()
        for part in _parts(data, start, end):
            yield engine.decompress(part, BLOCK)
            while not engine.needs_input and not engine.eof:
                yield engine.decompress(b"", BLOCK)
            if engine.eof:
                return
        raise EOFError

    return read


def _zstd(data: Data, start: int, end: int) -> Iterator[bytes]:
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        yield from _zstandard(data, start, end)
        return
    try:
        yield from _by(zstd.ZstdDecompressor)(data, start, end)
    except zstd.ZstdError as error:
        raise ValueError from error


def _zstandard(data: Data, start: int, end: int) -> Iterator[bytes]:
    try:
        import zstandard
    except ImportError:
        raise _missing("zstd") from None
    # Its reader of streams stumbles over what stands behind the packed one. Small parts bound what one gives.
    engine = zstandard.ZstdDecompressor().decompressobj()
    try:
        for part in iter(partial(_Part(data, start, end).read, ZSTD_PART), b""):
            yield engine.decompress(part)
            if engine.eof:
                return
    except zstandard.ZstdError as error:
        raise ValueError from error
    raise EOFError


class _Part:
    """A part of the data as a stream."""

    def __init__(self, data: Data, start: int, end: int) -> None:
        self._data, self._at, self._end = data, start, end

    def read(self, size: int, /) -> bytes:
        part = self._data[self._at : min(self._at + size, self._end)]
        self._at += len(part)
        return part


def _lz4(data: Data, start: int, end: int) -> Iterator[bytes]:
    try:
        import lz4.block
    except ImportError:
        raise _missing("lz4") from None
    first = at = start + len(MAGIC["lz4"])
    while at + 4 < end:
        size = int.from_bytes(data[at : at + 4], "little")
        if not 0 < size <= LZ4_MOST and at > first:
            return  # what stands behind the last block has no mark
        if not 0 < size <= min(LZ4_MOST, end - at - 4):
            raise EOFError
        try:
            yield lz4.block.decompress(data[at + 4 : at + 4 + size], uncompressed_size=LZ4_BLOCK)
        except lz4.block.LZ4BlockError as error:
            raise ValueError from error
        at += 4 + size


def _lz4_frame(data: Data, start: int, end: int) -> Iterator[bytes]:
    try:
        import lz4.frame
    except ImportError:
        raise _missing("lz4") from None
    yield from _by(lz4.frame.LZ4FrameDecompressor)(data, start, end)


def _lzop(_data: Data, _start: int, _end: int) -> Iterator[bytes]:
    raise Unusable("is packed by LZO, which bpfgen can't unpack", "unpack it with lzop, and name what comes out")
    yield b""


def _missing(name: str) -> Unusable:
    return Unusable(f"is packed by {name}, which this Python can't unpack", "run  pip install 'bpfgen[kernels]'")


_READERS: Mapping[str, Callable[[Data, int, int], Iterator[bytes]]] = {
    "gzip": _gzip,
    "xz": _by(lzma.LZMADecompressor),
    "lzma": _by(lzma.LZMADecompressor),
    "bzip2": _by(bz2.BZ2Decompressor),
    "zstd": _zstd,
    "lz4": _lz4,
    "lz4 frame": _lz4_frame,
    "lzop": _lzop,
}
