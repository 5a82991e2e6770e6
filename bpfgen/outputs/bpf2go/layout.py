"""BTF types → Go types of the same layout, by the rules of cilium/ebpf's btf/format.go.

Padding is explicit, so a type has its size on every architecture. What Go has no word for becomes bytes: bit-fields,
all members of a union but the first, and integers of 16 bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bpfgen.bpf.btf import MAX_DEPTH, MODIFIERS, Btf, Kind, Member, Type
from bpfgen.bpf.layout import size_of
from bpfgen.bpf.malformed import Malformed
from bpfgen.outputs.bpf2go.gotypes import ArrayOf, Field, GoType, Plain, StructOf
from bpfgen.outputs.bpf2go.identifiers import identifier, is_name

SIGNED, CHAR, BOOL = 1, 2, 4
"""`BTF_INT_…`"""
HOST_LAYOUT = Field("_", Plain("structs.HostLayout"))
FIELD_LIMIT = 100_000
"""Fields of one declaration: structs in structs are written out, and damage could double them 32 times."""
_WORDS = {1: "int8", 2: "int16", 4: "int32", 8: "int64"}


class Unsupported(Exception):
    """A type that bpf2go has no Go type for either; says which and why."""


class Layouts:
    """Go types of one object's BTF types."""

    def __init__(self, btf: Btf, names: Mapping[int, str], *, host_layout: bool) -> None:
        """`names` are the Go names of types, by id, that others refer to instead of repeating them."""
        self._btf = btf
        self._names = names
        self._head = (HOST_LAYOUT,) if host_layout else ()
        self._fields = 0

    def declared(self, number: int) -> GoType:
        """What stands behind the name in the declaration of a type; raises `Unsupported`, and Malformed."""
        self._fields = 0
        return self._literal(unqualified(self._btf, number), 0)

    def constants(self, number: int) -> tuple[tuple[str, int], ...]:
        """The values of an enum by their C names; none of a typedef to one."""
        found = unqualified(self._btf, number)
        if found.kind not in (Kind.ENUM, Kind.ENUM64):
            return ()
        words = self._btf.own_words(found)
        size = 3 if found.kind is Kind.ENUM64 else 2
        rows = (words[at : at + size] for at in range(0, len(words), size))
        return tuple((self._btf.text(name), _value(parts, found.flag)) for name, *parts in rows)

    def _type(self, number: int, depth: int) -> GoType:
        found = unqualified(self._btf, number)
        name = self._names.get(found.id)
        return Plain(name) if name else self._literal(found, depth)

    def _literal(self, found: Type, depth: int) -> GoType:
        if depth >= MAX_DEPTH:
            raise Unsupported("is nested too deep")
        if found.kind is Kind.INT:
            return _integer(found, self._btf.own_words(found)[0])
        if found.kind in (Kind.ENUM, Kind.ENUM64):
            return Plain(_word(found.size, signed=found.flag))
        if found.kind is Kind.TYPEDEF:
            return self._type(found.target, depth + 1)
        if found.kind is Kind.ARRAY:
            array = self._btf.array(found)
            return ArrayOf(array.length, self._type(array.type, depth + 1))
        if found.kind is Kind.STRUCT:
            return self._struct(found.size, self._btf.members(found), depth + 1)
        if found.kind is Kind.UNION:
            return self._struct(found.size, self._btf.members(found)[:1], depth + 1)
        raise Unsupported(f"is a {_SAID.get(found.kind, found.kind.name.lower())}")

    def _struct(self, size: int, members: Sequence[Member], depth: int) -> StructOf:
        fields, end, skipped = list(self._head), 0, ""
        self._fields += len(members)
        if self._fields > FIELD_LIMIT:
            raise Unsupported(f"has more than {FIELD_LIMIT} fields")
        for member in members:
            if member.size:
                skipped = "unsupported bitfield"
                continue
            at = member.offset // 8
            fields += _padding(at - end, skipped)
            end = at + size_of(self._btf, member.type)
            if end > size:
                raise Unsupported(f"has a member {member.name} that ends beyond it")
            fields += self._member(member, depth)
        return StructOf((*fields, *_padding(size - end)))

    def _member(self, member: Member, depth: int) -> Iterator[Field]:
        if member.size or member.offset % 8:
            raise Unsupported(f"has a bit-field {member.name} as the first member of a union without a name")
        if member.name:
            name = identifier(member.name)
            if not is_name(name):
                raise Unsupported(f"has a member {member.name}, which is no name in Go")
            try:
                yield Field(name, self._type(member.type, depth))
            except Unsupported as error:
                raise Unsupported(f"has a member {member.name} that {error}") from None
            return
        union = self._btf.type(member.type)
        if union.kind is not Kind.UNION:
            raise Unsupported("has a struct without a name in it")
        if depth >= MAX_DEPTH:
            raise Unsupported("is nested too deep")
        for first in self._btf.members(union)[:1]:
            yield from self._member(first, depth + 1)
            yield from _padding(union.size - size_of(self._btf, first.type))


_SAID = {
    Kind.PTR: "pointer",
    Kind.FLOAT: "floating-point number",
    Kind.FUNC_PROTO: "function",
    Kind.FWD: "type that the object only declares",
}


def unqualified(btf: Btf, number: int) -> Type:
    """The type without `const` and the like, but with typedefs; raises Malformed on a loop."""
    for _ in range(MAX_DEPTH):
        found = btf.type(number)
        if found.kind not in MODIFIERS:
            return found
        number = found.target
    raise Malformed(f"BTF: type {number} is made of itself")


def _padding(size: int, comment: str = "") -> list[Field]:
    return [Field("_", ArrayOf(size, Plain("byte", comment)))] if size > 0 else []


def _integer(found: Type, word: int) -> Plain:
    encoding = word >> 24
    if encoding == BOOL and found.size == 1:
        return Plain("bool")
    if encoding not in (0, SIGNED) and not (encoding == CHAR and found.size == 1):
        raise Unsupported(f"is the integer {found.name} of {found.size} bytes")
    if found.size > 8:
        return Plain(f"[{found.size}]byte", f"{'int' if encoding == SIGNED else 'uint'}{8 * found.size}")
    return Plain(_word(found.size, signed=encoding == SIGNED))


def _word(size: int, *, signed: bool) -> str:
    if size not in _WORDS:
        raise Unsupported(f"is of {size} bytes")
    return _WORDS[size] if signed else f"u{_WORDS[size]}"


def _value(parts: Sequence[int], signed: bool) -> int:
    """A value from its words, the lower one first."""
    bits = 32 * len(parts)
    value = sum(part << 32 * index for index, part in enumerate(parts))
    return value - (1 << bits) if signed and value >> (bits - 1) else value
