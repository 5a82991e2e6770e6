"""CO-RE relocations: what an instruction wants to know of the kernel's types, with the names of what it wants.

An access string such as `0:2:1` leads from the root type to what is meant (linux/bpf.h, struct bpf_core_relo): an
element of it, then a member or an element at each step. Read as libbpf's bpf_core_parse_spec does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bpfgen.bpf.btf import Btf, Kind, Type
from bpfgen.bpf.btfext import BtfExt
from bpfgen.bpf.layout import size_of
from bpfgen.bpf.malformed import Malformed
from bpfgen.frozen import frozen

CORE_KINDS = (
    "byte offset",
    "byte size",
    "existence",
    "sign",
    "left shift",
    "right shift",
    "local type id",
    "target type id",
    "type existence",
    "type size",
    "enum value existence",
    "enum value",
    "type match",
)
"""`enum bpf_core_relo_kind` of linux/bpf.h."""
FIELD_KINDS = frozenset(range(6))
LOCAL, TARGET = 6, 7
"""`BPF_CORE_TYPE_ID_LOCAL` and `…_TARGET`: the number of a type, which is no part of what a program means."""
ENUM_KINDS = frozenset({10, 11})
EXISTENCE_KINDS = frozenset({2, 8, 10, 12})
"""Kinds that give 1 or 0, whatever the kernel has."""
MAX_STEPS = 64
"""libbpf's BPF_CORE_SPEC_MAX_LEN"""
MAX_LETTERS = 1 << 21
"""Of all different paths of an object: damage could make each record one of 30,000 letters."""
_FLAVOUR = re.compile(r"(.*[^_])___[^_]", re.DOTALL)


@frozen
class Step:
    """One step of an access that has a name, or an index into an array."""

    type: int
    """The struct, union or enum whose member or value it is, or the type of the elements."""
    index: int
    """Of the member, value or element."""
    name: str
    """Of the member or value; empty for an element."""


@frozen
class Access:
    """A way through a type."""

    root: int
    steps: tuple[Step, ...]
    """The first one is the element of the root, or the value of an enum; members without a name are left out."""
    bits: int
    """Where it leads, in bits from the root's beginning; 0 where it is no field."""
    path: str
    """`task_struct.mm.owner`, `sk_buff.cb[4]`, `bpf_func_id.BPF_FUNC_loop`."""


@frozen
class CoreRelocation:
    """One record of `.BTF.ext`."""

    section: str
    """The section of code, with a leading `?`."""
    slot: int
    """The instruction's, in that section."""
    kind: int
    """An index into `CORE_KINDS`, or a number beyond."""
    string: str
    """The access string."""
    access: Access

    @property
    def kind_name(self) -> str:
        """In words."""
        return CORE_KINDS[self.kind] if self.kind < len(CORE_KINDS) else f"kind {self.kind}"


def core_relocations(btf: Btf, ext: BtfExt) -> Iterator[CoreRelocation]:
    """Every relocation, by section and instruction as they are there; raises Malformed."""
    known: dict[tuple[int, int, int], tuple[str, Access]] = {}  # a program asks for one field again and again
    left = MAX_LETTERS
    for block in ext.parts["core_relo"]:
        section = btf.text(block.section)
        for offset, root, string_at, kind, *_more in block.records:
            if offset % 8:
                raise Malformed(f"BTF.ext: a relocation of {section} is at {offset:#x}, within an instruction")
            key = (root, string_at, kind)
            if key not in known:
                string = btf.text(string_at)
                known[key] = (string, read_access(btf, root, string, kind))
                left -= len(known[key][1].path)
                if left < 0:
                    raise Malformed("BTF.ext: its relocations are too long")
            yield CoreRelocation(section, offset // 8, kind, *known[key])


def essential_name(name: str) -> str:
    """The name without its flavour: `task_struct___old` → `task_struct` (libbpf's bpf_core_essential_name_len)."""
    found = _FLAVOUR.match(name)
    return found[1] if found else name


def read_access(btf: Btf, root: int, string: str, kind: int) -> Access:
    """What an access string means for a type; raises Malformed where it doesn't fit."""
    name = btf.type(root).name or "(anon)"
    if kind not in FIELD_KINDS and kind not in ENUM_KINDS:
        if string != "0":
            raise Malformed(f"BTF.ext: a relocation of the type {name} has the access string {string!r}")
        return Access(root, (), 0, name)
    indices = _indices(string)
    found = btf.plain(root)
    if kind in ENUM_KINDS:
        return _enum_value(btf, root, indices, name)
    if found.kind not in (Kind.STRUCT, Kind.UNION) and len(indices) == 1:
        return Access(root, (Step(found.id, indices[0], ""),), 8 * indices[0] * size_of(btf, found.id), name)
    return _field(btf, root, found, indices)


def _indices(string: str) -> list[int]:
    words = string.split(":")
    if len(words) > MAX_STEPS or not all(word.isascii() and word.isdigit() and len(word) <= 10 for word in words):
        raise Malformed(f"BTF.ext: {string!r} is no access string")
    return [int(word) for word in words]


def _enum_value(btf: Btf, root: int, indices: list[int], name: str) -> Access:
    found = btf.plain(root)
    if found.kind not in (Kind.ENUM, Kind.ENUM64) or len(indices) != 1 or indices[0] >= found.items:
        raise Malformed(f"BTF.ext: a relocation asks for a value that {name} doesn't have")
    value = btf.value(found, indices[0]).name
    return Access(root, (Step(found.id, indices[0], value),), 0, f"{name}.{value}")


def _field(btf: Btf, root: int, found: Type, indices: list[int]) -> Access:
    first, *rest = indices
    steps = [Step(found.id, first, "")]
    bits = 8 * first * size_of(btf, found.id)
    path = f"{btf.type(root).name or '(anon)'}{f'[{first}]' if first else ''}"
    for index in rest:
        if found.kind in (Kind.STRUCT, Kind.UNION):
            if index >= found.items:
                raise Malformed(f"BTF.ext: a relocation asks for member {index} of {path}, which has {found.items}")
            member = btf.member(found, index)
            bits += member.offset
            if member.name:
                steps.append(Step(found.id, index, member.name))
                path += f".{member.name}"
            found = btf.plain(member.type)
        elif found.kind is Kind.ARRAY:
            found = btf.plain(btf.array(found).type)
            steps.append(Step(found.id, index, ""))
            bits += 8 * index * size_of(btf, found.id)
            path += f"[{index}]"
        else:
            raise Malformed(f"BTF.ext: a relocation goes through {path}, which is no struct, union or array")
    return Access(root, tuple(steps), bits, path)
