"""The types of a kernel: three to six megabytes of BTF, and more for each module, of which a program needs a few.

Opening them finds where each type begins; the first look-up by name sorts them by name. A type is decoded when it is
asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate

from bpfgen.bpf.btf import Btf, Kind, Member, Type
from bpfgen.bpf.core import essential_name
from bpfgen.bpf.layout import size_of
from bpfgen.bpf.malformed import Malformed
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
    """The types of one BTF section by name, its base's left out."""

    def __init__(self, btf: Btf) -> None:
        """Raises Malformed where a type's string is missing."""
        self.btf = btf
        self._first: dict[bytes, int] = {}
        self._more: dict[bytes, list[int]] = {}
        """Ids after the first; most names have one, and a list for each would take as long again."""
        texts = _texts(btf)
        words, setdefault = btf.words, self._first.setdefault
        for number, start in enumerate(btf.starts, btf.first):
            offset = words[start]
            if offset:
                name = texts.get(offset)
                if name is None:  # in the base, or the tail of another string
                    name = btf.text(offset).encode()
                if setdefault(name, number) != number:
                    self._more.setdefault(name, []).append(number)
        self._flavours: dict[bytes, list[bytes]] = {}
        for name in self._first:
            if b"___" in name:
                essential = essential_name(name.decode(errors="backslashreplace")).encode()
                self._flavours.setdefault(essential, []).append(name)

    def find(self, name: str, kinds: frozenset[Kind]) -> Iterator[Type]:
        """Types of exactly that name, of one of the kinds (of any where there are none given), by id."""
        key = name.encode()
        for number in (self._first[key], *self._more.get(key, ())) if key in self._first else ():
            found = self.btf.type(number)
            if not kinds or found.kind in kinds:
                yield found

    def candidates(self, name: str, kinds: frozenset[Kind]) -> Iterator[Type]:
        """Types whose names are the same without their flavours (`task_struct___old`)."""
        essential = essential_name(name)
        yield from self.find(essential, kinds)
        for flavour in self._flavours.get(essential.encode(), ()):
            if flavour != essential.encode():
                yield from self.find(flavour.decode(errors="backslashreplace"), kinds)


def _texts(btf: Btf) -> dict[int, bytes]:
    """The strings of a section that aren't its base's, by offset."""
    strings = btf.strings.split(b"\0")[:-1]
    lengths = map(len, strings)
    shift = btf.string_end - len(btf.strings)
    return dict(zip(accumulate((length + 1 for length in lengths), initial=shift), strings))


class KernelTypes:
    """The types of a kernel and of its modules."""

    def __init__(self, data: bytes, modules: Mapping[str, Callable[[], bytes]] | None = None) -> None:
        """`data` is the raw BTF of the kernel (`/sys/kernel/btf/vmlinux`), `modules` gives that of each module when it
        is looked into. Raises Malformed.
        """
        self.kernel = Btf(data)
        self._modules = modules or {}
        self._names: dict[str, Names] = {}

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
