"""What kernels said of objects, as plain data: the files below `out/verify/`, and `bpfgen verify --json`."""

from __future__ import annotations

import dataclasses
from typing import Any, Optional

from bpfgen.frozen import frozen
from bpfgen.verify.classify import Refusal

OK, ACCEPTED, UNDESCRIBED, FAILS = "ok", "accepted", "undescribed", "fails"
VERDICTS = (OK, ACCEPTED, UNDESCRIBED, FAILS)
"""From the best to the worst. `accepted`: it is refused, and build.toml says why that may be. `undescribed`: it isn't
loaded for want of what its tool says at run time, which `[program.X.load]` can say."""


@frozen
class Count:
    """What the verifier says of its work on a program: veristat's figures."""

    instructions: int
    """That it processed."""
    states: int
    peak: int
    """States that it had at once."""


@frozen
class Program:
    """One program of an object on one kernel."""

    name: str
    section: str
    verdict: str
    """`OK`, `FAILS`, `UNDESCRIBED`, or empty where it isn't to be loaded by default (`SEC("?…")`)."""
    optional: bool = False
    refusal: Optional[Refusal] = None
    log: tuple[str, ...] = ()
    """The last lines of the verifier's log, where it refused the program."""
    count: Optional[Count] = None


@frozen
class Verified:
    """One object on one kernel."""

    object: str
    """`Unit.id`"""
    verdict: str
    programs: tuple[Program, ...]
    refusal: Optional[Refusal] = None
    """The worst of its programs', or of the object itself."""
    message: str = ""
    """All that the loader said of it, where it refused the object."""
    accepted: str = ""
    """Why it may be refused."""
    assumed: tuple[tuple[str, int], ...] = ()
    """Sizes of maps that nobody said."""
    unneeded: bool = False
    """Whether it loads on a kernel that build.toml lets refuse it."""


@frozen
class Report:
    """One kernel of one architecture."""

    kernel: str
    arch: str
    release: str
    """`uname -r`"""
    loader: str
    how: str
    """What ran it: `emulated`, `KVM`, `this machine` or a host's name."""
    objects: tuple[Verified, ...]


def to_json(report: Report) -> dict[str, Any]:
    """A report as JSON's values."""
    return dataclasses.asdict(report)


def from_json(value: dict[str, Any]) -> Report:
    """A report out of what `to_json` gave; raises TypeError, KeyError, ValueError where it is something else."""
    return Report(**{**value, "objects": tuple(map(_verified, value["objects"]))})


def _verified(value: dict[str, Any]) -> Verified:
    programs = tuple(map(_program, value["programs"]))
    assumed = tuple((name, size) for name, size in value["assumed"])
    return Verified(**{**value, "programs": programs, "assumed": assumed, "refusal": _refusal(value["refusal"])})


def _program(value: dict[str, Any]) -> Program:
    count = Count(**value["count"]) if value["count"] else None
    return Program(**{**value, "log": tuple(value["log"]), "count": count, "refusal": _refusal(value["refusal"])})


def _refusal(value: Optional[dict[str, Any]]) -> Optional[Refusal]:
    return Refusal(**value) if value else None
