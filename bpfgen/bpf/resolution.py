"""What becomes of CO-RE relocations, as data; and what the program's own types say."""

from __future__ import annotations

from typing import Optional, Union

from bpfgen.bpf.code import Function
from bpfgen.bpf.core import Access, CoreRelocation, Step
from bpfgen.bpf.corematch import Match
from bpfgen.bpf.corevalue import Refused, Spot, Value, value
from bpfgen.bpf.insns import Insn
from bpfgen.bpf.shapes import Shapes
from bpfgen.frozen import frozen

STATES = RESOLVED, MISSING, AMBIGUOUS, REFUSED = "resolved", "missing", "ambiguous", "refused"
"""`missing`: the instruction becomes one that the verifier refuses where it is reached. `ambiguous` and `refused`:
the loader stops, whether it is reached or not."""
Place = tuple[str, int]
"""A section of code, as the ELF file has it, and a slot in it."""


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
    def place(self) -> Place:
        """Where the instruction is."""
        return self.relocation.section, self.relocation.slot

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


class Own:
    """The types of a program, and what they say to its relocations."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self._values: dict[tuple[int, str, int], Union[Value, Refused]] = {}

    def value(self, relocation: CoreRelocation) -> Value:
        """What the compiler put into the instruction; raises Refused, Malformed."""
        key = relocation.access.root, relocation.string, relocation.kind
        if key not in self._values:
            try:
                self._values[key] = value(self.shapes, relocation.kind, _spot(relocation.access))
            except Refused as refused:
                self._values[key] = refused
        known = self._values[key]
        if isinstance(known, Refused):
            raise known
        return known


def spot_of(match: Match) -> Spot:
    """Where a match leads."""
    return Spot(match.root, match.bits, match.owner, match.index, match.member)


def _spot(access: Access) -> Spot:
    last = access.steps[-1] if access.steps else Step(access.root, 0, "")
    return Spot(access.root, access.bits, last.type, last.index, bool(last.name))
