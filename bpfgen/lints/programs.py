"""Programs: their licence, what they call, for which architecture they are, who loads them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bpfgen.bpf.code import Function
from bpfgen.bpf.programs import SUBPROGRAMS
from bpfgen.catalog import table, version
from bpfgen.errors import Location
from bpfgen.lints.case import Case
from bpfgen.lints.model import Found
from bpfgen.verdicts.rules.code import FREE, is_gpl

REGISTERS = frozenset(("pt_regs", "user_pt_regs", "user_regs_struct"))
"""Structures whose members have other names on each architecture."""
_TEST = re.compile(r"\s*#\s*(?:if|ifdef|ifndef|elif)\b.*\b(__TARGET_ARCH_\w+)")


def target_arch(case: Case) -> Iterator[Found]:
    """What differs between architectures, in a program for all of them."""
    if not case.config.program[case.unit.key].portable:
        return
    for path in case.own:
        for number, line in enumerate(case.tree.code(path), 1):
            match = _TEST.match(line)
            if match:
                message = f"{match[1]} is defined for no architecture where portable = true"
                yield Found(message, Location(path, number))
    found = case.subject.found
    for each in found.relocations:
        if each.access.path.partition(".")[0].partition("___")[0] in REGISTERS:
            function = next((one for one in found.functions if _has(one, each.section, each.slot)), None)
            message = f"{each.access.path} is a register of one architecture, and the program is portable"
            yield Found(message, case.at((function, each.slot)) if function is not None else None)


def _has(function: Function, section: str, slot: int) -> bool:
    return function.section == section and function.code[0].slot <= slot <= function.code[-1].slot


def licence_missing(case: Case) -> Iterator[Found]:
    """Objects with programs, and no licence."""
    if case.subject.programs and not case.subject.found.license:
        yield Found('there is no licence: char LICENSE[] SEC("license") = "…"')


def licence_gpl(case: Case) -> Iterator[Found]:
    """What is for GPL-compatible programs alone, in others."""
    licence = case.subject.found.license
    if licence in FREE:
        return
    said = f'the licence here is "{licence}"' if licence else "there is none here"
    for program in case.subject.programs:
        for kind in ("helper", "kfunc"):
            for name, sites in program.of(kind).items():
                if kind == "kfunc" or is_gpl(name):
                    for site in sites:
                        yield Found(f"{name} needs a GPL-compatible licence, and {said}", case.at(site))
        if program.info.type in ("lsm", "struct_ops"):
            message = f"programs of the type {program.info.type} need a GPL-compatible licence, and {said}"
            yield Found(message, case.head(program.functions[0]) if program.functions else None)


def dead_program(case: Case) -> Iterator[Found]:
    """Programs in sections whose name means nothing."""
    for program in case.subject.programs:
        if program.info.type == "unspec":
            message = f'nothing loads {program.name}: no loader knows SEC("{program.info.section}")'
            yield Found(message, case.head(program.functions[0]) if program.functions else None)


def dead_function(case: Case) -> Iterator[Found]:
    """Functions that are in the object for nobody."""
    reached = {(each.section, each.start) for program in case.subject.programs for each in program.functions}
    for each in case.subject.found.functions:
        if each.section == SUBPROGRAMS and (each.section, each.start) not in reached:
            yield Found(f"no program calls {each.name}", case.head(each))


def deprecated_helper(case: Case) -> Iterator[Found]:
    """Helpers that have a successor on all kernels that the program is for, as far as these are known."""
    known = [version(each) for each in case.versions if each is not None]
    for program in case.subject.programs:
        for name, row in table("deprecated")["helper"].items():
            if all(each >= version(row["since"]) for each in known):
                for site in program.of("helper").get(name, ()):
                    yield Found(f"{name} is deprecated: use {row['instead']}", case.at(site))


def deprecated_section(case: Case) -> Iterator[Found]:
    """Names of sections that have a successor."""
    for program in case.subject.programs:
        row = table("deprecated")["section"].get(program.info.section)
        if row is not None and program.functions:
            message = f'SEC("{program.info.section}") is deprecated: use SEC("{row["instead"]}")'
            yield Found(message, case.head(program.functions[0]))
