"""How much of the stack a function takes, and with the functions that it calls (kernel: check_max_stack_depth).

By the instructions, as the verifier itself counts: what clang puts on the stack it addresses from the frame pointer,
whose lowest offset is the depth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bpfgen.bpf.blocks import blocks
from bpfgen.bpf.code import Function
from bpfgen.bpf.insns import CALL, MOV, REGISTER, Class, Insn
from bpfgen.frozen import frozen

LIMIT = 512
"""Bytes that the verifier allows (MAX_BPF_STACK)."""
FRAMES = 8
"""Functions that may be in each other (MAX_CALL_FRAMES)."""
FRAME = 32
"""Each takes a multiple of this (round_up in check_max_stack_depth_subprog; 16 in newer kernels with a JIT)."""
FRAME_POINTER = 10
CALLER_SAVED = range(6)
_ADD = 0x00

Place = tuple[str, int]
"""A function's section and first slot."""
Chains = Mapping[Place, tuple[int, tuple[str, ...]]]
"""Bytes and names of the deepest chain that begins at each function."""
ASYNC = "timer_set_callback"
"""The helper whose function runs later, with a stack of its own."""


@frozen
class Stack:
    """What one function takes."""

    own: int
    """Bytes of its own frame, as the instructions have it."""
    depth: int
    """Bytes of the deepest chain of calls from it on, each frame rounded up as kernels do."""
    chain: tuple[str, ...]
    """The functions of that chain, itself first."""


def stacks(functions: Sequence[Function], step: int = FRAME) -> dict[Place, Stack]:
    """Every function's stack. Callbacks count as calls, as they do for kernels; a chain ends where kernels refuse it,
    at `FRAMES` functions, so recursion does no harm. Frames are rounded up to a multiple of `step`.
    """
    own = {_place(each): own_depth(each) for each in functions}
    names = {_place(each): each.name for each in functions}
    called = {_place(each): tuple(_called(each, own)) for each in functions}
    deepest: Chains = {place: (_rounded(depth, step), (names[place],)) for place, depth in own.items()}
    first = deepest
    for _ in range(FRAMES - 1):
        deepest = {place: _longer(place, names, called[place], first, deepest) for place in own}
    return {place: Stack(own[place], *deepest[place]) for place in own}


def own_depth(function: Function) -> int:
    """Bytes below the frame pointer that a function's instructions name."""
    return max((-low for block in blocks(function).values() for low in _offsets(block.code)), default=0)


def _longer(
    place: Place, names: Mapping[Place, str], called: Iterable[Place], first: Chains, deepest: Chains
) -> tuple[int, tuple[str, ...]]:
    depth, chain = max((deepest[each] for each in called), key=lambda found: found[0], default=(0, ()))
    return first[place][0] + depth, (names[place], *chain)


def _rounded(depth: int, step: int) -> int:
    return -(-max(depth, 1) // step) * step


def _place(function: Function) -> Place:
    return function.section, function.start


def _called(function: Function, known: Mapping[Place, int]) -> Iterator[Place]:
    references = function.references.values()
    later = any(each.kind == "helper" and each.name == ASYNC for each in references)
    for reference in references:
        if reference.kind == "call" or (reference.kind == "function" and not later):
            section, slot = reference.place
            place = section, slot - reference.offset // 8
            if place in known:
                yield place


def _offsets(code: Iterable[Insn]) -> Iterator[int]:
    """Offsets from the frame pointer that are read, written or kept in a register, in instructions without a jump."""
    at = {FRAME_POINTER: 0}
    for insn in code:
        if insn.kind == Class.LDX and insn.src in at:
            yield at[insn.src] + insn.offset
        elif insn.kind in (Class.ST, Class.STX) and insn.dst in at:
            yield at[insn.dst] + insn.offset
        found = _result(insn, at)
        for register in _written(insn):
            at.pop(register, None)
        if found is not None:
            at[insn.dst] = found
            yield found


def _result(insn: Insn, at: Mapping[int, int]) -> int | None:
    """What the destination then is from the frame pointer, where it is known."""
    if insn.kind != Class.ALU64:
        return None
    operation, by_register = insn.code & 0xF0, insn.code & REGISTER
    if operation == MOV and by_register and not insn.offset:
        return at.get(insn.src)
    if operation == _ADD and not by_register and insn.dst in at:
        return at[insn.dst] + insn.imm
    return None


def _written(insn: Insn) -> Iterable[int]:
    if insn.code == CALL:
        return CALLER_SAVED
    return () if insn.kind in (Class.ST, Class.STX, Class.JMP, Class.JMP32) else (insn.dst,)
