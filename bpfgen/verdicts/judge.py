"""Object × kernel → verdict: every rule is asked, the worst reason counts."""

from __future__ import annotations

from bpfgen.verdicts.case import Case
from bpfgen.verdicts.model import VERDICTS, Reason
from bpfgen.verdicts.rules import RULES
from bpfgen.verdicts.subject import Subject
from bpfgen.verdicts.target import Target


def judge(subject: Subject, target: Target) -> tuple[Reason, ...]:
    """What is to be said of an object on a kernel, the worst first, then by program and line. Raises Malformed."""
    case = Case(subject, target)
    return tuple(sorted({reason for rule in RULES for reason in rule(case)}, key=_order))


def _order(reason: Reason) -> tuple[int, str, str, int, int, str, str]:
    line = reason.line
    place = (line.file, line.number, line.column) if line is not None else ("", 0, 0)
    return -VERDICTS.index(reason.verdict), reason.program, *place, reason.kind, reason.name
