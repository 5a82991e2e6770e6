"""What a lint finds, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from bpfgen.catalog import table
from bpfgen.errors import Location
from bpfgen.findings.policy import ACCEPTED, ERROR, NOTE, WARNING
from bpfgen.frozen import frozen

LEVELS = (ERROR, WARNING, NOTE, ACCEPTED)
"""From the worst to the best."""


@frozen
class Found:
    """What a lint says of one object."""

    message: str
    place: Optional[Location] = None
    """Its file is relative to the project. None where it is about the object as a whole."""


@frozen
class Finding:
    """The same for all objects that have it."""

    code: str
    level: str
    message: str
    place: Location
    programs: tuple[str, ...]
    """Their names in `build.toml`."""
    objects: tuple[str, ...]
    """Ids of units."""
    accepted: str = ""
    """Why it is accepted, where it is."""

    @property
    def is_error(self) -> bool:
        """Whether `bpfgen lint` fails for it."""
        return self.level == ERROR


@frozen
class Words:
    """How a lint is explained."""

    level: str
    title: str
    text: str
    help: str


def lints() -> Mapping[str, Words]:
    """Every lint, by its code."""
    return {code: Words(**row) for code, row in table("lints").items()}


def to_json(finding: Finding) -> dict[str, Any]:
    """As JSON's values; `bpfgen lint --help` documents them."""
    return {
        "code": finding.code,
        "level": finding.level,
        "message": finding.message,
        "help": lints()[finding.code].help,
        "file": finding.place.file,
        "line": finding.place.line,
        "column": finding.place.column,
        "programs": list(finding.programs),
        "objects": list(finding.objects),
        "accepted": finding.accepted,
    }
