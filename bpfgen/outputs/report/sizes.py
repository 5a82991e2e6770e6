"""The report's picture and table of sizes, as data. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Optional

from bpfgen.bpf.info import MapInfo
from bpfgen.bpf.memory import memory
from bpfgen.frozen import frozen
from bpfgen.outputs.report.treemap import Rectangle, treemap

WHOLE = Rectangle(0, 0, 960, 320)
SHOWN = 40
"""Programs that the picture has; the smaller ones are one rectangle."""
LETTER = 7.5
"""Width of a letter of the picture's labels, about."""
LINE = 18
"""Height of a label."""

Entry = Mapping[str, Any]


@frozen
class Size:
    """A program, by its object with the most instructions."""

    name: str
    object: str
    instructions: int
    bytes: int
    memory: str
    """Bytes of its full maps; `+` where more is known at run time only."""
    functions: tuple[tuple[str, int], ...]
    """With their instructions, the largest first."""


@frozen
class Tile:
    """A program in the picture."""

    name: str
    instructions: int
    place: Rectangle
    label: bool
    """Whether its name fits in."""
    parts: tuple[tuple[str, int, Rectangle], ...]
    """Its functions with their instructions."""


@frozen
class Sizes:
    """All of it."""

    whole: Rectangle
    tiles: tuple[Tile, ...]
    rows: tuple[Size, ...]
    """The largest first."""


def sizes(objects: Mapping[str, Sequence[Entry]]) -> Sizes:
    """Of the manifest's entries, by program."""
    rows = sorted((_size(name, entries) for name, entries in objects.items() if entries), key=_order)
    shown = [row for row in rows if row.instructions]
    if len(shown) > SHOWN:
        others = shown[SHOWN - 1 :]
        parts = tuple((each.name, each.instructions) for each in others)
        count = sum(each.instructions for each in others)
        other = Size(f"{len(others)} others", "", count, 0, "", parts)
        shown = sorted([*shown[: SHOWN - 1], other], key=_order)
    return Sizes(WHOLE, tuple(_tiles(shown)), tuple(rows))


def _order(each: Size) -> tuple[int, str]:
    return -each.instructions, each.name


def _size(name: str, entries: Sequence[Entry]) -> Size:
    entry = max(entries, key=lambda each: (instructions(each), each["size"]))
    functions = [(each["name"], each["instructions"]) for each in (*entry["programs"], *entry["subprograms"])]
    functions.sort(key=lambda each: (-each[1], each[0]))
    known = [memory(MapInfo(**each)) for each in entry["maps"]]
    return Size(name, entry["id"], instructions(entry), entry["size"], _memory(known), tuple(functions))


def instructions(entry: Entry) -> int:
    """Of an object, in all of its functions."""
    return sum(each["instructions"] for each in (*entry["programs"], *entry["subprograms"]))


def _memory(known: Sequence[Optional[int]]) -> str:
    more = "+" if None in known else ""
    return f"{sum(each or 0 for each in known)}{more}"


def _tiles(rows: Sequence[Size]) -> Iterator[Tile]:
    for row, place in zip(rows, treemap([row.instructions for row in rows], WHOLE)):
        own = [each for each in row.functions if each[1]]
        parts = zip(own, treemap([count for _name, count in own], place))
        label = place.width >= LETTER * (len(row.name) + 1) and place.height >= LINE
        yield Tile(row.name, row.instructions, place, label, tuple((*each, part) for each, part in parts))
