"""The types of a kernel that CO-RE relocations look at, and no more: a few kilobytes of megabytes.

What is kept is what `bpftool gen min_core_btf` keeps (kernel: tools/bpf/bpftool/gen.c, `btfgen_…`): of a struct the
members that are read, of an enum all values, of what a pointer leads to nothing, unless a relocation is of the type
itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from bpfgen.bpf.btf import MODIFIERS, Btf, Kind, Type
from bpfgen.bpf.btfwrite import write
from bpfgen.bpf.core import ENUM_KINDS, FIELD_KINDS
from bpfgen.bpf.corecilium import Cilium
from bpfgen.bpf.corelibbpf import Libbpf
from bpfgen.bpf.corematch import TYPE_MATCHES, Match
from bpfgen.bpf.kernel import KernelTypes
from bpfgen.bpf.object import BpfObject
from bpfgen.bpf.resolve import Resolver
from bpfgen.bpf.shapes import COMPOSITES, Shapes

_NAMES = MODIFIERS | {Kind.TYPEDEF, Kind.FUNC}
"""Kinds that are another type under a name, or with a qualifier."""


class Marks:
    """Which types of a kernel are kept, and which of their members; those of its modules aren't."""

    def __init__(self, types: KernelTypes) -> None:
        self._types = types
        self._btf = types.kernel
        self.kept: dict[int, set[int] | None] = {}
        """As `btfwrite.write` takes it."""

    def written(self) -> bytes:
        """What is kept, as raw BTF; raises Malformed, as all of them do."""
        return write(self._btf, self.kept)

    def record(self, found: BpfObject) -> None:
        """Every relocation of an object, so that it has the outcome that it has with all types: to libbpf, and to
        cilium/ebpf for each program.
        """
        resolver = Resolver(found, "cilium")
        if resolver.own is None:
            return
        libbpf = Libbpf(resolver.own, self._types)
        outcomes = [libbpf.resolution(each) for each in resolver.asked]
        for _program, asked in resolver.programs:
            outcomes += [each for _place, each in Cilium(resolver.own, self._types).resolutions(asked)]
        for each in outcomes:
            for match in each.matches:
                if not match.module:
                    self.add(each.relocation.kind, match)
                    if each.relocation.kind == TYPE_MATCHES:
                        self.alike(resolver.own.shapes, each.relocation.access.root, match.root)

    def add(self, kind: int, match: Match) -> None:
        """What fits a relocation of that kind. Every type that fits is kept, so what a loader refuses as ambiguous
        stays so; bpftool keeps the last of those that agree, and stops where they don't.
        """
        if kind in FIELD_KINDS:
            self.field(match.root, match.steps)
        elif kind == TYPE_MATCHES:
            self.match(match.root)
        else:
            self.type(match.root, pointers=kind not in ENUM_KINDS)

    def field(self, root: int, steps: Iterable[tuple[int, int]]) -> None:
        """A relocation of a field: the type that it starts from, and the way through it as `corematch.Match` has it."""
        self.type(root)
        for owner, index in steps:
            found = self._btf.type(owner)
            if found.kind in COMPOSITES:
                self._keep(found).add(index)
                self.type(self._btf.member(found, index).type)

    def type(self, root: int, pointers: bool = False) -> None:
        """A type, and what it is made of; structs without members. With `pointers` also what pointers lead to, which
        decides whether types are compatible.
        """
        left, seen = [root], {0}
        while left:
            number = left.pop()
            if number in seen:
                continue
            seen.add(number)
            found = self._btf.type(number)
            self._keep(found)
            if found.kind is not Kind.PTR or pointers:
                left += _made_of(self._btf, found)

    def match(self, root: int) -> None:
        """A relocation that compares a type with all of its members; behind a pointer, a struct is its name."""
        left, seen = [(root, False)], {(0, False), (0, True)}
        while left:
            number, behind = each = left.pop()
            if each in seen:
                continue
            seen.add(each)
            found = self._btf.type(number)
            kept = self._keep(found)
            if found.kind in COMPOSITES and not behind:
                kept.update(range(found.items))
                left += [(member.type, False) for member in self._btf.members(found)]
            behind = found.kind is Kind.PTR or (behind and found.kind in _NAMES)
            left += [(part, behind) for part in _made_of(self._btf, found)]

    def alike(self, local: Shapes, mine: int, theirs: int) -> None:
        """What cilium/ebpf compares of a program's type and the kernel's: it looks behind pointers too, at the members
        that the program's type has.
        """
        target = self._types.shapes("")
        left, seen = [(mine, theirs)], set()
        while left:
            mine, theirs = each = left.pop()
            if each in seen:
                continue
            seen.add(each)
            self.type(theirs)
            here, there = local.plain(mine), target.plain(theirs)
            if here.kind in COMPOSITES:
                places = {member.name: index for index, member in enumerate(self._btf.members(there))}
                for member in local.btf.members(here):
                    if member.name in places:
                        index = places[member.name]
                        self.field(there.id, [(there.id, index)])
                        left.append((member.type, self._btf.member(there, index).type))
            else:
                left += zip(_made_of(local.btf, here), _made_of(self._btf, there))

    def _keep(self, found: Type) -> set[int]:
        """Marks a type; the members that are kept of it, where it has some."""
        kept = self.kept.setdefault(found.id, set() if found.kind in COMPOSITES else None)
        return set() if kept is None else kept


def _made_of(btf: Btf, found: Type) -> list[int]:
    """The ids that a type's own is made of, but for members."""
    if found.kind is Kind.ARRAY:
        element, index, _length = btf.own_words(found)
        return [element, index]
    parameters = btf.parameters(found) if found.kind is Kind.FUNC_PROTO else ()
    return [found.target, *(each.type for each in parameters)]
