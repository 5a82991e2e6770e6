"""How much of the stack a function takes, and with the functions that it calls (kernel: check_max_stack_depth).

By the instructions, as the verifier itself counts: what clang puts on the stack it addresses from the frame pointer,
whose lowest offset is the depth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bpfgen.bpf.code import Function
from bpfgen.bpf.flowstate import ADD64, MOV64_REGISTER
from bpfgen.bpf.flowstate import FRAME as FRAME_POINTER
from bpfgen.bpf.insns import CALL, Class, Insn
from bpfgen.frozen import frozen

LIMIT = 512
"""Bytes that the verifier allows (MAX_BPF_STACK)."""
FRAMES = 8
"""Functions that may be in each other (MAX_CALL_FRAMES)."""
LOOSE, STRICT = 16, 32
"""What a frame is rounded up to: by kernels of today with a JIT compiler, and by others, where an empty one counts too
(round_up_stack_depth).
"""
SLOT = 8
"""Bytes that the verifier remembers as one (BPF_REG_SIZE)."""
CALLER_SAVED = range(6)
ASYNC = "timer_set_callback"
"""The helper whose function runs later, with a stack of its own."""

Place = tuple[str, int]
"""A function's section and first slot."""
Chains = Mapping[Place, tuple[int, tuple[Function, ...]]]
"""Bytes and functions of the deepest chain that begins at each function."""


@frozen
class Stack:
    """What one function takes."""

    own: int
    """Bytes of its own frame, as the instructions have it."""
    depth: int
    """Bytes of the deepest chain of calls from it on, each frame rounded up as kernels do."""
    chain: tuple[Function, ...]
    """The functions of that chain, itself first."""


def stacks(functions: Sequence[Function], step: int = STRICT) -> dict[Place, Stack]:
    """Every function's stack. Callbacks count as calls, as they do for kernels; a chain ends where kernels refuse it,
    at `FRAMES` functions, so recursion does no harm. `step` is what frames are rounded up to.
    """
    known = {(each.section, each.start): each for each in functions}
    own = {place: own_depth(each) for place, each in known.items()}
    called = {place: tuple(_called(each, known)) for place, each in known.items()}
    first: Chains = {place: (rounded(depth, step), (known[place],)) for place, depth in own.items()}
    deepest = first
    for _ in range(FRAMES - 1):
        deepest = {place: _longer(first[place], called[place], deepest) for place in known}
    return {place: Stack(own[place], *deepest[place]) for place in known}


def rounded(depth: int, step: int) -> int:
    """Bytes that a frame of `depth` bytes counts for."""
    return -(-max(depth, 1 if step == STRICT else 0) // step) * step


def own_depth(function: Function) -> int:
    """Bytes below the frame pointer that a function's instructions read, write or keep the address of, in slots of 8.

    Registers are followed from the first instruction to the last, across jumps: clang writes the code of both branches
    so that this is right (of 158 programs of libbpf-tools, the verifier counts the same for 156, and less for two).
    """
    lowest, at = 0, {FRAME_POINTER: 0}
    for insn in function.code:
        base = insn.src if insn.kind is Class.LDX else insn.dst
        if insn.kind in (Class.LDX, Class.ST, Class.STX) and base in at:
            lowest = min(lowest, at[base] + insn.offset)
        _follow(insn, at)
        lowest = min(lowest, *at.values())
    return -(lowest // SLOT) * SLOT


def _longer(
    first: tuple[int, tuple[Function, ...]], called: Iterable[Place], deepest: Chains
) -> tuple[int, tuple[Function, ...]]:
    depth, chain = max((deepest[each] for each in called), key=lambda found: found[0], default=(0, ()))
    return first[0] + depth, (*first[1], *chain)


def _called(function: Function, known: Mapping[Place, Function]) -> Iterator[Place]:
    """What it calls, or has a helper call."""
    references = function.references.values()
    later = any(each.kind == "helper" and each.name == ASYNC for each in references)
    for reference in references:
        if reference.kind == "call" or (reference.kind == "function" and not later):
            section, slot = reference.place
            place = section, slot - reference.offset // 8
            if place in known:
                yield place


def _follow(insn: Insn, at: dict[int, int]) -> None:
    """Which registers point to the stack after an instruction, and where to."""
    if insn.code == CALL:
        for register in CALLER_SAVED:
            at.pop(register, None)
    elif insn.code == MOV64_REGISTER and insn.src in at and not insn.offset:
        at[insn.dst] = at[insn.src]
    elif insn.code == ADD64 and insn.dst in at:
        at[insn.dst] += insn.imm
    elif insn.kind in (Class.LD, Class.LDX, Class.ALU, Class.ALU64) and insn.dst != FRAME_POINTER:
        at.pop(insn.dst, None)
