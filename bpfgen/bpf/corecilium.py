"""CO-RE relocations as cilium/ebpf v0.22 resolves them (btf/core.go), where that isn't what libbpf does.

It takes one type of the kernel for all relocations of a type of the program: the one that fits most of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bpfgen.bpf.btf import MAX_DEPTH, Kind
from bpfgen.bpf.ciliumtypes import types_match
from bpfgen.bpf.core import ENUM_KINDS, EXISTENCE_KINDS, FIELD_KINDS, LOCAL, TARGET, Access, CoreRelocation
from bpfgen.bpf.corelibbpf import no_type
from bpfgen.bpf.corematch import TYPE_MATCHES, Match, Miss, fields_compatible, match
from bpfgen.bpf.coretypes import types_compatible
from bpfgen.bpf.corevalue import BYTE_OFFSET, BYTE_SIZE, LEFT_SHIFT, SIGNED, Refused, Spot, Value, check, value
from bpfgen.bpf.insns import Class
from bpfgen.bpf.kernel import Found, KernelTypes
from bpfgen.bpf.malformed import Malformed
from bpfgen.bpf.resolution import (
    AMBIGUOUS,
    MISSING,
    REFUSED,
    RESOLVED,
    Asked,
    Outcome,
    Own,
    Place,
    Resolution,
    spot_of,
)
from bpfgen.bpf.shapes import ENUMS, Shapes
from bpfgen.frozen import frozen

Key = tuple[int, str, int]


@frozen
class Fixup:
    """What one type of the kernel makes of a relocation."""

    outcome: Outcome
    fits: bool
    depth: int = 0
    """Of a type that doesn't fit: how far it came."""


class Cilium:
    """A program against one kernel."""

    def __init__(self, own: Own, types: KernelTypes) -> None:
        self._own = own
        self._local = own.shapes
        self._types = types

    def resolutions(self, asked: Iterable[Asked]) -> Iterator[tuple[Place, Resolution]]:
        """Of all relocations of the program, by place."""
        groups: dict[int, list[Asked]] = {}
        for each in asked:
            groups.setdefault(each.relocation.access.root if each.relocation.kind != LOCAL else 0, []).append(each)
        for root, group in groups.items():
            try:
                outcomes = self._group(root, group)
            except (Malformed, Refused) as reason:
                outcomes = dict.fromkeys((each.key for each in group), Outcome(REFUSED, None, (), str(reason)))
            for each in group:
                yield each.place, self._applied(each, outcomes[each.key])

    def _group(self, root: int, group: list[Asked]) -> dict[Key, Outcome]:
        """coreCalculateFixups, of relocations of one type of the program."""
        if root == 0:
            return {each.key: Outcome(RESOLVED, Value(each.relocation.access.root, sure=False)) for each in group}
        name = self._local.btf.type(root).name
        if not name:
            raise Refused("a type without a name has no counterpart in a kernel")
        best: dict[Key, Fixup] = {}
        score, others = len(group), []
        for candidate in self._types.named(name, essential_name):
            fixups = {each.key: self._fixup(each.relocation, candidate) for each in group}
            own = sum(not fixups[each.key].fits for each in group)
            others.append(fixups)
            if own < score:
                best, score = fixups, own
            elif own == score:
                best = {key: _agreed(each, fixups[key]) for key, each in best.items()}
        if not best:
            return {each.key: self._nothing(each, others) for each in group}
        return {key: each.outcome for key, each in best.items()}

    def _nothing(self, asked: Asked, fixups: list[dict[Key, Fixup]]) -> Outcome:
        """No type fits any of a group; the message is that of the type that came furthest."""
        furthest = max((each[asked.key] for each in fixups), key=lambda each: each.depth, default=None)
        if furthest is not None:
            return furthest.outcome
        return _absent(asked.relocation, no_type(self._local, self._types, asked.relocation))

    def _fixup(self, relocation: CoreRelocation, candidate: Found) -> Fixup:
        """coreCalculateFixup"""
        target, kind = self._types.shapes(candidate.module), relocation.kind
        try:
            found = self._match(relocation, target, candidate)
            if isinstance(found, Miss):
                return Fixup(_absent(relocation, found.reason), fits=False, depth=found.depth)
            return Fixup(
                Outcome(RESOLVED, number(target, kind, spot_of(found), self._is_bitfield(relocation)), (found,)),
                fits=True,
            )
        except (Malformed, Refused) as reason:
            return Fixup(Outcome(REFUSED, None, (), str(reason)), fits=True)

    def _match(self, relocation: CoreRelocation, target: Shapes, candidate: Found) -> Match | Miss:
        access, kind, theirs = relocation.access, relocation.kind, target.plain(candidate.type.id)
        if kind == TARGET and candidate.module:
            return Miss(0, f"it is a type of the module {candidate.module}, whose numbers mean nothing here")
        if kind in FIELD_KINDS | ENUM_KINDS:
            fits = kind in ENUM_KINDS or fields_compatible(self._local, access.root, target, theirs.id)
            if fits and (theirs.kind is not Kind.FWD or kind in ENUM_KINDS):
                return _checked(match(self._local, access, kind, target, candidate.type, candidate.module), access)
        elif kind == TYPE_MATCHES:
            fits = types_match(self._local, access.root, target, theirs.id, set())
        else:
            fits = types_compatible(self._local, self._local.plain(access.root).id, target, theirs.id)
        if fits and kind not in FIELD_KINDS:
            return Match(candidate.module, candidate.type.id, (), 0, candidate.type.id, 0, member=False)
        return Miss(0, f"this kernel's {candidate.type.name} is another type")

    def _is_bitfield(self, relocation: CoreRelocation) -> bool:
        """Whether the program's own member is one."""
        last = relocation.access.steps[-1:]
        named = relocation.kind in FIELD_KINDS and last and last[0].name
        return bool(named and self._local.btf.member(self._local.btf.type(last[0].type), last[0].index).size)

    def _applied(self, asked: Asked, outcome: Outcome) -> Resolution:
        """COREFixup.Apply"""
        relocation, state, message, got = asked.relocation, outcome.state, outcome.message, None
        if outcome.value is not None:
            got = outcome.value.number
            try:
                mine = self._mine(relocation)
                check(asked.insn, mine, Value(got, mine.size))
                if asked.insn.kind in (Class.ALU, Class.ALU64) and not 0 <= got < 1 << 31:
                    raise Refused(f"its value {got} is beyond what an instruction can have")
            except (Malformed, Refused) as reason:
                state, got, message = REFUSED, None, str(reason)
        text = f"{relocation.access.path}: {message}" if message else ""
        return Resolution(relocation, state, got, outcome.matches, text)

    def _mine(self, relocation: CoreRelocation) -> Value:
        """What the instruction must have. cilium/ebpf takes any shift."""
        mine = self._own.value(relocation)
        return Value(mine.number, mine.size, sure=mine.sure and relocation.kind not in (LEFT_SHIFT, LEFT_SHIFT + 1))


