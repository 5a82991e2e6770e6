"""`.BTF.ext`, what a loader knows of instructions (kernel: Documentation/bpf/btf.rst; libbpf's btf.c).

Each of its three parts is a record size and then, for each section of code, a name, a count and the records. Names and
types are those of `.BTF`.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from bpfgen.bpf.btf import MAGIC
from bpfgen.bpf.malformed import Malformed
from bpfgen.frozen import frozen

PARTS = {"func_info": "wr", "line_info": "wnnw", "core_relo": "wrnw"}
"""The words of a record, as in `btfrecords.LAYOUTS`; the first is the instruction's offset in bytes. Longer records
have more words, which the kernel wants to be 0."""
SHORT_HEADER, LONG_HEADER = 24, 32
"""Bytes of a header without and with CO-RE relocations."""


@frozen
class Block:
    """The records of one part for one section of code."""

    section: int
    """Where the section's name is in the string table of `.BTF`."""
    records: tuple[tuple[int, ...], ...]
    """Each as its words."""


@frozen
class BtfExt:
    """The blocks of each part of `PARTS`, in their order, and the header's version and flags."""

    version: int
    flags: int
    parts: dict[str, tuple[Block, ...]]


def read_btf_ext(data: bytes, order: str) -> BtfExt:
    """Reads a `.BTF.ext` section of the byte order of its `.BTF` (`<` or `>`); raises Malformed."""
    if len(data) < SHORT_HEADER:
        raise Malformed("BTF.ext: truncated header")
    magic, version, flags, length = Struct(f"{order}HBBI").unpack_from(data)
    if magic != MAGIC:
        raise Malformed("BTF.ext: wrong magic number")
    if not SHORT_HEADER <= length <= len(data):
        raise Malformed(f"BTF.ext: a header of {length} bytes")
    places = Struct(f"{order}IIIIII").unpack_from(data[: min(length, LONG_HEADER)].ljust(LONG_HEADER, b"\0"), 8)
    parts = {}
    for name, start, size in zip(PARTS, places[::2], places[1::2]):
        if length + start + size > len(data):
            raise Malformed(f"BTF.ext: {name} ends beyond the data")
        parts[name] = tuple(_blocks(data[length + start : length + start + size], order, name))
    return BtfExt(version, flags, parts)


def _blocks(data: bytes, order: str, part: str) -> Iterator[Block]:
    if not data:
        return
    head = Struct(f"{order}II")
    size = int.from_bytes(data[:4], "little" if order == "<" else "big")
    if size < 4 * len(PARTS[part]) or size % 4 or size > len(data):
        raise Malformed(f"BTF.ext: {part} has records of {size} bytes")
    row, at = Struct(f"{order}{size // 4}I"), 4
    while at < len(data):
        if at + head.size > len(data):
            raise Malformed(f"BTF.ext: {part} ends within a section")
        section, count = head.unpack_from(data, at)
        end = at + head.size + count * size
        if count == 0 or end > len(data):
            raise Malformed(f"BTF.ext: {part} has a section of {count} records")
        yield Block(section, tuple(row.iter_unpack(data[at + head.size : end])))
        at = end
