"""Which instructions of a program the verifier reaches, when branches that a kernel decides are decided.

A program asks whether a field, a type, an enum's value, a function or a setting of the kernel is there, and jumps over
what needs it. On a given kernel the answers are numbers, and the verifier doesn't look at what they jump over. Numbers
are followed through registers, along the edges that can be taken, until nothing changes: what is called conditional
constant propagation. Where two ways meet, what is the same on both is kept; so more may be live here than for the
verifier, which follows each way by itself, but not less.

    Flow(found).live(program, resolutions, Known(version=(6, 1), ksyms={"bpf_x": False}))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from bpfgen.bpf.blocks import Block, blocks
from bpfgen.bpf.code import Function
from bpfgen.bpf.flowstate import Constants, Known, Run, State, entry, lowest_address, meet, returned, with_register
from bpfgen.bpf.flowvalues import Value, join, known_after, taken
from bpfgen.bpf.insns import CALL, EXIT, JA, JA32, JX, REGISTER, Class, Insn
from bpfgen.bpf.malformed import Malformed
from bpfgen.bpf.needs import Reader
from bpfgen.bpf.object import BpfObject
from bpfgen.bpf.resolution import Place, Resolution

__all__ = ["Flow", "Known", "live"]

GLOBAL = (5, 6)
"""The first kernel that verifies a global function by itself (commit 51c39bb1d5d1)."""
LAZY = (6, 8)
"""The first that does so only where something that is reached calls it (commit 2afae08c9dcb)."""


def live(
    found: BpfObject, program: Function, resolutions: Mapping[Place, Resolution], known: Known
) -> frozenset[Place]:
    """The instructions that a kernel's verifier may look at, of a program and of functions that it uses.

    By section and slot. Raises Malformed. For many programs or kernels, keep a `Flow`.
    """
    return Flow(found).live(program, resolutions, known)


class Flow:
    """The functions of one object."""

    def __init__(self, found: BpfObject) -> None:
        self.found = found
        self.functions = {(each.section, each.start): each for each in found.functions}
        self._asked = frozenset((each.section, each.slot) for each in found.relocations)
        self._reader = Reader(found.functions)
        self._blocks: dict[Place, dict[int, Block]] = {}
        self._lowest: dict[Place, int] = {}

    def blocks(self, function: Function) -> dict[int, Block]:
        """The function's blocks by their first slots."""
        place = (function.section, function.start)
        if place not in self._blocks:
            self._blocks[place] = blocks(function)
        return self._blocks[place]

    def lowest(self, function: Function) -> int:
        """`lowest_address` of a function."""
        place = (function.section, function.start)
        if place not in self._lowest:
            self._lowest[place] = lowest_address(function)
        return self._lowest[place]

    def live(self, program: Function, resolutions: Mapping[Place, Resolution], known: Known) -> frozenset[Place]:
        """As `live`."""
        walk = _Walk(self, Constants(self.found, self._asked, resolutions, known), known.version)
        walk.enter(program)
        if known.version is not None and GLOBAL <= known.version < LAZY:
            for function in self._reader.reachable(program):
                if not function.static:
                    walk.enter(function)
        return walk.finish()


class _Walk:
    """One program on one kernel. A block is named by its function's place and its first slot."""

    def __init__(self, flow: Flow, constants: Constants, version: Optional[tuple[int, int]]) -> None:
        self._flow = flow
        self._all_static = version is not None and version < GLOBAL
        self._constants = constants
        self._states: dict[tuple[Place, int], State] = {}
        self._waiting: list[tuple[Place, int]] = []
        self._returns: dict[Place, Value] = {}
        """What functions give back, of those that come to an end."""
        self._callers: dict[Place, set[tuple[Place, int]]] = {}

    def enter(self, function: Function, arguments: Optional[State] = None) -> None:
        """A function is called, or its address is taken."""
        place = (function.section, function.start)
        self._reach(place, function.start, entry(arguments if function.static or self._all_static else None))

    def finish(self) -> frozenset[Place]:
        """Follows everything; the places of what was reached."""
        while self._waiting:
            self._block(*self._waiting.pop())
        found: set[Place] = set()
        for place, start in self._states:
            block = self._flow.blocks(self._flow.functions[place])[start]
            found.update((place[0], insn.slot) for insn in block.code)
        return frozenset(found)

    def _reach(self, place: Place, slot: int, state: State) -> None:
        key = (place, slot)
        if slot not in self._flow.blocks(self._flow.functions[place]):
            raise Malformed(f"a jump of {self._flow.functions[place].name} leads out of it, or into an instruction")
        old = self._states.get(key)
        new = state if old is None else meet(old, state)
        if old is None or new != old:
            self._states[key] = new
            self._waiting.append(key)

    def _block(self, place: Place, start: int) -> None:
        function = self._flow.functions[place]
        block = self._flow.blocks(function)[start]
        run = Run(function, self._flow.lowest(function), self._constants)
        state = run.through(block.code, self._states[place, start])
        for address in run.addresses:
            if address in self._flow.functions:
                self.enter(self._flow.functions[address])
        last = block.last
        if last.code == EXIT:
            self._leave(place, state.registers[0])
        elif last.code == CALL:
            self._call(function, (place, start), block, state)
        elif last.code == JX:  # a table of jumps
            for slot in self._flow.blocks(function):
                self._reach(place, slot, entry(None))
        elif last.kind in (Class.JMP, Class.JMP32):
            self._jump(place, last, block.next, state)
        elif block.next in self._flow.blocks(function):
            self._reach(place, block.next, state)

    def _jump(self, place: Place, insn: Insn, after: int, state: State) -> None:
        target = insn.target if insn.target is not None else after
        if insn.code in (JA, JA32):
            self._reach(place, target, state)
            return
        wide = insn.kind is Class.JMP
        right: Value = state.registers[insn.src] if insn.code & REGISTER else insn.imm & ((1 << 64) - 1)
        way = taken(insn.code, state.registers[insn.dst], right, wide)
        for jumped, slot in ((True, target), (False, after)):
            if way is not (not jumped):
                number = known_after(insn.code, right, wide, jumped)
                self._reach(place, slot, state if number is None else with_register(state, insn.dst, number))

    def _call(self, function: Function, caller: tuple[Place, int], block: Block, state: State) -> None:
        """A call of a function of the object; the way after it is followed once that comes to an end."""
        place, _start = caller
        reference = function.references.get(block.last.slot)
        called = self._flow.functions.get(reference.place) if reference and reference.kind == "call" else None
        result: Value = None
        if called is not None:
            key = (called.section, called.start)
            self._callers.setdefault(key, set()).add(caller)
            self.enter(called, state)
            if key not in self._returns:
                return
            result = self._returns[key] if called.static or self._all_static else None
        if block.next in self._flow.blocks(function):
            self._reach(place, block.next, returned(state, result))

    def _leave(self, place: Place, result: Value) -> None:
        new = join(self._returns[place], result) if place in self._returns else result
        if place not in self._returns or new != self._returns[place]:
            self._returns[place] = new
            self._waiting += self._callers.get(place, ())
