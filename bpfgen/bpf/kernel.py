"""The types of a kernel: three to six megabytes of BTF, and more for each module, of which a program needs a few.

Opening them finds where each type begins. A name is searched for, and a type is decoded, when it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from bpfgen.bpf.btf import Btf, Kind, Member, Type
from bpfgen.bpf.core import essential_name
from bpfgen.bpf.layout import size_of
from bpfgen.bpf.malformed import Malformed
from bpfgen.bpf.shapes import Shapes
from bpfgen.frozen import frozen

MAX_NESTED = 200
"""Anonymous structs and unions that a member is looked for in; the kernel's largest structs have a tenth of it."""
_STEP = re.compile(r"([^.\[\]]+)|\[(\d{1,9})\]")


@frozen
class Found:
    """A type, and where it is: ids of two modules mean different types."""

    btf: Btf
    type: Type
    module: str = ""
    """Empty for the kernel itself."""


@frozen
class Field:
    """Where a path through a struct leads."""

    bits: int
    """From the beginning of the struct."""
    size: int
    """In bits."""
    type: int
    """An id in the struct's BTF."""


class Names:
    """The types of one BTF section by name, its base's left out.

    There is no index of all names: it would take three times as long as all searches for those that a hundred programs
    ask for.
    """

    def __init__(self, btf: Btf) -> None:
        self.btf = btf
        self._names = list(map(btf.words.__getitem__, btf.starts))
        """Where each type's name is in the string table."""
        places = range(len(self._names))
        self._last = dict(zip(self._names, places))
        self._first = dict(zip(reversed(self._names), reversed(places)))
        named = len(self._names) - self._names.count(0)
        self._once = len(self._first) - (0 in self._first) < named
        """Whether types of one name have one string, so that no string is there twice, as all known writers of BTF see
        to."""
        self._ids: dict[str, tuple[int, ...]] = {}

    def find(self, name: str, kinds: frozenset[Kind]) -> Iterator[Type]:
        """Types of exactly that name, of one of the kinds (of any where there are none given), by id."""
        if name not in self._ids:
            self._ids[name] = tuple(sorted(self._search(name.encode())))
        for number in self._ids[name]:
            found = self.btf.type(number)
            if not kinds or found.kind in kinds:
                yield found

    def candidates(
        self, name: str, kinds: frozenset[Kind], essential: Callable[[str], str] = essential_name
    ) -> Iterator[Type]:
        """Types whose names are the same without their flavours (`task_struct___old`), by id."""
        wanted = essential(name)
        names = [wanted, *(each for each in self._flavoured.get(wanted[:1], ()) if essential(each) == wanted != each)]
        found = [each for name in names for each in self.find(name, kinds)]
        yield from sorted(found, key=lambda each: each.id)

    @cached_property
    def _flavoured(self) -> Mapping[str, list[str]]:
        """Names that have `___` in them, by their first letter."""
        found: dict[str, list[str]] = {}
        for strings in self._tables():
            end = 0
            while (at := strings.find(b"___", end)) >= 0:
                start, end = strings.rfind(b"\0", 0, at) + 1, strings.find(b"\0", at)
                if end < 0:
                    break
                name = strings[start:end].decode(errors="backslashreplace")
                found.setdefault(name[:1], []).append(name)
        return found

    def _tables(self) -> Iterator[bytes]:
        """The string tables that names are in: its own and its base's."""
        btf: Btf | None = self.btf
        while btf is not None:
            yield btf.strings
            btf = btf.base

    def _search(self, name: bytes) -> set[int]:
        """Ids. A name that is the tail of another string, as linkers merge them, is looked for after whole ones: no
        writer of BTF is known that does that.
        """
        if not name:
            return set()
        found: set[int] = set()
        for at in self._places(b"\0" + name, 1):
            found.update(self._at(at))
            if found and self._once:
                break
        return found or {number for at in self._places(name, 0) if at in self._first for number in self._at(at)}

    def _places(self, name: bytes, skipped: int) -> Iterator[int]:
        """Offsets of a string that begins `skipped` bytes into `name`."""
        shift = self.btf.string_end
        for strings in self._tables():
            shift -= len(strings)
            at = strings.find(name + b"\0")
            while at >= 0:
                yield shift + at + skipped
                at = strings.find(name + b"\0", at + 1)

    def _at(self, offset: int) -> Iterator[int]:
        """The ids of types whose name is at that offset."""
        at, last = self._first.get(offset, 0), self._last.get(offset, -1)
        while at < last:
            yield self.btf.first + at
            at = self._names.index(offset, at + 1)
        if at == last:
            yield self.btf.first + at


