"""Instructions: what they call, which instruction set they are of, how they call each other."""

from __future__ import annotations

from collections.abc import Iterator

from bpfgen.bpf.code import Function
from bpfgen.bpf.insns import EXIT, JA, JA32
from bpfgen.bpf.isa import UNKNOWN as NO_OPCODE
from bpfgen.bpf.needs import FEATURE
from bpfgen.catalog import features, table
from bpfgen.verdicts.case import Case
from bpfgen.verdicts.model import CONDITIONAL, FAILS, OK, Reason
from bpfgen.verdicts.subject import Loaded, Site

READS = frozenset(f"bpf_probe_read_{kind}" for kind in ("kernel", "user", "kernel_str", "user_str"))
"""Loaders write bpf_probe_read for these where the kernel lacks them."""
FREE = ("GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL")
"""linux/license.h: license_is_gpl_compatible"""
ATOMICS = frozenset({"atomic", "atomic_fetch", "load_acquire_store_release"})


def helpers(case: Case) -> Iterator[Reason]:
    """Helpers that the kernel doesn't have."""
    for program in case.subject.programs:
        for name, sites in program.of("helper").items():
            answer = case.target.has("helper", name)
            if answer.has is False and name in READS:
                message = f"the kernel lacks {name}: the loader writes bpf_probe_read instead"
                yield case.reason(OK, "helper", name, message, program, sites[0], answer.source)
                continue
            what = f"the helper {name}" if not name.isdigit() else f"a helper of the number {name}"
            reason = case.missing(answer, "helper", name, what, program, sites, soft=True)
            if reason is not None:
                yield reason


def allowed(case: Case) -> Iterator[Reason]:
    """Helpers that the kernel has, but not for programs of that type."""
    for program in case.subject.programs:
        kind = program.info.type
        for name, sites in program.of("helper").items():
            answer = case.target.calls(name, kind, program.info.attach_type, program.info.sleepable)
            if answer.has is not False or not case.target.has("helper", name).has:
                continue
            site = case.live(program, sites)
            if site is not None:
                later = f": newer kernels let them, such as {answer.since}" if answer.since else ""
                message = f"programs of the type {kind} may not call {name}{later}"
                yield case.reason(FAILS, "helper", name, message, program, site, answer.source)


def licence(case: Case) -> Iterator[Reason]:
    """Helpers and functions of the kernel that are for programs under the GPL alone."""
    licence = case.subject.found.license
    if licence in FREE:
        return
    for program in case.subject.programs:
        restricted = [(name, sites) for name, sites in program.of("helper").items() if is_gpl(name)]
        restricted += program.of("kfunc").items()
        for name, sites in restricted:
            site = case.live(program, sites)
            if site is not None:
                message = f'{name} is only for programs under the GPL, and the licence here is "{licence}"'
                yield case.reason(FAILS, "licence", name, message, program, site)
        if program.info.type in ("lsm", "struct_ops"):
            message = f'programs of the type {program.info.type} must be under the GPL: the licence here is "{licence}"'
            yield case.reason(FAILS, "licence", program.info.type, message, program)


def instructions(case: Case) -> Iterator[Reason]:
    """Instructions that the verifier doesn't know. What it looks at wherever it stands, such as an opcode, is hard."""
    rows = table("isa")["feature"]
    for program in case.subject.programs:
        for name, sites in program.of(FEATURE).items():
            if name == NO_OPCODE or rows[name].get("kernel") == "none":
                message = "no kernel knows this instruction" if name == NO_OPCODE else f"no kernel takes {name}"
                yield case.reason(FAILS, "isa", name, message, program, sites[0])
                continue
            answer = case.target.has("isa", name)
            reason = case.missing(answer, "isa", name, _what(name), program, sites, _is_soft(case, name))
            if reason is not None:
                yield reason
            elif name == "atomic_fetch":
                yield from _compiled(case, name, program, sites)


def _compiled(case: Case, name: str, program: Loaded, sites: tuple[Site, ...]) -> Iterator[Reason]:
    """An instruction that the verifier takes, and the JIT doesn't: without an interpreter it can't run."""
    arch = case.target.known.arch
    answer = case.target.has("jit", name)
    if answer.has is False:
        message = (
            f"the JIT compiler of {arch} lacks {_what(name)}{answer.lately}: it loads where there is an interpreter"
        )
        yield case.reason(CONDITIONAL, "isa", name, message, program, sites[0], answer.source)


def calls(case: Case) -> Iterator[Reason]:
    """Functions of the object: called, given to helpers, and mixed with tail calls."""
    for program in case.subject.programs:
        for kind, feature in (("call", "bpf_to_bpf"), ("function", "callback")):
            for name, sites in program.of(kind).items():
                what = f"{table('kernels')['feature'][feature]['text']}, such as {name}"
                reason = case.missing(case.target.has("feature", feature), "call", name, what, program, sites)
                if reason is not None:
                    yield reason
                    break
        jumps = program.of("helper").get("bpf_tail_call", ())
        if jumps and program.of("call"):
            answer = case.target.has("jit", "tail_call_mixed")
            what = f"{table('kernels')['jit']['tail_call_mixed']['text']} (on {case.target.known.arch})"
            reason = case.missing(answer, "call", "bpf_tail_call", what, program, jumps)
            if reason is not None:
                yield reason


def loops(case: Case) -> Iterator[Reason]:
    """Jumps back to where the code comes from."""
    answer = case.target.has("feature", "loop")
    if answer.has:
        return
    for program in case.subject.programs:
        sites = [(function, slot) for function in program.functions for slot in back_edges(function)]
        reason = case.missing(answer, "limit", "loop", "loops", program, sites) if sites else None
        if reason is not None:
            yield reason


def back_edges(function: Function) -> Iterator[int]:
    """The jumps to an instruction that leads to them, by a walk in depth as check_cfg() of the kernel's verifier."""
    after = {insn.slot: insn.slot + (2 if insn.wide else 1) for insn in function.code}
    jumps = {insn.slot: insn for insn in function.code if insn.target is not None and insn.code & 7 in (5, 6)}
    ends = {insn.slot for insn in function.code if insn.code in (EXIT, JA, JA32)}

    def next_slots(slot: int) -> list[int]:
        ahead = [] if slot in ends or slot not in after else [after[slot]]
        target = jumps[slot].target if slot in jumps and jumps[slot].code != 0x85 else None
        return [*ahead, *([target] if target is not None else [])]

    seen, path = {function.start}, {function.start}
    stack = [(function.start, iter(next_slots(function.start)))]
    while stack:
        slot, ahead = stack[-1]
        for target in ahead:
            if target in path:
                yield slot
            elif target not in seen:
                seen.add(target)
                path.add(target)
                stack.append((target, iter(next_slots(target))))
                break
        else:
            path.discard(slot)
            stack.pop()


def is_gpl(helper: str) -> bool:
    """Whether only GPL-compatible programs may call a helper."""
    return bool(features("helper").get(helper, {}).get("gpl"))


def _is_soft(case: Case, name: str) -> bool:
    """Before atomics had kinds, their number was looked at anywhere (resolve_pseudo_ldimm64: "reserved fields")."""
    if name in ATOMICS:
        return bool(case.target.has("isa", "atomic").has)
    return bool(table("isa")["feature"][name].get("soft"))


def _what(name: str) -> str:
    return f"the instruction {name}" if name not in ATOMICS else str(table("isa")["feature"][name]["text"])
