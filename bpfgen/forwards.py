"""The forward declarations at the end of BTF, in one order.

clang's BPF target adds one for each struct that only pointers name, when all other types are there, and goes over them
by their addresses in its memory (llvm/lib/Target/BPF/BTFDebug.h, `FixupDerivedTypes`). So their order depends on how
long the paths on its command line are: one source gives other bytes in another folder. Here they are sorted by name.
Nothing else moves: their records have one size, their names are the last strings, and only types without members of
their own (pointers, qualifiers, typedefs) can refer to them.

On the path of compile edges: `struct` is all that this imports.
"""

from __future__ import annotations

import struct

PTR, ARRAY, STRUCT, UNION, FWD, TYPEDEF, VOLATILE, CONST, RESTRICT, FUNC, PROTO = 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13
INT, ENUM, VAR, DATASEC, DECL_TAG, TYPE_TAG, ENUM64 = 1, 6, 14, 15, 17, 18, 19
KINDS = range(INT, ENUM64 + 1)
FIXED = {INT: 1, ARRAY: 3, VAR: 1, DECL_TAG: 1}
"""Words behind the three of a type (linux/btf.h)."""
EACH = {STRUCT: 3, UNION: 3, ENUM: 2, PROTO: 2, DATASEC: 3, ENUM64: 3}
"""Words behind them for each member."""
MEMBER_TYPE = {STRUCT: 1, UNION: 1, PROTO: 1, DATASEC: 0}
"""Which word of a member is a type."""
REFERS = {PTR, TYPEDEF, VOLATILE, CONST, RESTRICT, FUNC, PROTO, VAR, DECL_TAG, TYPE_TAG}
"""Kinds whose third word is a type, and no size."""
HEADER, EXT_HEADER, CORE_RECORD = 24, 32, 16


def in_order(btf: bytes, ext: bytes, order: str) -> bytes:
    """`.BTF` with its last forward declarations by name; as it is where it isn't what clang writes.

    `ext` is `.BTF.ext`, or empty; `order` is `<` or `>`. Raises struct.error for damaged bytes.
    """
    if len(btf) < HEADER:
        return btf
    size, types_at, types_size, strings_at, strings_size = struct.unpack_from(f"{order}5I", btf, 4)
    types, strings = size + types_at, size + strings_at
    if types_size % 4 or types + types_size > strings or strings + strings_size != len(btf):
        return btf
    words = list(struct.unpack_from(f"{order}{types_size // 4}I", btf, types))
    tail = Tail(words) if _ends_with_two(words) else None
    names = Names(words[tail.begin :: 3], btf[strings:], tail.named) if tail and tail.movable else None
    if tail is None or names is None or not names.movable or _is_core_root(ext, order, tail.number):
        return btf
    tail.sort(names)
    data = struct.pack(f"{order}{len(words)}I", *words)
    return btf[:types] + data + btf[types + len(data) : strings + names.place] + names.last


def _ends_with_two(words: list[int]) -> bool:
    """Whether it may be so; most objects are done with here."""
    return len(words) >= 6 and all(words[at] >> 24 & 31 == FWD for at in (-2, -5))


class Tail:
    """The last forward declarations among the words of all types."""

    def __init__(self, words: list[int]) -> None:
        self.words = words
        self.begin = self.number = 0
        """The first one's word, and its number as a type."""
        self.movable = False
        """Whether there are such, and nothing refers to them that can't."""
        self.named = 0
        """The last string that anything before them is called by."""
        self._references: list[int] = []
        members, names = [0], [0]
        at, number = 0, 1
        while at + 3 <= len(words):
            info = words[at + 1]
            kind = info >> 24 & 31
            if kind not in KINDS:
                return
            if kind != FWD:
                self.begin = 0
                names.append(words[at])
            elif not self.begin:
                self.begin, self.number = at, number
            if kind in REFERS:
                self._references.append(at + 2)
            end = at + 3 + FIXED.get(kind, 0) + EACH.get(kind, 0) * (info & 0xFFFF)
            if kind in MEMBER_TYPE:
                members.append(max(words[at + 3 + MEMBER_TYPE[kind] : end : EACH[kind]], default=0))
            if kind in EACH and kind != DATASEC:
                names.append(max(words[at + 3 : end : EACH[kind]], default=0))
            elif kind == ARRAY:
                members += words[at + 3 : at + 5]
            at, number = end, number + 1
        self.named = max(names)
        self.movable = at == len(words) and self.begin > 0 and max(members) < self.number

    def sort(self, names: Names) -> None:
        """Puts them in the order of their names, and has all that refers to them follow."""
        words, begin, number = self.words, self.begin, self.number
        records = [words[at : at + 3] for at in range(begin, len(words), 3)]
        placed = sorted(range(len(records)), key=lambda old: (names.texts[old], records[old][1]))
        moved = {number + old: number + new for new, old in enumerate(placed)}
        for at in self._references:
            words[at] = moved.get(words[at], words[at])
        names.sort(placed)
        words[begin:] = [word for old in placed for word in (names.offsets[old], *records[old][1:])]


class Names:
    """The names of these declarations; those that no type before them has are the last strings, one after another."""

    def __init__(self, offsets: list[int], strings: bytes, named: int) -> None:
        self.offsets = offsets
        self.texts = [strings[offset : strings.find(b"\0", offset)] for offset in offsets]
        self.place = len(strings)
        """Where the last strings begin."""
        self._own = [False] * len(offsets)
        for index in reversed(range(len(offsets))):
            size = len(self.texts[index]) + 1
            if named < offsets[index] == self.place - size:
                self._own[index] = True
                self.place -= size
        self.last = strings[self.place :]
        """The last strings; empty where others have all these names too, as members called like their types."""
        self.movable = not any(offset > self.place for offset, own in zip(offsets, self._own) if not own)
        """Whether the names lie so."""

    def sort(self, placed: list[int]) -> None:
        """Puts the last strings in this order."""
        self.last = b""
        for index in placed:
            if self._own[index]:
                self.offsets[index] = self.place + len(self.last)
                self.last += self.texts[index] + b"\0"


def _is_core_root(ext: bytes, order: str, number: int) -> bool:
    """Whether a CO-RE relocation begins at a type from `number` on (linux/bpf.h, `struct bpf_core_relo`)."""
    if len(ext) < EXT_HEADER:
        return False
    (size,) = struct.unpack_from(f"{order}I", ext, 4)
    place, length = struct.unpack_from(f"{order}2I", ext, 24)
    if size < EXT_HEADER or not length:
        return False
    at, end = size + place + 4, size + place + length
    while at < end:
        (count,) = struct.unpack_from(f"{order}I", ext, at + 4)
        records = struct.iter_unpack(f"{order}4I", ext[at + 8 : at + 8 + CORE_RECORD * count])
        if any(record[1] >= number for record in records):
            return True
        at += 8 + CORE_RECORD * count
    return False
