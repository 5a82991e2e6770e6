"""Programs that use more stack than kernels allow, or nearly so."""

from __future__ import annotations

from collections.abc import Iterator

from bpfgen.bpf.stack import LIMIT, LOOSE, STRICT, Stack, own_depth, rounded, stacks
from bpfgen.lints.case import Case
from bpfgen.lints.model import Found
from bpfgen.verdicts.subject import Loaded


def stack_limit(case: Case) -> Iterator[Found]:
    """Chains of calls that no kernel takes."""
    for program in filter(_has_code, case.subject.programs):
        stack = stack_of(program, LOOSE)
        if stack.depth > LIMIT:
            message = f"{_use(stack, LOOSE)} of stack: the kernel refuses more than {LIMIT}"
            yield Found(message, case.head(stack.chain[0]))


def stack_near(case: Case) -> Iterator[Found]:
    """Chains in which not even an empty function can be called."""
    for program in filter(_has_code, case.subject.programs):
        stack = stack_of(program, STRICT)
        if stack.depth > LIMIT - STRICT and stack_of(program, LOOSE).depth <= LIMIT:
            too_much = stack.depth > LIMIT
            more = f": kernels that round frames up to {STRICT} refuse it" if too_much else f" of {LIMIT}"
            yield Found(f"{_use(stack, STRICT)} of stack{more}", case.head(stack.chain[0]))


def stack_of(program: Loaded, step: int) -> Stack:
    """A program's stack, with all that it calls."""
    first = program.functions[0]
    return stacks(program.functions, step)[first.section, first.start]


def _has_code(program: Loaded) -> bool:
    return bool(program.functions)


def _use(stack: Stack, step: int) -> str:
    names = " → ".join(function.name for function in stack.chain)
    frames = " + ".join(str(rounded(own_depth(function), step)) for function in stack.chain)
    return f"{names} uses {stack.depth} bytes" + (f" ({frames})" if len(stack.chain) > 1 else "")
