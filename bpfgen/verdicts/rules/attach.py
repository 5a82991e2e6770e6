"""What a program is attached to when it is loaded: a function, a tracepoint or a hook that the kernel's types have."""

from __future__ import annotations

from collections.abc import Iterator

from bpfgen.bpf.btf import Kind
from bpfgen.bpf.programs import section_rule
from bpfgen.catalog import table
from bpfgen.verdicts.case import Case
from bpfgen.verdicts.model import CONDITIONAL, FAILS, UNKNOWN, Reason
from bpfgen.verdicts.rules.maps import without
from bpfgen.verdicts.subject import Loaded
from bpfgen.verdicts.target import BTF

KINDS = {
    "trace_raw_tp": ("btf_trace_", Kind.TYPEDEF, "tracepoint"),
    "trace_iter": ("bpf_iter_", Kind.FUNC, "iterator"),
    "lsm_mac": ("bpf_lsm_", Kind.FUNC, "hook of a security module"),
    "lsm_cgroup": ("bpf_lsm_", Kind.FUNC, "hook of a security module"),
}
"""Attach type → how its targets are called in the kernel's types (libbpf's btf_get_kernel_prefix_kind)."""
FUNCTIONS = ("", Kind.FUNC, "function")
TRAMPOLINES = frozenset({"trace_fentry", "trace_fexit", "modify_return", "lsm_mac", "trace_fsession"})
PLACEHOLDER = "dummy_"
"""What libbpf-tools call targets that they name at run time."""


def targets(case: Case) -> Iterator[Reason]:
    """Targets that the kernel doesn't have, and architectures on which it can't be attached to any."""
    for program in case.subject.programs:
        if "btf" not in section_rule(program.info.section).flags:
            continue
        yield from _target(case, program)
        if program.info.attach_type in TRAMPOLINES or program.info.type == "ext":
            name = "trampoline" if program.info.type == "ext" else "trampoline_of_kernel"
            what = f"{table('kernels')['jit'][name]['text']} (on {case.target.known.arch})"
            answer = case.target.has("jit", name)
            reason = case.missing(answer, "attach_type", program.info.attach_type or "ext", what, program)
            if reason is not None:
                yield reason


def _target(case: Case, program: Loaded) -> Iterator[Reason]:
    name, types = program.info.attach_to, case.target.types
    section = program.info.section
    if program.info.type == "ext":
        message = f'SEC("{section}") replaces a function of another program, which is named at run time'
        yield case.reason(CONDITIONAL, "attach_target", name, message, program)
        return
    prefix, kind, what = KINDS.get(program.info.attach_type, FUNCTIONS)
    if not name:
        message = f'SEC("{section}") names no {what}: it must be told at run time'
        yield case.reason(CONDITIONAL, "attach_target", "", message, program)
    elif case.target.known.shipped:
        message = f"the kernel has no types of its own, by which programs are attached to the {what} {name}"
        yield case.reason(FAILS, "attach_target", name, message, program)
    elif types is None:
        message = f"the kernel's types aren't known, so whether it has the {what} {name} isn't"
        yield case.reason(UNKNOWN, "attach_target", name, message, program)
    elif not types.find(prefix + name, kind):
        yield _missing(case, program, name, what)


def _missing(case: Case, program: Loaded, name: str, what: str) -> Reason:
    if name.startswith(PLACEHOLDER):
        message = f"the kernel has no {what} {name}: the true one must be told at run time"
        return case.reason(CONDITIONAL, "attach_target", name, message, program, source=BTF)
    verdict, end = without(case, name, "module_target")
    message = f"the kernel itself has no {what} {name}{end}"
    return case.reason(verdict, "attach_target", name, message, program, source=BTF)
