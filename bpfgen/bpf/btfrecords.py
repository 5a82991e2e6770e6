"""The records of BTF: which kinds of types there are, and where each record begins."""

from __future__ import annotations

import sys
from array import array
from enum import IntEnum

from bpfgen.bpf.malformed import Malformed


class Kind(IntEnum):
    """`BTF_KIND_…` of linux/btf.h."""

    VOID = 0
    INT = 1
    PTR = 2
    ARRAY = 3
    STRUCT = 4
    UNION = 5
    ENUM = 6
    FWD = 7
    TYPEDEF = 8
    VOLATILE = 9
    CONST = 10
    RESTRICT = 11
    FUNC = 12
    FUNC_PROTO = 13
    VAR = 14
    DATASEC = 15
    FLOAT = 16
    DECL_TAG = 17
    TYPE_TAG = 18
    ENUM64 = 19


KINDS = tuple(Kind)
"""By number; a call of `Kind` takes five times as long as a look-up."""
MODIFIERS = frozenset({Kind.VOLATILE, Kind.CONST, Kind.RESTRICT, Kind.TYPE_TAG})
SIZED = frozenset({Kind.INT, Kind.STRUCT, Kind.UNION, Kind.ENUM, Kind.DATASEC, Kind.FLOAT, Kind.ENUM64})
"""Kinds whose third word is a size in bytes; that of the others is a type id."""
ITEMS = frozenset({Kind.STRUCT, Kind.UNION, Kind.ENUM, Kind.FUNC_PROTO, Kind.DATASEC, Kind.ENUM64})
"""Kinds that have `vlen` items."""
LAYOUTS = {
    Kind.INT: "w",
    Kind.ARRAY: "rrw",
    Kind.STRUCT: "nrw",
    Kind.UNION: "nrw",
    Kind.ENUM: "nw",
    Kind.FUNC_PROTO: "nr",
    Kind.VAR: "w",
    Kind.DATASEC: "rww",
    Kind.DECL_TAG: "w",
    Kind.ENUM64: "nww",
}
"""The 32-bit words after the three that every kind has, for each item where there are some: `n`ame, `r`eference to a
type, any other `w`ord."""
REFERRING = frozenset(Kind) - SIZED - {Kind.VOID, Kind.ARRAY, Kind.FWD}
"""Kinds whose third word is a type id."""
_TAIL = {kind: len(words) for kind, words in LAYOUTS.items() if kind not in ITEMS}
"""Words after the common three, by kind …"""
_TAIL_PER_ITEM = {kind: len(words) for kind, words in LAYOUTS.items() if kind in ITEMS}
"""… and for each of the `vlen` items."""
TAILS = [_TAIL.get(kind, 0) for kind in Kind]
TAILS_PER_ITEM = [_TAIL_PER_ITEM.get(kind, 0) for kind in Kind]


def words_of(types: bytes, order: str) -> array[int]:
    """A type section as words of 32 bits; raises Malformed."""
    if len(types) % 4:
        raise Malformed("BTF: a type ends beyond the types")
    words = array("I", types)
    if (order == "<") != (sys.byteorder == "little"):
        words.byteswap()
    return words


def starts_of(words: array[int], first: int) -> list[int]:
    """Where each type begins; `first` is the id of the first one. Raises Malformed.

    A kernel has 150,000 types, so the length of a record is worked out once for each `info`.
    """
    starts: list[int] = []
    lengths: dict[int, int] = {}
    at, end = 0, len(words)
    while at < end:
        starts.append(at)
        info = words[at + 1] if at + 1 < end else 0
        if info not in lengths:
            kind, items = info >> 24 & 0x1F, info & 0xFFFF
            if at + 3 > end:
                raise Malformed("BTF: a type ends beyond the types")
            if not 0 < kind <= Kind.ENUM64:
                raise Malformed(f"BTF: type {first + len(starts) - 1} is of the unknown kind {kind}")
            lengths[info] = 3 + TAILS[kind] + TAILS_PER_ITEM[kind] * items
        at += lengths[info]
    if at != end:
        raise Malformed("BTF: a type ends beyond the types")
    return starts
