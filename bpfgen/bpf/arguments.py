"""Which registers hold an argument of the function as its caller gave it, at the calls of helpers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bpfgen.bpf.blocks import Block, blocks
from bpfgen.bpf.code import Function
from bpfgen.bpf.insns import CALL, CALLX, EXIT, FETCH, JA, JA32, JX, LD_IMM64, MODE_ATOMIC, Class, Insn
from bpfgen.frozen import frozen

MOV64_REGISTER = 0xBF
GIVEN = range(1, 6)
Held = dict[int, int]
"""Register → the argument, by its number, that is in it."""


@frozen
class Passed:
    """A helper that is given an argument of the function that calls it."""

    slot: int
    helper: str
    """Its name, such as `bpf_map_lookup_elem`."""
    register: int
    """In which it is: 1 to 5."""
    argument: int
    """Which one of the function: 1 to 5."""


def passed(function: Function) -> Iterator[Passed]:
    """Each argument that goes on to a helper, on whatever way the call is come to; not those kept on the stack."""
    found = blocks(function)
    for start, held in _held(function, found).items():
        for insn in found[start].code:
            reference = function.references.get(insn.slot)
            if insn.code == CALL and reference is not None and reference.kind == "helper":
                given = [register for register in GIVEN if register in held]
                yield from (Passed(insn.slot, str(reference), register, held[register]) for register in given)
            _step(insn, held)


def _held(function: Function, found: dict[int, Block]) -> dict[int, Held]:
    """What is held where each block begins, that it is held on all ways to it; until nothing changes."""
    states = {function.start: {register: register for register in GIVEN}} if function.start in found else {}
    waiting = list(states)
    while waiting:
        block = found[waiting.pop()]
        after = dict(states[block.code[0].slot])
        for insn in block.code:
            _step(insn, after)
        for slot in found.keys() & _next(block, found):
            old = states.get(slot)
            new = after if old is None else {r: a for r, a in old.items() if after.get(r) == a}
            if new != old:
                states[slot] = dict(new)
                waiting.append(slot)
    return states


def _next(block: Block, found: Iterable[int]) -> set[int]:
    """The slots that may run after a block."""
    last = block.last
    if last.code == EXIT:
        return set()
    if last.code == JX:  # a table of jumps
        return set(found)
    target = {last.target} if last.target is not None and last.code != CALL else set()
    return target if last.code in (JA, JA32) else {block.next, *target}


def _step(insn: Insn, held: Held) -> None:
    """Changes what registers hold, as the instruction does."""
    moved = held.get(insn.src) if insn.code == MOV64_REGISTER and insn.offset == 0 else None
    for register in _written(insn):
        held.pop(register, None)
    if moved is not None:
        held[insn.dst] = moved


def _written(insn: Insn) -> tuple[int, ...]:
    if insn.code in (CALL, CALLX):
        return tuple(range(6))
    kind = insn.code & 7
    if kind in (Class.ALU, Class.ALU64, Class.LDX) or insn.code == LD_IMM64:
        return (insn.dst,)
    if kind == Class.LD:
        return tuple(range(6))
    if kind == Class.STX and insn.code & 0xE0 == MODE_ATOMIC and insn.imm & FETCH:
        return (0, insn.src)
    return (insn.dst,) if kind == Class.STX and insn.code & 0xE0 == MODE_ATOMIC else ()
