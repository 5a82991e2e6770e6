"""BTF → `vmlinux.h`: every type of a kernel, in an order that C accepts, laid out as the kernel has it.

bpftool makes the same of the same types (libbpf's btf_dump.c); this is for hosts without one. As there, a name that
several types have gets `___2` and so on at its end from the second one on, which CO-RE takes for the same name.
Functions of the kernel (kfuncs) aren't declared: which bpftool does so depends on its version, and a header must not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bpfgen.bpf.btf import Btf, Kind
from bpfgen.bpf.malformed import Malformed
from bpfgen.kernels.declare import Declarations
from bpfgen.kernels.names import Names
from bpfgen.kernels.types import COMPOSITE, ENUMS, QUALIFIERS, Types

HEAD = """\
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

"""
TAIL = """\
#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
"""
BUILT_IN = {"__builtin_va_list"}
"""Typedefs that clang has itself."""


def header(btf: Btf) -> str:
    """The header; the same types give the same text. Raises Malformed where they can't be written in C."""
    try:
        return "".join((HEAD, *_definitions(Types(btf)), TAIL))
    except RecursionError:
        raise Malformed("BTF: types are nested too deeply") from None


def _definitions(types: Types) -> Iterator[str]:
    names = Names(types)
    declarations = Declarations(types, names)
    known: set[str] = set()
    for number in _order(types):
        text, mentioned = declarations.definition(number)
        own = names.tag(number) if types.kinds[number] in COMPOSITE else ""
        # `struct x` within a prototype would be another type than the one outside.
        for tag in mentioned:
            if tag not in known and tag != own:
                known.add(tag)
                yield f"{tag};\n\n"
        known.add(own)
        yield f"{text};\n\n"
    # An enum without a name that stands in no other type has names for numbers.
    for number, kind in enumerate(types.kinds):
        if kind in ENUMS and not types.names[number] and number not in declarations.enums:
            yield f"{declarations.definition(number)[0]};\n\n"


def _order(types: Types) -> Iterator[int]:
    """Every type that is defined by itself, by id, but after those that it needs. No recursion: chains are long."""
    done = bytearray(len(types))  # 1: its needs are looked at, 2: it came
    for first in range(1, len(types)):
        if not _stands_alone(types, first):
            continue
        stack = [first]
        while stack:
            number = stack[-1]
            if done[number] == 0:
                done[number] = 1
                needs = [each for each in _needs(types, number) if done[each] != 2]
                looping = [each for each in needs if done[each] == 1]
                if looping:
                    raise Malformed(f"BTF: type {looping[0]} ({types.names[looping[0]]}) contains itself")
                stack += reversed(needs)
                continue
            stack.pop()
            if done[number] == 1:
                done[number] = 2
                yield number


def _references(types: Types, number: int, kind: Kind) -> Iterable[int]:
    own = types.own[number]
    if kind in COMPOSITE:
        return own[1::3]
    if kind is Kind.FUNC_PROTO:
        return (types.last[number], *own[1::2])
    if kind is Kind.ARRAY:
        return own[:1]
    return (types.last[number],) if kind in _POINTING else ()


_POINTING = {*QUALIFIERS, Kind.TYPE_TAG, Kind.TYPEDEF, Kind.PTR}


def _stands_alone(types: Types, number: int) -> bool:
    kind, name = types.kinds[number], types.names[number]
    if kind is Kind.TYPEDEF:
        return name not in BUILT_IN
    return bool(name) and (kind in COMPOSITE or kind in ENUMS)


def _needs(types: Types, number: int) -> list[int]:
    """The definitions that must stand before a type's own."""
    walk = _Walk(types)
    if types.kinds[number] is Kind.TYPEDEF:
        walk.add(types.last[number], whole=False)
    elif types.kinds[number] in COMPOSITE:
        for target in types.own[number][1::3]:
            walk.add(target, whole=True)
    return list(walk.found)


class _Walk:
    """Collects the definitions that one text needs."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self._seen: set[tuple[int, bool]] = set()
        self.found: dict[int, None] = {}

    def add(self, number: int, whole: bool) -> None:
        """`whole`: the type's size must be known, as that of a member, and not of what a pointer points to."""
        types = self._types
        kind, name = types.kind(number), types.names[number]
        if (number, whole) in self._seen and kind in BRANCHING:
            return
        self._seen.add((number, whole))
        if kind is Kind.TYPEDEF:
            if name not in BUILT_IN:
                self.found[number] = None
            if whole:
                self.add(types.last[number], True)
        elif name and (kind in ENUMS or (kind in COMPOSITE and whole)):
            self.found[number] = None
        elif kind is Kind.PTR:
            self.add(types.last[number], False)
        elif not (name and kind in COMPOSITE):  # what has no name is written where it is used
            inner = kind is Kind.ARRAY or kind in COMPOSITE or (whole and kind is not Kind.FUNC_PROTO)
            for target in _references(types, number, kind):
                self.add(target, inner)


BRANCHING = COMPOSITE | {Kind.FUNC_PROTO}
"""Kinds that can lead to one type in many ways. What leads to one type alone must not be left out: it may be a loop."""
