"""The types of a kernel as C has to write them: decoded all at once, with sizes, alignments and names that C accepts.

A kernel has 100,000 to 200,000 types; an object for each would take longer than the header itself. So they are lists.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bpfgen.bpf.btf import Btf, Kind
from bpfgen.bpf.btfgraph import Strings
from bpfgen.bpf.malformed import Malformed

COMPOSITE = frozenset({Kind.STRUCT, Kind.UNION})
ENUMS = frozenset({Kind.ENUM, Kind.ENUM64})
QUALIFIERS = {Kind.CONST: "const", Kind.VOLATILE: "volatile", Kind.RESTRICT: "restrict"}
_CHAINED = frozenset({*QUALIFIERS, Kind.TYPE_TAG, Kind.TYPEDEF})
_LONGS = frozenset({"long unsigned int", "unsigned long", "long int", "long"})
"""How GCC and clang call the integer that is as wide as a pointer."""

Member = tuple[str, int, int, int]
"""Name, type, offset in bits, bits of a bit-field or 0."""


class Types:
    """Lists by id; 0 is void. `last` is a size or a type, `own` the words of the kind's own data (linux/btf.h)."""

    def __init__(self, btf: Btf) -> None:
        """Raises Malformed where a type names a string or a type that isn't there."""
        self._strings = Strings(btf.strings)
        self.kinds: list[Kind] = [Kind.VOID]
        self.names: list[str] = [""]
        self.flags: list[bool] = [False]
        self.last: list[int] = [0]
        self.own: list[tuple[int, ...]] = [()]
        self.words = len(btf.words)
        """Of all records."""
        kinds = tuple(Kind)
        for name, info, last, *own in btf.records():
            self.kinds.append(kinds[info >> 24 & 0x1F])
            self.names.append(self.text(name))
            self.flags.append(bool(info >> 31))
            self.last.append(last)
            self.own.append(tuple(own))
        self.pointer = next((self.last[i] for i, name in enumerate(self.names) if self._is_long(i, name)), 8)
        """Bytes of a pointer."""
        self._sizes: dict[int, int] = {}
        self._aligns: dict[int, int] = {}
        self._packed: dict[int, bool] = {}

    def __len__(self) -> int:
        return len(self.kinds)

    def _is_long(self, number: int, name: str) -> bool:
        return name in _LONGS and self.kinds[number] is Kind.INT and self.last[number] in (4, 8)

    def text(self, offset: int) -> str:
        """A string, as a C identifier where it is a name."""
        return self._strings[offset].decode(errors="backslashreplace")

    def kind(self, number: int) -> Kind:
        """The kind of a type; raises Malformed where there is no such type."""
        if number >= len(self.kinds):
            raise Malformed(f"BTF: no type {number}")
        return self.kinds[number]

    def members(self, number: int) -> Sequence[Member]:
        """The members of a struct or union."""
        own, text = self.own[number], self.text
        rows = zip(own[::3], own[1::3], own[2::3])
        if self.flags[number]:  # the upper 8 bits of the offset are the size of a bit-field
            return [(text(name), kind, place & 0xFFFFFF, place >> 24) for name, kind, place in rows]
        return [(text(name), kind, *self._place(kind, place)) for name, kind, place in rows]

    def _place(self, number: int, offset: int) -> tuple[int, int]:
        """Offset and bits of a member as it was written before Linux 5.0: a bit-field is an integer of fewer bits."""
        plain = self.plain(number)
        if self.kinds[plain] is Kind.INT:
            bits, shift = self.own[plain][0] & 0xFF, self.own[plain][0] >> 16 & 0xFF
            if bits != 8 * self.last[plain]:
                return offset + shift, bits
        return offset, 0

    def plain(self, number: int) -> int:
        """The type without typedefs, qualifiers and tags."""
        for _ in range(len(self.kinds)):
            if self.kind(number) not in _CHAINED:
                return number
            number = self.last[number]
        raise Malformed(f"BTF: type {number} is made of itself")

    def size(self, number: int) -> int:
        """Bytes; 0 of what has none."""
        if number not in self._sizes:
            plain = self.plain(number)
            kind = self.kinds[plain]
            if kind is Kind.PTR:
                size = self.pointer
            elif kind is Kind.ARRAY:
                size = self.own[plain][2] * self.size(self.own[plain][0])
            else:
                size = self.last[plain] if kind in _SIZED else 0
            self._sizes[number] = size
        return self._sizes[number]

    def align(self, number: int) -> int:
        """Bytes that a member of this type is aligned to where nothing says otherwise, as written here."""
        if number not in self._aligns:
            plain = self.plain(number)
            kind = self.kinds[plain]
            if kind is Kind.ARRAY:
                align = self.align(self.own[plain][0])
            elif kind in COMPOSITE:
                align = 1 if self.packed(plain) else self._widest(plain)
            else:
                align = min(max(self.size(plain), 1), 16 if kind is Kind.INT else self.pointer)
            self._aligns[number] = align
        return self._aligns[number]

    def _widest(self, number: int) -> int:
        return max((self.align(member[1]) for member in self.members(number)), default=1)

    def packed(self, number: int) -> bool:
        """Whether a struct or union has a layout that C only gives to packed ones."""
        if number not in self._packed:
            self._packed[number] = self._find_packed(number)
        return self._packed[number]

    def _find_packed(self, number: int) -> bool:
        for _, kind, offset, bits in self.members(number):
            unit = 8 * (self.size(kind) if bits else self.align(kind)) or 8
            if offset % unit + bits > (unit if bits else 0):  # a bit-field lies within one unit of its type
                return True
        return self.last[number] % self._widest(number) != 0


_SIZED = COMPOSITE | ENUMS | {Kind.INT, Kind.FLOAT}


def identifier(name: str) -> str:
    """A name that C accepts: other languages' have more letters."""
    return name if name.isidentifier() and name.isascii() else re.sub(r"\W|^(?=\d)", "_", name, flags=re.ASCII)
