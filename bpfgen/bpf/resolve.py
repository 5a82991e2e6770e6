"""CO-RE relocations of an object, resolved against a kernel's types as a loader does it (libbpf's relo_core.c).

resolver = Resolver(object)                  # once for an object
resolver.resolve(types)                      # for each kernel: (section, slot) → Resolution
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Iterator, Mapping
from typing import Optional, Union

from bpfgen.bpf.btf import Kind
from bpfgen.bpf.code import Function
from bpfgen.bpf.core import (
    CORE_KINDS,
    ENUM_KINDS,
    EXISTENCE_KINDS,
    FIELD_KINDS,
    LOCAL,
    Access,
    CoreRelocation,
    Step,
    essential_name,
)
from bpfgen.bpf.corematch import Match, Miss, match
from bpfgen.bpf.corevalue import Refused, Spot, Value, check, same_size, value
from bpfgen.bpf.insns import Class, Insn
from bpfgen.bpf.kernel import Found, KernelTypes
from bpfgen.bpf.malformed import Malformed
from bpfgen.bpf.object import BpfObject
from bpfgen.bpf.shapes import ENUMS, Shapes, described
from bpfgen.frozen import frozen

RESOLVED, MISSING, AMBIGUOUS, REFUSED = "resolved", "missing", "ambiguous", "refused"
"""`missing`: the instruction becomes one that the verifier refuses where it is reached. `ambiguous` and `refused`:
the loader stops, whether it is reached or not."""
Place = tuple[str, int]
"""A section of code, as the ELF file has it, and a slot in it."""
Resolutions = Mapping[Place, "Resolution"]


@frozen
class Resolution:
    """What became of one relocation on one kernel."""

    relocation: CoreRelocation
    state: str
    value: Optional[int]
    """What the instruction gets, where it is resolved."""
    matches: tuple[Match, ...] = ()
    """Every type of the kernel that fits; they agree, unless it is ambiguous."""
    message: str = ""
    """Why it isn't resolved, or why a question for existence is answered by 0: `task_struct.state: this kernel's
    task_struct has no member state`."""


@frozen
class Asked:
    """A relocation of a function, and the instruction that it is of."""

    relocation: CoreRelocation
    insn: Insn
    function: Function

    @property
    def key(self) -> tuple[int, str, int]:
        """What alone decides which types fit."""
        return self.relocation.access.root, self.relocation.string, self.relocation.kind


@frozen
class Outcome:
    """What a kernel's types say to all relocations of one key."""

    state: str
    value: Optional[Value]
    matches: tuple[Match, ...] = ()
    message: str = ""


class Resolver:
    """The relocations of one object."""

    def __init__(self, found: BpfObject) -> None:
        """Raises Malformed where the object's types or relocations are damaged."""
        self.asked = tuple(_asked(found))
        self.local = Shapes(found.btf) if found.btf is not None else None
        self._values: dict[tuple[int, str, int], Union[Value, Refused]] = {}

    def resolve(self, types: KernelTypes, skipped: Container[str] = ()) -> dict[Place, Resolution]:
        """By place; programs whose names are in `skipped` aren't loaded, so theirs aren't looked at."""
        if self.local is None:
            return {}
        run = _Run(self, self.local, types)
        asked = (each for each in self.asked if each.function.name not in skipped)
        return {(each.relocation.section, each.relocation.slot): run.resolution(each) for each in asked}

    def mine(self, relocation: CoreRelocation) -> Value:
        """What the program's own types say; raises Refused, Malformed."""
        key = relocation.access.root, relocation.string, relocation.kind
        if self.local is not None and key not in self._values:
            try:
                self._values[key] = value(self.local, relocation.kind, _spot(relocation.access))
            except Refused as refused:
                self._values[key] = refused
        known = self._values[key]
        if isinstance(known, Refused):
            raise known
        return known


class _Run:
    """An object against one kernel. A type's candidates are fewer after each relocation that some of them don't fit."""

    def __init__(self, resolver: Resolver, local: Shapes, types: KernelTypes) -> None:
        self._resolver = resolver
        self._local = local
        self._types = types
        self._candidates: dict[int, tuple[Found, ...]] = {}
        self._known: dict[tuple[int, str, int], Outcome] = {}

    def resolution(self, asked: Asked) -> Resolution:
        relocation = asked.relocation
        if asked.key not in self._known:
            try:
                self._known[asked.key] = self._outcome(relocation)
            except (Malformed, Refused) as reason:
                self._known[asked.key] = Outcome(REFUSED, None, (), str(reason))
        known = self._known[asked.key]
        state, message, number = known.state, known.message, None
        if known.value is not None:
            number = known.value.number
            try:
                if not self._readable(asked, known):
                    state, number, message = MISSING, None, "it is read as another type than this kernel has there"
                else:
                    check(asked.insn, self._resolver.mine(relocation), known.value)
            except (Malformed, Refused) as reason:
                state, number, message = REFUSED, None, str(reason)
        text = f"{relocation.access.path}: {message}" if message else ""
        return Resolution(relocation, state, number, known.matches, text)

    def _readable(self, asked: Asked, known: Outcome) -> bool:
        """Whether a load or store may be made one of the kernel's field."""
        if asked.insn.kind not in (Class.LDX, Class.ST, Class.STX) or not known.matches or known.value is None:
            return True
        target = self._types.shapes(known.matches[0].module)
        return same_size(self._local, self._resolver.mine(asked.relocation), target, known.value)

    def _outcome(self, relocation: CoreRelocation) -> Outcome:
        """bpf_core_calc_relo_insn"""
        access, kind = relocation.access, relocation.kind
        if kind >= len(CORE_KINDS):
            raise Refused(f"libbpf knows no relocation of kind {kind}")
        if kind == LOCAL:
            return Outcome(RESOLVED, Value(access.root, sure=False))
        root = self._local.btf.type(access.root)
        if not root.name or root.kind is Kind.VOID:
            raise Refused("a type without a name has no counterpart in a kernel")
        found = self._candidates.get(root.id)
        if found is None:
            kinds = ENUMS if root.kind in ENUMS else (root.kind,)
            found = self._types.candidates(root.name, *kinds)
        fits, matches, misses = [], [], []
        for each in found:
            result = match(self._local, access, kind, self._types.shapes(each.module), each.type, each.module)
            if isinstance(result, Match):
                fits.append(each)
                matches.append(result)
            else:
                misses.append(result)
        self._candidates[root.id] = tuple(fits) or found
        self._resolver.mine(relocation)
        if not matches:
            return self._nothing(relocation, misses)
        return self._agreed(relocation, tuple(matches))

    def _agreed(self, relocation: CoreRelocation, matches: tuple[Match, ...]) -> Outcome:
        numbers = []
        for each in matches:
            spot = Spot(each.root, each.bits, each.owner, each.index, each.member)
            numbers.append(value(self._types.shapes(each.module), relocation.kind, spot))
        for each, number in zip(matches[1:], numbers[1:]):
            if (each.bits, number.number) != (matches[0].bits, numbers[0].number):
                differ = f"{numbers[0].number} and {number.number}"
                message = f"this kernel has several types of that name, which say {differ}"
                return Outcome(AMBIGUOUS, None, matches, message)
        return Outcome(RESOLVED, numbers[0], matches)

    def _nothing(self, relocation: CoreRelocation, misses: list[Miss]) -> Outcome:
        message = max(misses, key=lambda each: each.depth).reason if misses else self._no_type(relocation)
        # Of a type that isn't there, libbpf says the size 0 and the number 0 too.
        zero = relocation.kind in EXISTENCE_KINDS or relocation.kind not in FIELD_KINDS | ENUM_KINDS
        return Outcome(RESOLVED if zero else MISSING, Value(0) if zero else None, (), message)

    def _no_type(self, relocation: CoreRelocation) -> str:
        root = self._local.btf.type(relocation.access.root)
        name = essential_name(root.name)
        others = self._types.find(name)
        if others:
            return f"this kernel's {name} is {described(others[0].type)}, the program's {described(root)}"
        return f"this kernel has no {'enum' if root.kind in ENUMS else root.kind.name.lower()} {name}"


def _spot(access: Access) -> Spot:
    last = access.steps[-1] if access.steps else Step(access.root, 0, "")
    return Spot(access.root, access.bits, last.type, last.index, bool(last.name))


def _asked(found: BpfObject) -> Iterator[Asked]:
    """The relocations that are of a function; a linker leaves those of weak functions that it dropped."""
    by_section: dict[str, tuple[list[int], list[Function]]] = {}
    for function in found.functions:
        starts, functions = by_section.setdefault(function.section, ([], []))
        starts.append(function.start)
        functions.append(function)
    for relocation in found.relocations:
        starts, functions = by_section.get(relocation.section, ([], []))
        at = bisect_right(starts, relocation.slot) - 1
        insn = _instruction(functions[at], relocation.slot) if at >= 0 else None
        if insn is not None:
            yield Asked(relocation, insn, functions[at])


def _instruction(function: Function, slot: int) -> Optional[Insn]:
    """The instruction at a slot; None where none begins there. Instructions are at most as many as slots."""
    code = function.code
    at = bisect_right(code, (slot, 256)) - 1
    return code[at] if at >= 0 and code[at].slot == slot else None