class KernelTypes:
    """The types of a kernel and of its modules."""

    def __init__(self, data: bytes, modules: Mapping[str, Callable[[], bytes]] | None = None) -> None:
        """`data` is the raw BTF of the kernel (`/sys/kernel/btf/vmlinux`), `modules` gives that of each module when it
        is looked into. Raises Malformed.
        """
        self.kernel = Btf(data)
        self._modules = modules or {}
        self._names: dict[str, Names] = {}
        self._shapes: dict[str, Shapes] = {}

    def find(self, name: str, *kinds: Kind) -> tuple[Found, ...]:
        """The kernel's types of that name, by id; raises Malformed."""
        return tuple(Found(self.kernel, each) for each in self._of("").find(name, frozenset(kinds)))

    def candidates(self, name: str, *kinds: Kind) -> tuple[Found, ...]:
        """The types that a CO-RE relocation of a type of that name is matched with: those of the kernel, and of its
        modules only where the kernel has none (libbpf's bpf_core_find_cands). Raises Malformed.
        """
        wanted = frozenset(kinds)
        found = [Found(self.kernel, each) for each in self._of("").candidates(name, wanted)]
        if not found:
            for module in self._modules:
                names = self._of(module)
                found += [Found(self.module(module), each, module) for each in names.candidates(name, wanted)]
        return tuple(found)

    def unnamed(self, kind: Kind) -> Iterator[Found]:
        """The kernel's types of a kind that have no name, by id; raises Malformed."""
        words = self.kernel.words
        for number, start in enumerate(self.kernel.starts, self.kernel.first):
            if not words[start] and words[start + 1] >> 24 & 0x1F == kind:
                yield Found(self.kernel, self.kernel.type(number))

    def named(self, name: str, essential: Callable[[str], str]) -> tuple[Found, ...]:
        """Types of any kind, of the kernel and all its modules, whose names are the same but for flavours, which
        `essential` cuts off (cilium/ebpf's CORERelocate). Raises Malformed.
        """
        return tuple(
            Found(self.module(module), each, module)
            for module in ("", *self._modules)
            for each in self._of(module).candidates(name, frozenset(), essential)
        )

    def function(self, name: str) -> Found | None:
        """The function of that name, in the kernel or the first module that has it; raises Malformed."""
        wanted = frozenset({Kind.FUNC})
        for module in ("", *self._modules):
            for each in self._of(module).find(name, wanted):
                return Found(self.module(module), each, module)
        return None

    def module(self, name: str) -> Btf:
        """The types of a module, which go on where the kernel's end; those of the kernel for an empty name."""
        return self._of(name).btf

    def shapes(self, module: str) -> Shapes:
        """The same as CO-RE relocations look at them."""
        if module not in self._shapes:
            self._shapes[module] = Shapes(self.module(module))
        return self._shapes[module]

    def _of(self, module: str) -> Names:
        if module not in self._names:
            self._names[module] = Names(Btf(self._modules[module](), self.kernel) if module else self.kernel)
        return self._names[module]


def field(btf: Btf, number: int, path: str) -> Field | None:
    """Where `mm.owner` or `cb[4]` is in a struct or union; None where it has no such field.

    Members of anonymous structs and unions are found as in C. Raises Malformed where types are damaged.
    """
    bits, found, size = 0, btf.plain(number), 0
    for step in _STEP.finditer(path):
        size = 0
        if step[1]:
            member = _member(btf, found, step[1], set())
            if member is None:
                return None
            bits, number, size = bits + member.offset, member.type, member.size
        elif found.kind is not Kind.ARRAY:
            return None
        else:
            number = btf.array(found).type
            bits += 8 * int(step[2]) * size_of(btf, number)
        found = btf.plain(number)
    return Field(bits, size or 8 * size_of(btf, number), number)


def enum_value(btf: Btf, number: int, name: str) -> int | None:
    """The value of that name, flavours aside, in an enum; None where there is none. Raises Malformed."""
    found = btf.plain(number)
    if found.kind not in (Kind.ENUM, Kind.ENUM64):
        return None
    wanted = essential_name(name)
    return next((each.number for each in btf.values(found) if essential_name(each.name) == wanted), None)


def _member(btf: Btf, owner: Type, name: str, seen: set[int]) -> Member | None:
    """The member of that name, its place from the beginning of `owner`; types in `seen` don't have it."""
    if owner.kind not in (Kind.STRUCT, Kind.UNION) or owner.id in seen:
        return None
    seen.add(owner.id)
    if len(seen) > MAX_NESTED:
        raise Malformed(f"BTF: type {owner.id} has too many structs without a name in each other")
    for member in btf.members(owner):
        if member.name == name:
            return member
        inner = None if member.name else _member(btf, btf.plain(member.type), name, seen)
        if inner is not None:
            return Member(inner.name, inner.type, member.offset + inner.offset, inner.size)
    return None
