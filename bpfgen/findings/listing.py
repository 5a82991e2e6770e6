"""Verdicts as text: a table, and findings as compilers write them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from bpfgen.errors import Location
from bpfgen.findings.policy import ACCEPTED, ERROR, NOTE, WARNING, Finding
from bpfgen.findings.rows import Cell, Row, totals
from bpfgen.text import columns, plural
from bpfgen.verdicts.model import CONDITIONAL, FAILS, OK, UNKNOWN

Painter = Callable[[str, str], str]
"""Text, and the colour that it gets where there are colours."""
COLOURS = {OK: "green", CONDITIONAL: "yellow", UNKNOWN: "yellow", FAILS: "red", ERROR: "red", WARNING: "yellow"}
SHORT = 3
"""Findings of a program that are shown unasked, and functions of a finding."""


def table(rows: Sequence[Row], kernels: Sequence[str], paint: Painter) -> str:
    """Programs × kernels; a verdict is a word, in brackets where it is accepted."""
    head = ("PROGRAM", "ARCHITECTURES", *kernels, "LOADS")
    lines = [(row.name, " ".join(row.arches), *map(word, row.cells), row.loads) for row in rows]
    colours = {shown: colour for name, colour in COLOURS.items() for shown in (name, f"({name})")}

    def cell(column: int, text: str) -> str:
        colour = colours.get(text.rstrip()) if 2 <= column < len(head) - 1 else None
        return paint(text, colour) if colour else text

    return columns([head, *lines], cell)


def word(cell: Cell | None) -> str:
    """A cell of the table."""
    if cell is None:
        return "-"
    return f"({cell.verdict})" if cell.level == ACCEPTED else cell.verdict


def summary(rows: Sequence[Row], findings: Sequence[Finding]) -> str:
    """One line."""
    counts = ", ".join(f"{count} {_of(verdict, count)}" for verdict, count in totals(rows).items() if count)
    levels = [sum(finding.level == level for finding in findings) for level in (ERROR, WARNING, ACCEPTED)]
    words = [
        plural(levels[0], "error"),
        plural(levels[1], "warning"),
        *([f"{levels[2]} accepted"] if levels[2] else []),
    ]
    programs = plural(len({row.program for row in rows}), "program")
    return f"{programs} on {plural(len(rows[0].cells) if rows else 0, 'kernel')}: {counts}; {', '.join(words)}"


def _of(verdict: str, count: int) -> str:
    return "fail" if verdict == FAILS and count != 1 else verdict


def where(finding: Finding) -> str:
    """Where it holds: `lts510, lts54 arm64`."""
    if finding.all_kernels:
        return "every kernel"
    names = (name if name in finding.everywhere else f"{name} {' '.join(own)}" for name, own in finding.kernels)
    return ", ".join(names)


def message(finding: Finding) -> str:
    """A finding as a sentence, without its place and level."""
    functions = few(finding.functions)
    subject = f"{finding.program}/{functions}" if functions else finding.program
    accepted = f", accepted: {finding.accepted}" if finding.level == ACCEPTED else ""
    return f"{subject}: {finding.reason.message} (on {where(finding)}){accepted} [{finding.need}]"


def few(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - SHORT
    return ", ".join(names[:SHORT]) + (f" and {more} more" if more > 0 else "")


def level(name: str) -> str:
    """A level as compilers call it."""
    return NOTE if name == ACCEPTED else name


def line(place: Location, name: str, message: str, paint: Painter) -> str:
    """A finding of a level as compilers write it."""
    colour = COLOURS.get(level(name))
    return f"{place}: {paint(level(name), colour) if colour else level(name)}: {message}"


def short(findings: Sequence[Finding]) -> tuple[list[Finding], str]:
    """Errors and warnings, a few of each program; and a line about those that are left out, empty where none are."""
    shown: list[Finding] = []
    left: list[Finding] = []
    for finding in (each for each in findings if each.level in {ERROR, WARNING}):
        few = sum(each.program == finding.program for each in shown) < SHORT
        (shown if few else left).append(finding)
    programs = ", ".join(dict.fromkeys(finding.program for finding in left))
    return shown, f"… and {len(left)} more of {programs}: bpfgen check -v shows all" if left else ""


def lines(
    findings: Iterable[Finding], place: Callable[[Finding], Location], paint: Painter, sources: bool
) -> Iterator[str]:
    """Findings as compilers write them; with `sources`, with the text of their source lines."""
    for finding in findings:
        yield line(place(finding), finding.level, message(finding), paint)
        if sources and finding.reason.line and finding.reason.line.text:
            yield f"    {finding.reason.line.text}"
