"""What a project makes of verdicts: errors, warnings, and what it accepts. Pure."""

from __future__ import annotations

import dataclasses
import fnmatch
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

from bpfgen.config.schemacheck import Allow
from bpfgen.errors import Location
from bpfgen.findings.rules import Rules
from bpfgen.frozen import frozen
from bpfgen.verdicts.model import FAILS, OK, VERDICTS, Reason, Verdict

NOTE, ACCEPTED, WARNING, ERROR = "note", "accepted", "warning", "error"
LEVELS = (NOTE, ACCEPTED, WARNING, ERROR)
"""From the best to the worst."""


@frozen
class Judged:
    """A verdict, and what each of its reasons counts as."""

    verdict: Verdict
    levels: tuple[str, ...]
    """One for each reason."""
    allowed: tuple[Optional[Allow], ...]
    """What accepts each reason, where it is accepted."""

    @property
    def level(self) -> str:
        """That of the worst reason."""
        return max(self.levels, key=LEVELS.index, default=NOTE)


@frozen
class Finding:
    """A reason, with all functions, kernels and architectures that have it."""

    level: str
    program: str
    """The program's name in `build.toml`."""
    reason: Reason
    """The first function's."""
    functions: tuple[str, ...]
    """BPF programs that have it; none where the whole object does."""
    kernels: tuple[tuple[str, tuple[str, ...]], ...]
    """Kernel targets, each with architectures."""
    everywhere: tuple[str, ...]
    """Those of the kernel targets where all architectures of the program have it."""
    all_kernels: bool
    """Whether these are all kernels that the program is for, and there are several."""
    objects: tuple[str, ...]
    path: str
    """The first object's file."""
    accepted: str = ""
    """Why it is accepted, where it is."""

    @property
    def need(self) -> str:
        """What `check.allow` calls it."""
        return f"{self.reason.kind}:{self.reason.name}"

    @property
    def place(self) -> Optional[Location]:
        """Its line, where it has one; its file without the `./` that compilers are given."""
        line = self.reason.line
        return Location(os.path.normpath(line.file), line.number, line.column) if line else None


def judge(verdicts: Iterable[Verdict], rules: Rules) -> list[Judged]:
    """What each verdict counts as."""
    return [_judged(verdict, rules) for verdict in verdicts]


def _judged(verdict: Verdict, rules: Rules) -> Judged:
    required = verdict.kernel in rules.required.get(verdict.program, ())
    levels, allowed = [], []
    for reason in verdict.reasons:
        allow = None
        if reason.verdict != OK and not required:
            allow = next((each for each in rules.allow if _matches(each, verdict, reason)), None)
        levels.append(_level(reason, required, allow))
        allowed.append(allow)
    return Judged(verdict, tuple(levels), tuple(allowed))


def _level(reason: Reason, required: bool, allow: Optional[Allow]) -> str:
    if reason.verdict == OK:
        return NOTE
    if allow is not None:
        return ACCEPTED
    return ERROR if reason.verdict == FAILS or required else WARNING


def _matches(allow: Allow, verdict: Verdict, reason: Reason) -> bool:
    pairs = (
        (verdict.program, allow.program),
        (verdict.kernel, allow.kernel),
        (verdict.arch, allow.arch),
        (f"{reason.kind}:{reason.name}", allow.need),
    )
    return all(fnmatch.fnmatchcase(name, pattern) for name, pattern in pairs)


def unused(judged: Iterable[Judged], rules: Rules) -> list[int]:
    """The indices of `check.allow` that accept nothing."""
    used = {id(allow) for each in judged for allow in each.allowed if allow is not None}
    return [index for index, allow in enumerate(rules.allow) if id(allow) not in used]


def findings(judged: Sequence[Judged]) -> list[Finding]:
    """Every reason once for each program, the worst first, then by place."""
    arches: dict[tuple[str, str], set[str]] = {}
    groups: dict[tuple[Any, ...], list[tuple[Judged, int]]] = {}
    for each in judged:
        verdict = each.verdict
        arches.setdefault((verdict.program, verdict.kernel), set()).add(verdict.arch)
        for index, reason in enumerate(verdict.reasons):
            accepted = each.allowed[index]
            same = dataclasses.replace(reason, source="", program="")
            key = (verdict.program, each.levels[index], accepted.reason if accepted else "", same)
            groups.setdefault(key, []).append((each, index))
    return sorted((_finding(key, members, arches) for key, members in groups.items()), key=_order)


def _finding(
    key: tuple[Any, ...], members: Sequence[tuple[Judged, int]], arches: Mapping[tuple[str, str], set[str]]
) -> Finding:
    program, level, accepted, _reason = key
    kernels: dict[str, dict[str, None]] = {}
    for each, _index in members:
        kernels.setdefault(each.verdict.kernel, {})[each.verdict.arch] = None
    everywhere = tuple(name for name, own in kernels.items() if own.keys() == arches[program, name])
    others = [name for owner, name in arches if owner == program]
    first, index = members[0]
    return Finding(
        level,
        program,
        first.verdict.reasons[index],
        tuple(dict.fromkeys(name for each, at in members if (name := each.verdict.reasons[at].program))),
        tuple((name, tuple(own)) for name, own in kernels.items()),
        everywhere,
        len(others) > 1 and set(everywhere) == set(others),
        tuple(dict.fromkeys(each.verdict.object for each, _index in members)),
        first.verdict.path,
        accepted,
    )


def _order(finding: Finding) -> tuple[Any, ...]:
    reason, line = finding.reason, finding.reason.line
    place = (line.file, line.number, line.column) if line else ("", 0, 0)
    worst = (-LEVELS.index(finding.level), -VERDICTS.index(reason.verdict))
    return (*worst, finding.program, place, reason.kind, reason.name, reason.message, finding.accepted)
