"""Types as CO-RE relocations look at them: without typedefs, by the names of their members; each found once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bpfgen.bpf.btf import Array, Btf, Kind, Type
from bpfgen.bpf.layout import size_of
from bpfgen.bpf.malformed import Malformed

ENUMS = frozenset({Kind.ENUM, Kind.ENUM64})
COMPOSITES = frozenset({Kind.STRUCT, Kind.UNION})
SIGNED = 1
"""`BTF_INT_SIGNED` of an int's encoding."""
MAX_NESTED = 64
"""libbpf's BPF_CORE_SPEC_MAX_LEN: structs without a name in each other."""


class Place(NamedTuple):
    """Where a member with a name is in a struct or union."""

    steps: tuple[tuple[int, int], ...]
    """The struct and the index of its member, through those without a name; the last one is the member itself."""
    bits: int
    """From the struct's beginning."""
    type: int
    size: int
    """Bits of a bitfield, or 0."""
    last: bool
    """Whether it is the last member of what has it, so that it may be an array of any length."""


class Shapes:
    """The types of one BTF section; raises Malformed where one that is asked for is damaged."""

    def __init__(self, btf: Btf) -> None:
        self.btf = btf
        self._plain: dict[int, Type] = {}
        self._sizes: dict[int, int] = {}
        self._members: dict[int, Mapping[str, Place]] = {}

    def plain(self, number: int) -> Type:
        """The type without typedefs, `const` and the like."""
        found = self._plain.get(number)
        if found is None:
            found = self._plain[number] = self.btf.plain(number)
        return found

    def size(self, number: int) -> int:
        """Bytes."""
        if number not in self._sizes:
            self._sizes[number] = size_of(self.btf, number)
        return self._sizes[number]

    def members(self, owner: Type) -> Mapping[str, Place]:
        """The members of a struct or union that have a name, those of structs without one among them."""
        if owner.id not in self._members:
            found: dict[str, Place] = {}
            for name, place in self._walk(owner, (), 0, set()):
                found.setdefault(name, place)
            self._members[owner.id] = found
        return self._members[owner.id]

    def _walk(
        self, owner: Type, steps: tuple[tuple[int, int], ...], bits: int, seen: set[int]
    ) -> Iterator[tuple[str, Place]]:
        seen.add(owner.id)
        if len(steps) > MAX_NESTED:
            raise Malformed(f"BTF: type {owner.id} has too many structs without a name in each other")
        for index, member in enumerate(self.btf.members(owner)):
            way, at = (*steps, (owner.id, index)), bits + member.offset
            if member.name:
                yield member.name, Place(way, at, member.type, member.size, index == owner.items - 1)
                continue
            inner = self.plain(member.type)
            if inner.kind in COMPOSITES and inner.id not in seen:
                yield from self._walk(inner, way, at, seen)

    def array(self, owner: Type) -> Array:
        """Element type and length of an array."""
        return self.btf.array(owner)

    def is_signed(self, found: Type) -> bool:
        """Whether an enum or an int is signed; other types aren't."""
        if found.kind is Kind.INT:
            return bool(self.btf.own_words(found)[0] >> 24 & SIGNED)
        return found.kind in ENUMS and found.flag

    def int_offset(self, found: Type) -> int:
        """The offset in bits of an int, as old compilers wrote bitfields."""
        return self.btf.own_words(found)[0] >> 16 & 0xFF


def described(found: Type) -> str:
    """A type in a sentence: `a struct`, `an int`."""
    words = {Kind.PTR: "a pointer", Kind.INT: "an int", Kind.ENUM: "an enum", Kind.ENUM64: "an enum",
             Kind.ARRAY: "an array", Kind.FWD: "a declaration without members", Kind.VOID: "void",
             Kind.FUNC_PROTO: "a function"}  # fmt: skip
    return words.get(found.kind, f"a {found.kind.name.lower()}")
