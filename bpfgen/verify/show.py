"""Reports as text: a table of objects and kernels, then what was refused, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bpfgen.text import columns, plural
from bpfgen.verify.classify import DESCRIPTION
from bpfgen.verify.model import ACCEPTED, FAILS, OK, UNDESCRIBED, VERDICTS, Program, Report, Verified

Paint = Callable[[str, str], str]
"""Text and a verdict → the text in the verdict's colour."""


def table(reports: Sequence[Report], paint: Paint) -> str:
    """A row for each object, a column for each kernel and architecture."""
    heads = [f"{report.kernel} {report.arch}" for report in reports]
    verdicts = [{each.object: each.verdict for each in report.objects} for report in reports]
    names = dict.fromkeys(each.object for report in reports for each in report.objects)
    rows = [["", *heads], *([name, *(each.get(name, "-") for each in verdicts)] for name in names)]
    # Colours have no width: they are put on when the columns stand.
    lines = columns(rows).splitlines()
    return "\n".join([lines[0], *(_painted(line, len(max(names, key=len, default="")), paint) for line in lines[1:])])


def _painted(line: str, start: int, paint: Paint) -> str:
    rest = line[start:]
    for verdict in VERDICTS:
        rest = rest.replace(f"  {verdict}", f"  {paint(verdict, verdict)}")
    return line[:start] + rest


def details(report: Report, verbose: bool) -> Iterator[str]:
    """Lines on each object that isn't simply loaded."""
    place = f"{report.kernel} {report.arch} ({report.release})"
    for each in report.objects:
        if each.unneeded:
            yield f"{each.object} on {place}: loads, so the table of its program need not accept anything there"
        if each.verdict != OK or verbose:
            yield from _object(each, place, verbose)


def _object(each: Verified, place: str, verbose: bool) -> Iterator[str]:
    why = f": {each.refusal.kind}: {each.refusal.text}" if each.refusal else ""
    yield f"{each.object} on {place}: {each.verdict}{why}"
    if each.accepted:
        yield f"  accepted: {each.accepted}"
    if each.assumed:
        sizes = ", ".join(f"{name} = {size}" for name, size in each.assumed)
        if verbose:
            yield f"  sizes of maps that nobody named: {sizes}"
    for program in each.programs:
        if program.refusal and each.verdict != ACCEPTED:
            yield from _program(each, program, verbose)
        elif verbose and program.count:
            count = program.count
            states = f"{plural(count.states, 'state')}, {count.peak} at once"
            yield f"  {program.name}: {plural(count.instructions, 'instruction')}, {states}"


def _program(owner: Verified, program: Program, verbose: bool) -> Iterator[str]:
    assert program.refusal is not None
    may = ", and may be" if program.optional else ""
    yield f"  {program.name} ({program.section}) is refused{may}: {program.refusal.text}"
    if program.refusal.kind == DESCRIPTION:
        table = f"[program.{owner.object.partition('/')[0]}.load]"
        yield f'    hint: name the function:  attach = {{ {program.name} = "…" }}  in {table}'
    if program.refusal.kind == "verifier" or verbose:
        yield from (f"    {line}" for line in program.log[-(24 if verbose else SHORT) :])


SHORT = 6
"""Lines of a verifier's log."""


def summary(reports: Sequence[Report]) -> str:
    """One line for all of them."""
    verdicts = [each.verdict for report in reports for each in report.objects]
    objects = len({each.object for report in reports for each in report.objects})
    words = {OK: "loaded", ACCEPTED: "refused as accepted", UNDESCRIBED: "undescribed", FAILS: "refused"}
    counts = [f"{verdicts.count(verdict)} {word}" for verdict, word in words.items() if verdict in verdicts]
    return f"bpfgen: {plural(objects, 'object')} on {plural(len(reports), 'kernel')}: {', '.join(counts)}"
