"""BTF, the BPF Type Format (kernel: Documentation/bpf/btf.rst): types by id, decoded when they are asked for.

One pass notes where each type begins, so a kernel's BTF of 150,000 types opens without decoding them.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from struct import Struct

from bpfgen.bpf.malformed import Malformed
from bpfgen.frozen import frozen

MAGIC = 0xEB9F
HEADER_SIZE = 24
POINTER_SIZE = 8
NAME_LIMIT = 512
"""Bytes of a name: the kernel's KSYM_NAME_LEN. Unlimited, damage could give every type one huge name."""
MAX_DEPTH = 32
"""Types on the way from one type to its size or name, as libbpf's MAX_RESOLVE_DEPTH; more is a loop."""


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


MODIFIERS = frozenset({Kind.VOLATILE, Kind.CONST, Kind.RESTRICT, Kind.TYPE_TAG})
SIZED = frozenset({Kind.INT, Kind.STRUCT, Kind.UNION, Kind.ENUM, Kind.DATASEC, Kind.FLOAT, Kind.ENUM64})
"""Kinds whose third word is a size in bytes; that of the others is a type id."""
_TAIL = {Kind.INT: 4, Kind.ARRAY: 12, Kind.VAR: 4, Kind.DECL_TAG: 4}
"""Bytes after the common 12, by kind …"""
_TAIL_PER_ITEM = {
    Kind.STRUCT: 12,
    Kind.UNION: 12,
    Kind.ENUM: 8,
    Kind.FUNC_PROTO: 8,
    Kind.DATASEC: 12,
    Kind.ENUM64: 12,
}
"""… and for each of the `vlen` items."""
_RECORD = {"<": Struct("<III"), ">": Struct(">III")}


@frozen
class Type:
    """One type: the 12 bytes that every kind has; `Btf` reads the rest."""

    id: int
    kind: Kind
    name: str
    items: int
    """`vlen`: members, values, parameters or variables."""
    flag: bool
    """`kind_flag`: bitfields in a struct, a signed enum, a union in a forward declaration."""
    size: int
    """Bytes; 0 where the kind has no size of its own."""
    target: int
    """The id of the type that this one is made of; 0 (void) where the kind has none."""
    at: int
    """Where the kind's own data begins in the type section."""


@frozen
class Member:
    """A member of a struct or union, or a variable of a data section (whose places are in bytes)."""

    name: str
    type: int
    offset: int
    """Bits, of a struct or union."""
    size: int = 0
    """Bits of a bitfield, or 0."""


@frozen
class Array:
    """`type[length]`"""

    type: int
    length: int


