"""A step's failure, kept beside what it was to make: `bpfgen verify` says it without Ninja's words around it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator

from bpfgen.errors import EXIT_FAILED, Failure, Location, Problem, describe
from bpfgen.files import remove, write_if_changed

SUFFIX = ".error"


@contextlib.contextmanager
def told(path: str) -> Iterator[None]:
    """Keeps the failure of what is done within, for the file `path`; removes the one of an earlier time."""
    try:
        yield
    except (Failure, OSError) as error:
        problems = error.problems if isinstance(error, Failure) else [Problem(None, describe(error))]
        code = error.code if isinstance(error, Failure) else EXIT_FAILED
        rows = [(str(each.where or ""), each.message, each.hint) for each in problems]
        write_if_changed(path + SUFFIX, json.dumps({"code": code, "problems": rows}).encode())
        raise
    forget([path])


def forget(paths: Iterable[str]) -> None:
    """Removes what is kept of these files' failures."""
    remove([path + SUFFIX for path in paths if os.path.exists(path + SUFFIX)])


def failure(paths: Iterable[str]) -> Failure:
    """The failures of files that weren't made; without a problem, where nothing is known of any."""
    problems, codes = [], [0]
    for path in paths:
        with (
            contextlib.suppress(OSError, ValueError, KeyError, TypeError),
            open(path + SUFFIX, encoding="utf-8") as file,
        ):
            value = json.load(file)
            problems += [Problem(Location(where) if where else None, *rest) for where, *rest in value["problems"]]
            codes.append(int(value["code"]))
    return Failure(problems, max(codes) or EXIT_FAILED)
