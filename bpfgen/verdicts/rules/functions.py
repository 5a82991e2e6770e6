"""Global functions, which the verifier looks at by themselves: what they take, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator

from bpfgen.bpf.arguments import passed
from bpfgen.bpf.btf import Btf, Kind, Type
from bpfgen.bpf.code import Function
from bpfgen.catalog import table
from bpfgen.verdicts.case import Case
from bpfgen.verdicts.model import Reason
from bpfgen.verdicts.subject import CILIUM, Loaded, Site

GLOBAL = 1
"""BTF_FUNC_GLOBAL; libbpf makes hidden ones static, cilium/ebpf doesn't."""
ELEMENTS = {
    "bpf_map_lookup_elem": {2: "key"},
    "bpf_map_update_elem": {2: "key", 3: "value"},
    "bpf_map_delete_elem": {2: "key"},
    "bpf_map_push_elem": {2: "value"},
    "bpf_map_lookup_percpu_elem": {2: "key"},
}
"""Helper → the registers in which it takes a map's keys and values (ARG_PTR_TO_MAP_KEY, ARG_PTR_TO_MAP_VALUE)."""


def pointers(case: Case) -> Iterator[Reason]:
    """Pointers to something else than the context that global functions take (btf_prepare_func_args)."""
    answer = case.target.has("feature", "global_pointer")
    if answer.has:
        return
    for program, called, sites, taken in _called(case):
        if taken:
            what = f"{table('kernels')['feature']['global_pointer']['text']}, such as {called.name}"
            reason = case.missing(answer, "call", called.name, what, program, sites)
            if reason is not None:
                yield reason


def elements(case: Case) -> Iterator[Reason]:
    """What a global function was given, as a map's key or value: to the verifier it is memory of no particular kind."""
    answer = case.target.has("feature", "memory_element")
    if answer.has:
        return
    for program, called, _sites, taken in _called(case):
        for each in passed(called):
            element = ELEMENTS.get(each.helper, {}).get(each.register)
            if element is None or each.argument not in taken:
                continue
            what = (
                f"{table('kernels')['feature']['memory_element']['text']}: {called.name} gives its own to {each.helper}"
            )
            reason = case.missing(answer, "call", called.name, what, program, [(called, each.slot)], soft=True)
            if reason is not None:
                yield reason
                break


def _called(case: Case) -> Iterator[tuple[Loaded, Function, tuple[Site, ...], frozenset[int]]]:
    """Each global function that a program calls, where it does, and which arguments are pointers, from 1 on."""
    btf = case.subject.found.btf
    if case.target.has("feature", "global_function").has is False or btf is None:
        return
    prototypes = {each.name: each for each in btf if each.kind is Kind.FUNC and btf.linkage(each) == GLOBAL}
    for program in case.subject.programs:
        for name, sites in program.of("call").items():
            called = next((each for each in program.functions if each.name == name), None)
            if called is not None and name in prototypes and (not called.static or case.subject.loader == CILIUM):
                yield program, called, sites, _pointers(btf, prototypes[name])


def _pointers(btf: Btf, function: Type) -> frozenset[int]:
    """The parameters that are pointers, and not to what programs are called with."""
    contexts = {*table("kernels")["context"]["names"]}
    found = set()
    for number, parameter in enumerate(btf.parameters(btf.plain(function.target)), 1):
        kind = btf.plain(parameter.type)
        if kind.kind is Kind.PTR and not {btf.type(kind.target).name, btf.plain(kind.target).name} & contexts:
            found.add(number)
    return frozenset(found)