class Btf:
    """The types of one `.BTF` section or raw BTF file, in either byte order."""

    def __init__(self, data: bytes) -> None:
        """Raises Malformed where the header or a type record breaks the format.

        `strings` is the string table, and `order` the byte order as `struct` writes it.
        """
        self.order = _order(data)
        head = Struct(f"{self.order}IIIII")
        if len(data) < HEADER_SIZE:
            raise Malformed("BTF: truncated header")
        length, type_at, type_size, string_at, string_size = head.unpack_from(data, 4)
        if length < HEADER_SIZE or max(type_at + type_size, string_at + string_size) + length > len(data):
            raise Malformed("BTF: a section ends beyond the data")
        self._types = data[length + type_at : length + type_at + type_size]
        self.strings = data[length + string_at : length + string_at + string_size]
        self._record = _RECORD[self.order]
        self._starts = self._index()
        self._sections: dict[str, int] | None = None

    def __len__(self) -> int:
        """Types, with void, so that ids are below it."""
        return len(self._starts)

    def __iter__(self) -> Iterator[Type]:
        """Every type but void, by id."""
        return map(self.type, range(1, len(self)))

    def type(self, number: int) -> Type:
        """The type of that id; raises Malformed where there is none."""
        if not 0 <= number < len(self._starts):
            raise Malformed(f"BTF: no type {number}")
        if number == 0:
            return Type(0, Kind.VOID, "void", 0, False, 0, 0, 0)
        start = self._starts[number]
        name, info, last = self._record.unpack_from(self._types, start)
        kind = Kind(info >> 24 & 0x1F)
        sized = kind in SIZED
        size, target = (last, 0) if sized else (0, last)
        return Type(number, kind, self.text(name), info & 0xFFFF, bool(info >> 31), size, target, start + 12)

    def records(self) -> Iterator[tuple[int, ...]]:
        """Every type but void, by id, as the 32-bit words of its record: name, info, size or target, `own_words`."""
        words = Struct(f"{self.order}{len(self._types) // 4}I").unpack(self._types)
        ends = [start // 4 for start in (*self._starts[1:], len(self._types))]
        return (words[start:end] for start, end in zip(ends, ends[1:]))

    def data_section(self, name: str) -> Type | None:
        """The DATASEC of an ELF section; the first one where there are several."""
        if self._sections is None:
            self._sections = {}
            for each in self:
                if each.kind is Kind.DATASEC:
                    self._sections.setdefault(each.name, each.id)
        number = self._sections.get(name)
        return None if number is None else self.type(number)

    def members(self, owner: Type) -> tuple[Member, ...]:
        """The members of a struct or union."""
        rows = (self._record.unpack_from(self._types, owner.at + 12 * item) for item in range(owner.items))
        if owner.flag:  # the upper 8 bits of the offset are the size of a bitfield
            return tuple(Member(self.text(n), t, offset & 0xFFFFFF, offset >> 24) for n, t, offset in rows)
        return tuple(Member(self.text(name), target, offset) for name, target, offset in rows)

    def variables(self, section: Type) -> tuple[Member, ...]:
        """The variables of a data section; `type` is the variable's own type, past its VAR."""
        found = []
        for item in range(section.items):
            number, offset, size = self._record.unpack_from(self._types, section.at + 12 * item)
            variable = self.type(number)
            if variable.kind is Kind.VAR:  # clang also lists the FUNCs of a section of kernel functions
                found.append(Member(variable.name, variable.target, offset, size))
        return tuple(found)

    def is_static(self, section: Type) -> bool:
        """Whether every variable of a data section is `static` (linkage 0), so that no loader may map it."""
        for item in range(section.items):
            variable = self.type(self._record.unpack_from(self._types, section.at + 12 * item)[0])
            if variable.kind is Kind.VAR and self._types[variable.at : variable.at + 4] != bytes(4):
                return False
        return True

    def array(self, owner: Type) -> Array:
        """Element type and length of an array."""
        element, _index, length = self._record.unpack_from(self._types, owner.at)
        return Array(element, length)

    def plain(self, number: int) -> Type:
        """The type without typedefs, `const` and the like; raises Malformed on a loop."""
        for _ in range(MAX_DEPTH):
            found = self.type(number)
            if found.kind is not Kind.TYPEDEF and found.kind not in MODIFIERS:
                return found
            number = found.target
        raise Malformed(f"BTF: type {number} is made of itself")

    def own_words(self, owner: Type) -> tuple[int, ...]:
        """The 32-bit words after the 12 bytes that every kind has: encodings, linkage, items."""
        size = _TAILS[owner.kind] + _TAILS_PER_ITEM[owner.kind] * owner.items
        return Struct(f"{self.order}{size // 4}I").unpack_from(self._types, owner.at)

    def text(self, offset: int) -> str:
        """The string at that offset of the string table; raises Malformed where none begins there, or a huge one."""
        end = self.strings.find(b"\0", offset, offset + NAME_LIMIT)
        if end < 0:
            raise Malformed(f"BTF: no string at {offset}")
        return self.strings[offset:end].decode(errors="backslashreplace")

    def _index(self) -> list[int]:
        """Where each type begins; the first entry stands for void."""
        starts, at, unpack = [0], 0, self._record.unpack_from
        while at < len(self._types):
            if at + 12 > len(self._types):
                raise Malformed("BTF: a type ends beyond the types")
            starts.append(at)
            info = unpack(self._types, at)[1]
            kind, items = info >> 24 & 0x1F, info & 0xFFFF
            if not 0 < kind <= Kind.ENUM64:
                raise Malformed(f"BTF: type {len(starts) - 1} is of the unknown kind {kind}")
            at += 12 + _TAILS[kind] + _TAILS_PER_ITEM[kind] * items
        if at != len(self._types):
            raise Malformed("BTF: a type ends beyond the types")
        return starts


_TAILS = [_TAIL.get(kind, 0) for kind in Kind]
_TAILS_PER_ITEM = [_TAIL_PER_ITEM.get(kind, 0) for kind in Kind]


def _order(data: bytes) -> str:
    for order, little in (("<", True), (">", False)):
        if int.from_bytes(data[:2], "little" if little else "big") == MAGIC:
            return order
    raise Malformed("BTF: wrong magic number")
