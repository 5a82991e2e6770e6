"""How much stack programs use, with all that they call (kernel: verifier.c, check_max_stack_depth)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bpfgen.bpf.code import Function
from bpfgen.bpf.flowstate import ADD64, FRAME, MOV64_REGISTER
from bpfgen.bpf.insns import CALL, Class, Insn
from bpfgen.lints.case import Case
from bpfgen.lints.model import Found
from bpfgen.verdicts.subject import Loaded

LIMIT = 512
"""MAX_BPF_STACK"""
SLOT = 8
LOOSE, STRICT = 16, 32
"""What a frame is rounded up to: by kernels of today with a JIT compiler, and by others."""
ASYNC = frozenset(("bpf_timer_set_callback",))
"""Helpers that take a function which later runs by itself, with a stack of its own."""


def stack_limit(case: Case) -> Iterator[Found]:
    """Chains of calls that no kernel takes."""
    for program in case.subject.programs:
        chain = deepest(program, LOOSE)
        if used(chain, LOOSE) > LIMIT:
            yield Found(f"{_use(chain, LOOSE)} of stack: the kernel refuses more than {LIMIT}", case.head(chain[0]))


def stack_near(case: Case) -> Iterator[Found]:
    """Chains in which not even an empty function can be called."""
    for program in case.subject.programs:
        chain = deepest(program, STRICT)
        total = used(chain, STRICT)
        if total > LIMIT - STRICT and used(deepest(program, LOOSE), LOOSE) <= LIMIT:
            more = f": kernels that round frames up to {STRICT} refuse it" if total > LIMIT else f" of {LIMIT}"
            yield Found(f"{_use(chain, STRICT)} of stack{more}", case.head(chain[0]))


def _use(chain: Sequence[Function], step: int) -> str:
    names = " → ".join(function.name for function in chain)
    frames = " + ".join(str(_rounded(function, step)) for function in chain)
    return f"{names} uses {used(chain, step)} bytes" + (f" ({frames})" if len(chain) > 1 else "")


def used(chain: Sequence[Function], step: int) -> int:
    """Bytes of all frames of a chain, each rounded up to a multiple of `step`."""
    return sum(_rounded(function, step) for function in chain)


def _rounded(function: Function, step: int) -> int:
    least = 1 if step == STRICT else 0
    return -(-max(depth(function), least) // step) * step


def deepest(program: Loaded, step: int) -> Sequence[Function]:
    """The chain of calls with the most stack, from the program on. One that comes back is refused for that."""
    known = {(each.section, each.start): each for each in program.functions}
    best: dict[tuple[str, int], tuple[Function, ...]] = {}

    def below(function: Function, above: frozenset[tuple[str, int]]) -> tuple[Function, ...]:
        place = (function.section, function.start)
        if place not in best:
            inside = above | {place}
            chains = [below(each, inside) for each in _called(function, known) if _place(each) not in inside]
            best[place] = (function, *max(chains, key=lambda chain: used(chain, step), default=()))
        return best[place]

    return below(program.functions[0], frozenset()) if program.functions else ()


def _place(function: Function) -> tuple[str, int]:
    return function.section, function.start


def _called(function: Function, known: Mapping[tuple[str, int], Function]) -> list[Function]:
    """What it calls, or has a helper call."""
    references = function.references.values()
    later = any(each.kind == "helper" and str(each) in ASYNC for each in references)
    kinds = ("call",) if later else ("call", "function")
    return [known[each.place] for each in references if each.kind in kinds and each.place in known]


def depth(function: Function) -> int:
    """Bytes of its own frame, in slots of 8: down to the lowest place that an instruction reads, writes or takes the
    address of.
    """
    lowest, at = 0, {FRAME: 0}
    for insn in function.code:
        base = insn.src if insn.kind is Class.LDX else insn.dst
        if insn.kind in (Class.LDX, Class.ST, Class.STX) and base in at:
            lowest = min(lowest, at[base] + insn.offset)
        _follow(insn, at)
        lowest = min(lowest, *at.values())
    return -(lowest // SLOT) * SLOT


def _follow(insn: Insn, at: dict[int, int]) -> None:
    """Which registers point to the stack after an instruction, and where to."""
    if insn.code == CALL:
        for register in range(6):
            at.pop(register, None)
    elif insn.code == MOV64_REGISTER and insn.src in at and not insn.offset:
        at[insn.dst] = at[insn.src]
    elif insn.code == ADD64 and insn.dst in at:
        at[insn.dst] += insn.imm
    elif insn.kind in (Class.LD, Class.LDX, Class.ALU, Class.ALU64) and insn.dst != FRAME:
        at.pop(insn.dst, None)
