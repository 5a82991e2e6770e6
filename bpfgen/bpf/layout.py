"""Sizes, alignments and C names of BTF types."""

from __future__ import annotations

from bpfgen.bpf.btf import MAX_DEPTH, MODIFIERS, POINTER_SIZE, SIZED, Btf, Kind, Type
from bpfgen.bpf.malformed import Malformed

_KEYWORDS = {Kind.STRUCT: "struct ", Kind.UNION: "union ", Kind.ENUM: "enum ", Kind.ENUM64: "enum "}
_QUALIFIERS = {Kind.CONST: "const ", Kind.VOLATILE: "volatile "}
NODE_LIMIT = 10_000
"""Types whose alignment one object may ask for; `.kconfig` holds a handful of numbers and strings."""


def size_of(btf: Btf, number: int) -> int:
    """Bytes of a type, through typedefs, modifiers and arrays; raises Malformed where it has no size."""
    count = 1
    for _ in range(MAX_DEPTH):
        found = btf.type(number)
        if found.kind is Kind.PTR:
            return count * POINTER_SIZE
        if found.kind in SIZED:
            return count * found.size
        if found.kind is Kind.ARRAY:
            array = btf.array(found)
            count, number = count * array.length, array.type
        elif found.kind in MODIFIERS or found.kind in (Kind.TYPEDEF, Kind.VAR, Kind.DECL_TAG):
            number = found.target
        else:
            raise Malformed(f"BTF: type {number} ({found.kind.name}) has no size")
    raise Malformed(f"BTF: type {number} is made of itself")


class Alignments:
    """Alignments of types, each found once."""

    def __init__(self, btf: Btf) -> None:
        self._btf = btf
        self._known: dict[int, int] = {}

    def of(self, number: int, depth: int = MAX_DEPTH) -> int:
        """Bytes, 1 for a packed struct; raises Malformed where the type has none."""
        if depth == 0 or len(self._known) > NODE_LIMIT:
            raise Malformed(f"BTF: type {number} is made of itself")
        if number not in self._known:
            self._known[number] = self._find(self._btf.plain(number), depth - 1)
        return self._known[number]

    def _find(self, found: Type, depth: int) -> int:
        if found.kind in (Kind.PTR, Kind.INT, Kind.FLOAT, Kind.ENUM, Kind.ENUM64):
            return min(POINTER_SIZE, found.size or POINTER_SIZE)
        if found.kind is Kind.ARRAY:
            return self.of(self._btf.array(found).type, depth)
        if found.kind not in (Kind.STRUCT, Kind.UNION):
            raise Malformed(f"BTF: type {found.id} ({found.kind.name}) has no alignment")
        widest = 1
        for member in self._btf.members(found):
            align = self.of(member.type, depth)
            widest = max(widest, align)
            if member.size == 0 and member.offset % (8 * align):
                return 1
        return 1 if found.size % widest else widest


def c_name(btf: Btf, number: int) -> str:
    """The type as C writes it (`struct flow`, `__u64[4]`, `const char *`); empty where a part has no name."""
    suffix = ""
    qualifiers = ""
    for _ in range(MAX_DEPTH):
        found = btf.type(number)
        if found.kind is Kind.ARRAY:
            array = btf.array(found)
            suffix, number = f"{suffix}[{array.length}]", array.type
        elif found.kind is Kind.PTR:
            inner = _target_name(btf, found.target)
            return f"{inner} *{qualifiers.strip()}{suffix}" if inner else ""
        elif found.kind in MODIFIERS:
            qualifiers, number = qualifiers + _QUALIFIERS.get(found.kind, ""), found.target
        elif not found.name:
            return ""
        else:
            return f"{qualifiers}{_KEYWORDS.get(found.kind, _forward(found))}{found.name}{suffix}"
    return ""


def _target_name(btf: Btf, number: int) -> str:
    """The C name of what a pointer points to; empty for functions, arrays and pointers to pointers."""
    found = btf.plain(number)
    return "" if found.kind in (Kind.PTR, Kind.ARRAY, Kind.FUNC_PROTO) else c_name(btf, number)


def _forward(found: Type) -> str:
    if found.kind is not Kind.FWD:
        return ""
    return "union " if found.flag else "struct "
