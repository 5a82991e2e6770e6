"""All that `bpfgen check` and the report show, from verdicts and what a project makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bpfgen.errors import Location
from bpfgen.findings.policy import ERROR, Finding, findings, judge, unused
from bpfgen.findings.rows import Row, Upstream, ordered, rows
from bpfgen.findings.rules import Rules, from_json
from bpfgen.findings.stored import read
from bpfgen.frozen import frozen
from bpfgen.matrix import matches
from bpfgen.verdicts.model import Verdict


@frozen
class Selection:
    """Globs that choose verdicts."""

    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    kernels: Sequence[str] = ()

    @property
    def is_all(self) -> bool:
        """Whether it leaves nothing out."""
        return not (self.only or self.skip or self.kernels)


@frozen
class Checked:
    """What there is to show."""

    kernels: tuple[str, ...]
    """Kernel targets, the oldest first: columns of the rows."""
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    """The worst first."""
    unused: tuple[int, ...]
    """Those of `check.allow` that accept nothing, by index; only where all verdicts are looked at."""

    @property
    def is_ok(self) -> bool:
        """Whether there is no error."""
        return all(finding.level != ERROR for finding in self.findings)


def checked(verdicts: Iterable[Verdict], kernels: Upstream, rules: Rules, selection: Selection) -> Checked:
    """What is shown of the verdicts that a selection leaves."""
    judged = judge(_selected(verdicts, selection), rules)
    names = {each.verdict.kernel for each in judged}
    asked = {name: version for name, version in kernels.items() if name in names}
    left = unused(judged, rules) if selection.is_all else []
    return Checked(tuple(ordered(asked)), tuple(rows(judged, asked)), tuple(findings(judged)), tuple(left))


def of_plan(plan: Mapping[str, Any]) -> Checked:
    """All that there is to show of a build, by its `plan.json`; raises `Failure`, OSError."""
    part = plan["check"]
    return checked(read(plan["verdicts"]["path"]), part["kernels"], from_json(part["rules"]), Selection())


def _selected(verdicts: Iterable[Verdict], selection: Selection) -> Iterator[Verdict]:
    """As `matrix.select`, but of single kernels and architectures."""
    for verdict in verdicts:
        target = verdict.object[len(verdict.program) + 1 :].partition("@")[0]
        names = (verdict.object, verdict.program, target, verdict.arch, verdict.kernel)
        wanted = not selection.only or matches(names, selection.only)
        on = not selection.kernels or matches((verdict.kernel,), selection.kernels)
        if wanted and on and not matches(names, selection.skip):
            yield verdict


def to_json(checked: Checked) -> dict[str, Any]:
    """As JSON's values; `bpfgen check --help` documents them."""
    return {
        "ok": checked.is_ok,
        "kernels": list(checked.kernels),
        "programs": [_row(row, checked.kernels) for row in checked.rows],
        "findings": list(map(_finding, checked.findings)),
        "unused": list(checked.unused),
    }


def _row(row: Row, kernels: Sequence[str]) -> dict[str, Any]:
    cells = {name: {"verdict": c.verdict, "level": c.level} for name, c in zip(kernels, row.cells) if c}
    head = {"program": row.program, "variant": row.variant, "arches": list(row.arches)}
    return {**head, "loads": row.loads, "kernels": cells}


def _finding(finding: Finding) -> dict[str, Any]:
    reason, line, place = finding.reason, finding.reason.line, finding.place or Location("")
    return {
        "level": finding.level,
        "verdict": reason.verdict,
        "kind": reason.kind,
        "name": reason.name,
        "message": reason.message,
        "program": finding.program,
        "functions": list(finding.functions),
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "text": line.text if line else "",
        "source": reason.source,
        "objects": list(finding.objects),
        "accepted": finding.accepted,
        "kernels": {name: list(arches) for name, arches in finding.kernels},
    }
