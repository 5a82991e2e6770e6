"""BTF, the BPF Type Format (kernel: Documentation/bpf/btf.rst): types by id, decoded when they are asked for.

One pass notes where each type begins, so a kernel's BTF of 150,000 types opens without decoding them.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from bpfgen.bpf.btfrecords import KINDS, MODIFIERS, SIZED, TAILS, TAILS_PER_ITEM, Kind, starts_of, words_of
from bpfgen.bpf.malformed import Malformed
from bpfgen.frozen import frozen

__all__ = [
    "MAGIC",
    "MAX_DEPTH",
    "MODIFIERS",
    "POINTER_SIZE",
    "SIZED",
    "Array",
    "Btf",
    "Entry",
    "Kind",
    "Member",
    "Type",
    "Value",
]

MAGIC = 0xEB9F
HEADER_SIZE = 24
POINTER_SIZE = 8
NAME_LIMIT = 512
"""Bytes of a name: the kernel's KSYM_NAME_LEN. Unlimited, damage could give every type one huge name."""
MAX_DEPTH = 32
"""Types on the way from one type to its size or name, as libbpf's MAX_RESOLVE_DEPTH; more is a loop."""


@frozen
class Type:
    """One type: the three words that every kind has; `Btf` reads the rest."""

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
    """Where the kind's own words begin in `Btf.words`."""


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
class Value:
    """A value of an enum."""

    name: str
    number: int


@frozen
class Entry:
    """A place in a data section."""

    type: Type
    """A VAR or a FUNC."""
    offset: int
    """Bytes from the section's beginning; 0 in a relocatable object where the variable is global."""
    size: int


@frozen
class Array:
    """`type[length]`"""

    type: int
    length: int