def number(shapes: Shapes, kind: int, spot: Spot, bitfield: bool) -> Value:
    """As `corevalue.value`, but for members that are a bitfield on either side, and for signs."""
    if kind == 11:  # the value of an enum
        owner = shapes.btf.type(spot.owner)
        return Value(shapes.btf.value(owner, spot.index).number)
    if kind in EXISTENCE_KINDS or kind not in FIELD_KINDS or not spot.member:
        return value(shapes, kind, spot)
    member = shapes.btf.member(shapes.btf.type(spot.owner), spot.index)
    found = shapes.plain(member.type)
    if kind == SIGNED:
        if found.kind is not Kind.INT and found.kind not in ENUMS:
            raise Refused("it has no sign")
        return Value(shapes.is_signed(found))
    size = shapes.size(found.id)
    at = spot.bits // 8 // size * size if member.size or bitfield else spot.bits // 8
    width = member.size or 8 * size
    before = spot.bits - 8 * at
    if kind == BYTE_OFFSET:
        return Value(at)
    if kind == BYTE_SIZE:
        return Value(size)
    if kind == LEFT_SHIFT:
        return Value(64 - before - width if shapes.btf.order == "<" else 64 - 8 * size + before)
    return Value(64 - width)


def essential_name(name: str) -> str:
    """newEssentialName: whatever stands before the last `___`."""
    at = name.rfind("___")
    return name[:at] if at > 0 else name


def _checked(found: Match | Miss, access: Access) -> Match | Miss:
    if isinstance(found, Miss) and found.empty:
        raise Refused(found.reason)
    if isinstance(found, Match) and len(found.steps) - len(access.steps) >= MAX_DEPTH:
        raise Refused("it is in too many structs without a name")
    return found


def _absent(relocation: CoreRelocation, message: str) -> Outcome:
    if relocation.kind in EXISTENCE_KINDS:
        return Outcome(RESOLVED, Value(0), (), message)
    return Outcome(MISSING, None, (), message)


def _agreed(one: Fixup, other: Fixup) -> Fixup:
    """Of two types that fit as many relocations."""
    mine, theirs = one.outcome.value, other.outcome.value
    if REFUSED in (one.outcome.state, other.outcome.state) or (mine and mine.number) == (theirs and theirs.number):
        matches = one.outcome.matches + other.outcome.matches
        return Fixup(Outcome(one.outcome.state, mine, matches, one.outcome.message), one.fits)
    numbers = " and ".join(str(each.number) if each else "nothing" for each in (mine, theirs))
    message = f"this kernel has several types of that name, which say {numbers}"
    return Fixup(Outcome(AMBIGUOUS, None, one.outcome.matches + other.outcome.matches, message), one.fits)
