"""CO-RE relocations as libbpf resolves them (bpf_core_calc_relo_insn, bpf_core_patch_insn in relo_core.c)."""

from __future__ import annotations

from bpfgen.bpf.btf import Kind
from bpfgen.bpf.core import (
    CORE_KINDS,
    ENUM_KINDS,
    EXISTENCE_KINDS,
    FIELD_KINDS,
    LOCAL,
    CoreRelocation,
    essential_name,
)
from bpfgen.bpf.corematch import Match, Miss, match
from bpfgen.bpf.corevalue import Refused, Value, check, same_size, value
from bpfgen.bpf.insns import Class
from bpfgen.bpf.kernel import Found, KernelTypes
from bpfgen.bpf.malformed import Malformed
from bpfgen.bpf.resolution import AMBIGUOUS, MISSING, REFUSED, RESOLVED, Asked, Outcome, Own, Resolution, spot_of
from bpfgen.bpf.shapes import ENUMS, Shapes, described


class Libbpf:
    """An object against one kernel. A type's candidates are fewer after each relocation that some of them don't fit."""

    def __init__(self, own: Own, types: KernelTypes) -> None:
        self._own = own
        self._local = own.shapes
        self._types = types
        self._candidates: dict[int, tuple[Found, ...]] = {}
        self._known: dict[tuple[int, str, int], Outcome] = {}

    def resolution(self, asked: Asked) -> Resolution:
        """Of one relocation; they are to be asked for in the order of the object."""
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
                    check(asked.insn, self._own.value(relocation), known.value)
            except (Malformed, Refused) as reason:
                state, number, message = REFUSED, None, str(reason)
        text = f"{relocation.access.path}: {message}" if message else ""
        return Resolution(relocation, state, number, known.matches, text)

    def _readable(self, asked: Asked, known: Outcome) -> bool:
        """Whether a load or store may be made one of the kernel's field."""
        if asked.insn.kind not in (Class.LDX, Class.ST, Class.STX) or not known.matches or known.value is None:
            return True
        target = self._types.shapes(known.matches[0].module)
        return same_size(self._local, self._own.value(asked.relocation), target, known.value)

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
        self._own.value(relocation)
        if not matches:
            return self._nothing(relocation, misses)
        return self._agreed(relocation, tuple(matches))

    def _agreed(self, relocation: CoreRelocation, matches: tuple[Match, ...]) -> Outcome:
        numbers = [value(self._types.shapes(each.module), relocation.kind, spot_of(each)) for each in matches]
        for each, number in zip(matches[1:], numbers[1:]):
            if (each.bits, number.number) != (matches[0].bits, numbers[0].number):
                differ = f"{numbers[0].number} and {number.number}"
                message = f"this kernel has several types of that name, which say {differ}"
                return Outcome(AMBIGUOUS, None, matches, message)
        return Outcome(RESOLVED, numbers[0], matches)

    def _nothing(self, relocation: CoreRelocation, misses: list[Miss]) -> Outcome:
        message = (
            max(misses, key=lambda each: each.depth).reason if misses else no_type(self._local, self._types, relocation)
        )
        # Of a type that isn't there, libbpf says the size 0 and the number 0 too.
        zero = relocation.kind in EXISTENCE_KINDS or relocation.kind not in FIELD_KINDS | ENUM_KINDS
        return Outcome(RESOLVED if zero else MISSING, Value(0) if zero else None, (), message)


def no_type(local: Shapes, types: KernelTypes, relocation: CoreRelocation) -> str:
    """Says that a kernel has no type of that name."""
    root = local.btf.type(relocation.access.root)
    name = essential_name(root.name)
    others = types.find(name)
    if others:
        return f"this kernel's {name} is {described(others[0].type)}, the program's {described(root)}"
    return f"this kernel has no {'enum' if root.kind in ENUMS else root.kind.name.lower()} {name}"
