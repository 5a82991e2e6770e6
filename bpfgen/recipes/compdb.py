"""Lines of a compilation database (https://clang.llvm.org/docs/JSONCompilationDatabase.html)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from bpfgen.errors import Failure, Location, Problem
from bpfgen.recipes.gather import Line


def lines(text: str, shown: str, folder: str) -> list[Line]:
    """Its commands; folders that are relative are so to `folder`, its own. Raises Failure: it isn't one."""
    try:
        entries = json.loads(text)
    except ValueError as error:
        place = Location(shown, getattr(error, "lineno", 0), getattr(error, "colno", 0))
        raise Failure([Problem(place, f"is no JSON: {getattr(error, 'msg', error)}")]) from error
    if not isinstance(entries, list):
        raise Failure([Problem(Location(shown), "is no compilation database: it holds no list")])
    problems: list[Problem] = []
    found = list(_lines(entries, shown, folder, problems))
    if problems:
        raise Failure(problems)
    return found


def _lines(entries: list[Any], shown: str, folder: str, problems: list[Problem]) -> Iterator[Line]:
    for number, entry in enumerate(entries, 1):
        row = entry if isinstance(entry, dict) else {}
        directory, command, words = row.get("directory", "."), row.get("command", ""), row.get("arguments")
        strings = isinstance(words, list) and all(isinstance(word, str) for word in words) and words
        if "command" in row and command == "" and not strings:
            continue  # an edge of Ninja's that runs nothing
        if not isinstance(directory, str) or not isinstance(command, str) or not (command or strings):
            problems.append(Problem(Location(shown), f'entry {number} has neither "command" nor "arguments"'))
            continue
        where = os.path.normpath(os.path.join(folder, directory))
        yield Line(None, where, command or " ".join(words or ()), tuple(words) if strings and words else ())
