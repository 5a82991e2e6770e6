"""What lints found, as text. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from bpfgen.errors import Location
from bpfgen.findings import github
from bpfgen.findings.listing import Painter, few, line
from bpfgen.findings.policy import ACCEPTED, ERROR, NOTE, WARNING
from bpfgen.lints.linted import Linted
from bpfgen.lints.model import Finding, lints
from bpfgen.text import plural


def message(finding: Finding) -> str:
    """A finding as a sentence, without its place and level."""
    accepted = f", accepted: {finding.accepted}" if finding.level == ACCEPTED else ""
    return f"{few(finding.programs)}: {finding.message}{accepted} [{finding.code}]"


def shown(findings: Iterable[Finding], everything: bool) -> list[Finding]:
    """Without what is accepted, unless everything is asked for."""
    return [each for each in findings if everything or each.level != ACCEPTED]


def lines(findings: Sequence[Finding], paint: Painter) -> Iterator[str]:
    """Findings as compilers write them; the first of a code has a hint."""
    explained: set[str] = set()
    for each in findings:
        yield line(each.place, each.level, message(each), paint)
        if each.code not in explained and each.level != ACCEPTED:
            explained.add(each.code)
            yield f"  hint: {lints()[each.code].help}"


def workflow(findings: Iterable[Finding], place: Callable[[Finding], Location]) -> Iterator[str]:
    """Commands of a GitHub workflow."""
    for each in findings:
        if each.level != ACCEPTED:
            yield github.command(each.level, place(each), lints()[each.code].title, message(each))


def summary(result: Linted) -> str:
    """One line."""
    counts = [sum(each.level == level for each in result.findings) for level in (ERROR, WARNING, NOTE, ACCEPTED)]
    words = [plural(count, name) for count, name in zip(counts, (ERROR, WARNING, NOTE))]
    accepted = [f"{counts[3]} accepted"] if counts[3] else []
    return f"{plural(result.objects, 'object')}: {', '.join([*words, *accepted])}"