class Btf:
    """The types of one `.BTF` section or raw BTF file, in either byte order."""

    def __init__(self, data: bytes, base: Btf | None = None) -> None:
        """Raises Malformed where the header or a type record breaks the format.

        `strings` is the string table, and `order` the byte order as `struct` writes it. A kernel module's types go on
        where those of `base`, the kernel's, end: smaller ids and offsets of strings are the base's ("split BTF").
        """
        self.order = _order(data)
        head = Struct(f"{self.order}IIIII")
        if len(data) < HEADER_SIZE:
            raise Malformed("BTF: truncated header")
        length, type_at, type_size, string_at, string_size = head.unpack_from(data, 4)
        if length < HEADER_SIZE or max(type_at + type_size, string_at + string_size) + length > len(data):
            raise Malformed("BTF: a section ends beyond the data")
        self.strings = data[length + string_at : length + string_at + string_size]
        self.base = base
        self._first_string: int = base.string_end if base is not None else 0
        self.string_end: int = self._first_string + len(self.strings)
        """The first offset beyond the strings of the base and its own."""
        self.first = len(base) if base is not None else 1
        """The id of the first type that is its own."""
        self.words = words_of(data[length + type_at : length + type_at + type_size], self.order)
        """The records of its own types, one after another, in words of 32 bits."""
        self.starts = starts_of(self.words, self.first)
        """Where each of its own types begins in `words`."""
        self._sections: dict[str, int] | None = None

    def __len__(self) -> int:
        """Types, with void and the base's, so that ids are below it."""
        return self.first + len(self.starts)

    def __iter__(self) -> Iterator[Type]:
        """Every type of its own, by id; void is none."""
        return map(self.type, range(self.first, len(self)))

    def type(self, number: int) -> Type:
        """The type of that id; raises Malformed where there is none."""
        if number == 0:
            return Type(0, Kind.VOID, "void", 0, False, 0, 0, 0)
        if self.base is not None and 0 < number < self.first:
            return self.base.type(number)
        if not 0 < number < len(self):
            raise Malformed(f"BTF: no type {number}")
        start = self.starts[number - self.first]
        info, last = self.words[start + 1], self.words[start + 2]
        kind = KINDS[info >> 24 & 0x1F]
        size, target = (last, 0) if kind in SIZED else (0, last)
        name = self.text(self.words[start])
        return Type(number, kind, name, info & 0xFFFF, bool(info >> 31), size, target, start + 3)

    def records(self) -> Iterator[tuple[int, ...]]:
        """Every type of its own, by id, as the words of its record: name, info, size or target, `own_words`."""
        words = self.words.tolist()
        return (tuple(words[start:end]) for start, end in zip(self.starts, [*self.starts[1:], len(words)]))

    def data_section(self, name: str) -> Type | None:
        """The DATASEC of an ELF section; the first one where there are several."""
        if self._sections is None:
            self._sections = {}
            for number, start in enumerate(self.starts, self.first):
                if self.words[start + 1] >> 24 & 0x1F == Kind.DATASEC:
                    self._sections.setdefault(self.text(self.words[start]), number)
        found = self._sections.get(name)
        return None if found is None else self.type(found)

    def members(self, owner: Type) -> tuple[Member, ...]:
        """The members of a struct or union."""
        return tuple(self._members(owner, 0, owner.items))

    def member(self, owner: Type, index: int) -> Member:
        """One member; the index is below `owner.items`."""
        (found,) = self._members(owner, index, 1)
        return found

    def _members(self, owner: Type, index: int, count: int) -> Iterator[Member]:
        for name, number, offset in self._items(owner, 3, index, count):
            if owner.flag:  # the upper 8 bits of the offset are the size of a bitfield
                yield Member(self.text(name), number, offset & 0xFFFFFF, offset >> 24)
            else:
                yield Member(self.text(name), number, offset)

    def parameters(self, prototype: Type) -> tuple[Member, ...]:
        """The parameters of a FUNC_PROTO; the last one has no name and is void where it takes more (`…`)."""
        return tuple(
            Member(self.text(name), target, 0) for name, target in self._items(prototype, 2, 0, prototype.items)
        )

    def values(self, owner: Type) -> tuple[Value, ...]:
        """The values of an enum, of 32 or 64 bits, signed where it is."""
        return tuple(self._values(owner, 0, owner.items))

    def value(self, owner: Type, index: int) -> Value:
        """One value; the index is below `owner.items`."""
        (found,) = self._values(owner, index, 1)
        return found

    def _values(self, owner: Type, index: int, count: int) -> Iterator[Value]:
        bits, width = (32, 2) if owner.kind is Kind.ENUM else (64, 3)
        for name, low, *high in self._items(owner, width, index, count):
            number = low | high[0] << 32 if high else low
            yield Value(self.text(name), number - (1 << bits) if owner.flag and number >> (bits - 1) else number)

    def entries(self, section: Type) -> tuple[Entry, ...]:
        """What a data section holds: VARs, and FUNCs that are declared in it."""
        return tuple(
            Entry(self.type(number), offset, size) for number, offset, size in self._items(section, 3, 0, section.items)
        )

    def variables(self, section: Type) -> tuple[Member, ...]:
        """The variables of a data section; `type` is the variable's own type, past its VAR."""
        entries = (each for each in self.entries(section) if each.type.kind is Kind.VAR)
        return tuple(Member(each.type.name, each.type.target, each.offset, each.size) for each in entries)

    def linkage(self, variable: Type) -> int:
        """Of a VAR or a FUNC: 0 for static, 1 for global, 2 for extern."""
        owner = self._owner(variable)
        return variable.items if variable.kind is Kind.FUNC else owner.words[variable.at]

    def is_static(self, section: Type) -> bool:
        """Whether every variable of a data section is `static`, so that no loader may map it."""
        entries = (each.type for each in self.entries(section) if each.type.kind is Kind.VAR)
        return all(self.linkage(variable) == 0 for variable in entries)

    def array(self, owner: Type) -> Array:
        """Element type and length of an array."""
        element, _index, length = self.own_words(owner)
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
        """The 32-bit words after the three that every kind has: encodings, linkage, items."""
        size = TAILS[owner.kind] + TAILS_PER_ITEM[owner.kind] * owner.items
        return tuple(self._owner(owner).words[owner.at : owner.at + size])

    def text(self, offset: int, limit: int = NAME_LIMIT) -> str:
        """The string at that offset of the string table; raises Malformed where none begins there, or one that has
        `limit` bytes or more.
        """
        if self.base is not None and offset < self._first_string:
            return self.base.text(offset, limit)
        start = offset - self._first_string
        end = self.strings.find(b"\0", start, start + limit)
        if end < 0:
            raise Malformed(f"BTF: no string at {offset}")
        return self.strings[start:end].decode(errors="backslashreplace")

    def _items(self, owner: Type, width: int, index: int, count: int) -> Iterator[tuple[int, ...]]:
        """Items of a type from `index` on, each of `width` words."""
        first = owner.at + width * index
        rows = self._owner(owner).words[first : first + width * count]
        return zip(*(rows[column::width] for column in range(width)))

    def _owner(self, found: Type) -> Btf:
        """The section that has the words of a type: this one, or its base."""
        return self if self.base is None or found.id >= self.first else self.base._owner(found)


def _order(data: bytes) -> str:
    for order, little in (("<", True), (">", False)):
        if int.from_bytes(data[:2], "little" if little else "big") == MAGIC:
            return order
    raise Malformed("BTF: wrong magic number")
