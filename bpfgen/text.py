"""Text for people: aligned columns, and colour on a terminal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TextIO

_CODES = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2"}


def paint(text: str, colour: str, mode: str, stream: TextIO) -> str:
    """`text` in a colour, where `mode` (`auto`, `always`, `never`) and the stream allow it (no-color.org)."""
    plain = mode == "never" or (mode == "auto" and (bool(os.environ.get("NO_COLOR")) or not stream.isatty()))
    return text if plain else f"\x1b[{_CODES[colour]}m{text}\x1b[0m"


def plural(count: int, what: str) -> str:
    """`1 object`, `2 objects`."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows as lines of left-aligned columns, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)
    return "\n".join(lines)
