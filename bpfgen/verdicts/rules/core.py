"""CO-RE: what the object asks of the kernel's types."""

from __future__ import annotations

from collections.abc import Iterator

from bpfgen.bpf.resolve import AMBIGUOUS, MISSING, REFUSED, Place, Resolution
from bpfgen.verdicts.case import Case
from bpfgen.verdicts.model import CONDITIONAL, FAILS, OK, UNKNOWN, Reason
from bpfgen.verdicts.subject import Loaded, Site
from bpfgen.verdicts.target import BTF


def types(case: Case) -> Iterator[Reason]:
    """Kernels whose types aren't known, or that have none."""
    asked = len(case.subject.found.relocations)
    if case.target.types is not None or not asked:
        return
    if case.target.has("feature", "types_of_own").has is False:
        message = f"the kernel has no types of its own: the loader must be given them, for {asked} relocations (CO-RE)"
        yield case.reason(CONDITIONAL, "core", "", message)
    else:
        message = f"the kernel's types aren't known, which {asked} relocations (CO-RE) are for: give its table  btf = …"
        yield case.reason(UNKNOWN, "core", "", message)


def refused(case: Case) -> Iterator[Reason]:
    """What the loader stops at, whether it is reached or not."""
    bad = {place: each for place, each in case.resolutions.items() if each.state in (AMBIGUOUS, REFUSED)}
    seen = set()
    for function in case.subject.found.functions if bad else ():
        for insn in function.code:
            each = bad.get((function.section, insn.slot))
            if each is not None and each.message not in seen:
                seen.add(each.message)
                yield _reason(case, FAILS, each, None, (function, insn.slot))


def missing(case: Case) -> Iterator[Reason]:
    """Fields, types and values that the kernel doesn't have: bad only where the verifier comes to them."""
    gone = {place: each for place, each in case.resolutions.items() if each.state == MISSING}
    for program in case.subject.programs if gone else ():
        for each, sites in _asked(program, gone).values():
            site = case.live(program, sites)
            yield _reason(case, OK if site is None else FAILS, each, program, site or sites[0])


def _asked(program: Loaded, gone: dict[Place, Resolution]) -> dict[str, tuple[Resolution, list[Site]]]:
    """What a program asks for that isn't there, by the message, and where."""
    found: dict[str, tuple[Resolution, list[Site]]] = {}
    for function in program.functions:
        for insn in function.code:
            each = gone.get((function.section, insn.slot))
            if each is not None:
                found.setdefault(each.message, (each, []))[1].append((function, insn.slot))
    return found


def _reason(case: Case, verdict: str, each: Resolution, program: Loaded | None, site: Site) -> Reason:
    """The message of a resolution begins with what was asked for, which is the name here."""
    path = each.relocation.access.path
    said = each.message.removeprefix(f"{path}: ")
    message = f"{said}, but the verifier doesn't come to it" if verdict == OK else said
    return case.reason(verdict, "core", path, message, program, site, BTF)
