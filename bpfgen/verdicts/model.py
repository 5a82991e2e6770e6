"""Verdicts as plain data, ready for JSON: what makes them, and what shows them, meet only here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, Optional

from bpfgen.bpf.lines import Line
from bpfgen.frozen import frozen

OK, CONDITIONAL, UNKNOWN, FAILS = "ok", "conditional", "unknown", "fails"
VERDICTS = (OK, CONDITIONAL, UNKNOWN, FAILS)
"""From the best to the worst: an object's is that of its worst reason.

`conditional`: it loads where something that is known by name holds, such as a module or an option of the kernel.
`unknown`: nothing that is known here says whether it loads.
"""


@frozen
class Reason:
    """One thing that an object needs and that isn't simply there."""

    verdict: str
    """What it alone makes of the object. `ok` is a note: a need that a guard saves, or that a loader mends."""
    kind: str
    """`helper`, `kfunc`, `ksym`, `kconfig`, `core`, `map_type`, `map_flags`, `map_size`, `map_entry`, `program_type`,
    `attach_type`, `attach_target`, `isa`, `call`, `data`, `sleepable`, `btf`, `limit`, `licence`."""
    name: str
    """What is needed: `bpf_loop`, `task_struct.__state`, `ringbuf`."""
    message: str
    """A sentence without a full stop: what is wrong, and from which kernel on it wouldn't be."""
    program: str = ""
    """Empty where the whole object needs it, such as a map."""
    line: Optional[Line] = None
    """The source that asks for it, where the object says so."""
    source: str = ""
    """What says so: `btf` (the kernel's types), `upstream`, `profile`, `assume`, or empty for the object itself."""


@frozen
class Verdict:
    """Of one object on one kernel of one architecture."""

    object: str
    """`Unit.id`"""
    program: str
    """The program's name in `build.toml`."""
    path: str
    """The object's file."""
    kernel: str
    """The name of its table in `build.toml`."""
    arch: str
    verdict: str
    reasons: tuple[Reason, ...]
    """The worst first, then by program and line."""


def worst(reasons: Iterable[Reason]) -> str:
    """The verdict that reasons make together."""
    return max((each.verdict for each in reasons), key=VERDICTS.index, default=OK)


def to_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON's values."""
    return dataclasses.asdict(verdict)


def from_json(value: dict[str, Any]) -> Verdict:
    """A verdict out of what `to_json` gave; raises TypeError, KeyError where it is something else."""
    reasons = tuple(Reason(**{**each, "line": _line(each["line"])}) for each in value["reasons"])
    return Verdict(**{**value, "reasons": reasons})


def _line(value: Optional[dict[str, Any]]) -> Optional[Line]:
    return Line(**value) if value is not None else None
