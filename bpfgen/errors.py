"""What can be wrong with a user's input, as data; printed only at the rim (`cli`, `steps`)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Optional

from bpfgen.frozen import frozen

# Exit codes, as `bpfgen --help` documents them.
EXIT_OK = 0
EXIT_FAILED = 1
"""Something outside the input failed: a tool, the file system."""
EXIT_USAGE = 2
"""The command line is wrong."""
EXIT_INPUT = 3
"""`build.toml` or an object is wrong."""
EXIT_INTERRUPTED = 130


@frozen
class Location:
    """A place in a text file; `line` and `column` count characters from 1, 0 means "all of it"."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join([self.file, *(str(number) for number in (self.line, self.column) if number)])


@frozen
class Problem:
    """One thing that is wrong, where, and how to mend it."""

    where: Optional[Location]
    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.where or 'bpfgen'}: error: {self.message}"
        return f"{text}\n  hint: {self.hint}" if self.hint else text


class Failure(Exception):
    """Work cannot go on; carries every problem that was found, in the order of their places."""

    def __init__(self, problems: Iterable[Problem], code: int = EXIT_INPUT) -> None:
        self.problems: Sequence[Problem] = sorted(set(problems), key=_place)
        self.code = code
        super().__init__("\n".join(map(str, self.problems)))


def _place(problem: Problem) -> tuple[str, int, int, str]:
    where = problem.where or Location("")
    return where.file, where.line, where.column, problem.message


def describe(error: OSError) -> str:
    """One line for a failure of the file system or of starting a tool."""
    name = error.filename2 or error.filename
    reason = error.strerror or str(error)
    return f"{os.fsdecode(name)}: {reason}" if isinstance(name, (str, bytes)) else reason
