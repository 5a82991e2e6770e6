"""Collects the problems of one `build.toml`, by the path of the value that is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Union

from bpfgen.config.source import Document
from bpfgen.errors import Failure, Problem

Path = tuple[Union[str, int], ...]
"""Where a value stands in the document, such as `("program", "xdp", "sources", 1)`."""


class Report:
    """Problems so far; places are looked up only for what is wrong, because finding them costs a second reading."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._problems: list[Problem] = []

    def add(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> None:
        """Notes that the value at `path` (with `key`, its key) is wrong."""
        self._problems.append(Problem(self.document.where(path, key=key), message, hint))

    def __len__(self) -> int:
        return len(self._problems)

    def fail_if_any(self) -> None:
        """Raises `Failure` with every problem that was added."""
        if self._problems:
            raise Failure(self._problems)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or all of them when they are few; empty when neither helps."""
    import difflib  # only when something is wrong

    words = list(known)
    near = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{near[0]}"?'
    return f"known: {', '.join(words)}" if 0 < len(words) <= 16 else ""


def quoted(text: object) -> str:
    """A user's text in a message: in quotes, shortened, control characters escaped."""
    shown = str(text)
    shown = shown if len(shown) <= 60 else shown[:57] + "…"
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown) + '"'
