"""A loader's answers: lines of JSON, in the order `start`, then `begin` and `end` for each object, then `done`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Optional

from bpfgen.frozen import field, frozen

Event = Mapping[str, Any]
DONE, DIED, SILENT = "done", "died", "silent"


@frozen
class Heard:
    """All that a loader said in one run."""

    ended: str
    """`DONE`, `DIED` or `SILENT`: that it did its job, ended before, or said nothing any more."""
    kernel: str = ""
    """`uname -r`; empty where it never started."""
    loader: str = ""
    """Its name and version."""
    outcomes: Mapping[str, Event] = field(default_factory=dict)
    """The `end` of each object, by name."""
    busy: str = ""
    """The object that it was loading when it ended."""
    modules: Mapping[str, str] = field(default_factory=dict)
    """Modules that the kernel refused, and why."""
    trouble: str = ""
    """Why it couldn't begin."""


class Silence(Exception):
    """Nothing was said until the deadline."""


def event(line: bytes) -> Optional[Event]:
    """The event of a line; None of one that is none, such as a part that a kernel's message tore apart."""
    try:
        value = json.loads(line.decode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and isinstance(value.get("event"), str) else None


def heard(lines: Iterable[bytes], note: Callable[[Event], None] = lambda _: None) -> Heard:
    """What `lines` say, until they end or raise `Silence`; each event is also given to `note`."""
    kernel = loader = busy = trouble = ""
    outcomes: dict[str, Event] = {}
    modules: dict[str, str] = {}
    ended = DIED
    try:
        for each in filter(None, map(event, lines)):
            note(each)
            kind = each["event"]
            if kind == "start":
                kernel, loader = str(each.get("kernel", "")), str(each.get("loader", ""))
            elif kind == "begin":
                busy = str(each.get("object", ""))
            elif kind == "end":
                outcomes[str(each.get("object", ""))] = each
                busy = ""
            elif kind == "module":
                modules[str(each.get("name", ""))] = str(each.get("message", ""))
            elif kind == "error":
                trouble = str(each.get("message", ""))
            elif kind == "done":
                ended = DONE
                break
    except Silence:
        ended = SILENT
    return Heard(ended, kernel, loader, outcomes, busy, modules, trouble)
