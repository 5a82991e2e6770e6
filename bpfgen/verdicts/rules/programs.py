"""Programs: their types, what they are attached as, whether they sleep, how long they are."""

from __future__ import annotations

from collections.abc import Iterator

from bpfgen.bpf.code import Function
from bpfgen.bpf.programs import section_rule
from bpfgen.catalog import table
from bpfgen.verdicts.case import Case
from bpfgen.verdicts.model import CONDITIONAL, FAILS, OK, Reason
from bpfgen.verdicts.target import BTF

STATIC = "sk_filter_func_proto"
"""A static function of net/core/filter.c: kernels in whose types it is have such functions in them."""
LATER = frozenset({"tc/ingress", "tc/egress"})
"""Sections whose attach type is for one way of several to attach: the old way knows none."""
SLEEPING = {"kprobe": "sleepable_uprobe", "struct_ops": "sleepable_struct_ops"}
"""Types that were let to sleep later than others."""
MILLION, THOUSANDS = 1_000_000, 4096
"""Instructions of one program (linux/bpf_common.h: BPF_MAXINSNS; linux/bpf.h: BPF_COMPLEXITY_LIMIT_INSNS)."""


def types(case: Case) -> Iterator[Reason]:
    """A kernel refuses a type that it doesn't know, or that it was built without."""
    for program in case.subject.programs:
        kind = program.info.type
        if kind == "unspec":
            message = (
                f'SEC("{program.info.section}") doesn\'t say what type of program it is: it must be told at run time'
            )
            yield case.reason(CONDITIONAL, "program_type", "unspec", message, program)
            continue
        answer = case.target.has("program_type", kind)
        reason = case.missing(answer, "program_type", kind, f"programs of the type {kind}", program)
        if reason is not None:
            yield reason
        elif _is_left_out(case, kind):
            message = f"the kernel was built without programs of the type {kind}"
            yield case.reason(FAILS, "program_type", kind, message, program, source=BTF)


def _is_left_out(case: Case, kind: str) -> bool:
    """Whether the kernel was built without programs of a type that it has a number for."""
    function = table("kernels")["program"].get(kind)
    return bool(function and case.target.function(STATIC) and not case.target.function(function))


def attach_types(case: Case) -> Iterator[Reason]:
    """Programs that can't be attached as they say; a loader leaves out what is optional."""
    for program in case.subject.programs:
        name = program.info.attach_type
        flags = section_rule(program.info.section).flags
        if not name or "optional" in flags or program.info.section in LATER:
            continue
        reason = case.missing(
            case.target.has("attach_type", name), "attach_type", name, f"the attach type {name}", program
        )
        if reason is not None:
            yield reason


def sleepable(case: Case) -> Iterator[Reason]:
    """Programs that may sleep."""
    for program in case.subject.programs:
        if program.info.sleepable:
            if program.info.type == "syscall":
                continue  # as old as its type
            name = SLEEPING.get(program.info.type, "sleepable")
            reason = case.missing(
                case.target.has("feature", name), "sleepable", program.info.section, _text(name), program
            )
            if reason is not None:
                yield reason


def frags(case: Case) -> Iterator[Reason]:
    """XDP programs that take packets of several buffers."""
    for program in case.subject.programs:
        if "frags" in section_rule(program.info.section).flags:
            answer = case.target.has("feature", "frags")
            reason = case.missing(answer, "program_type", program.info.section, _text("frags"), program)
            if reason is not None:
                yield reason


def limits(case: Case) -> Iterator[Reason]:
    """The number of instructions, with those of the functions that are called."""
    for program in case.subject.programs:
        length = sum(map(slots, program.functions))
        if length > MILLION:
            message = f"it has {length:,} instructions, and no kernel takes more than {MILLION:,}"
            yield case.reason(FAILS, "limit", "instructions", message, program)
        elif length > THOUSANDS:
            answer = case.target.has("feature", "million")
            what = f"{_text('million')}: it has {length:,}"
            reason = case.missing(answer, "limit", "instructions", what, program)
            if reason is not None:
                yield reason


def left_out(case: Case) -> Iterator[Reason]:
    """Programs that the loader doesn't load unasked, so that nothing is said of them."""
    for info in case.subject.left:
        message = f'{info.name} isn\'t loaded unasked, by the ? in SEC("?{info.section}")'
        yield Reason(OK, "program_type", info.type, message, info.name)


def slots(function: Function) -> int:
    """The length of a function, as the kernel counts it."""
    last = function.code[-1]
    return last.slot - function.start + (2 if last.wide else 1)


def _text(feature: str) -> str:
    return str(table("kernels")["feature"][feature]["text"])
