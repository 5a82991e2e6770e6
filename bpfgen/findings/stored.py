"""`verdicts.json`, as the build makes it."""

from __future__ import annotations

from bpfgen.errors import Failure, Location, Problem
from bpfgen.outputs import read_notes
from bpfgen.verdicts.model import Verdict, from_json

FORMAT = 1


def read(path: str) -> list[Verdict]:
    """The verdicts in a file; raises `Failure` where it is damaged, OSError where it isn't there."""
    value = read_notes(path, ("format", "verdicts"))
    try:
        if value["format"] != FORMAT:
            raise ValueError
        return list(map(from_json, value["verdicts"]))
    except (ValueError, TypeError, LookupError):
        hint = "delete it, then run bpfgen -v && ninja"
        raise Failure([Problem(Location(path), "this file is damaged", hint)]) from None
