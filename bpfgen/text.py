"""Text for people: aligned columns, and colour on a terminal."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TextIO

_CODES = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2"}


def paint(text: str, colour: str, mode: str, stream: TextIO) -> str:
    """`text` in a colour, where `mode` (`auto`, `always`, `never`) and the stream allow it (no-color.org)."""
    plain = mode == "never" or (mode == "auto" and (bool(os.environ.get("NO_COLOR")) or not stream.isatty()))
    return text if plain else f"\x1b[{_CODES[colour]}m{text}\x1b[0m"


def plural(count: int, what: str) -> str:
    """`1 object`, `2 objects`."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def columns(rows: Sequence[Sequence[str]], painted: Callable[[int, str], str] = lambda _column, cell: cell) -> str:
    """Rows as lines of left-aligned columns, two spaces apart; `painted` gives a cell of a column its colour."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = (
        "  ".join(painted(column, cell.ljust(width)) for column, (cell, width) in enumerate(zip(row, widths))).rstrip()
        for row in rows
    )
    return "\n".join(lines)
