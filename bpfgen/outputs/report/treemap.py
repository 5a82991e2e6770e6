"""A treemap: rectangles whose areas are numbers, as square as they can be (Bruls, Huizing, van Wijk: Squarified
Treemaps, 2000). Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bpfgen.frozen import frozen


@frozen
class Rectangle:
    """A part of the picture; the unit is the picture's."""

    x: float
    y: float
    width: float
    height: float


def treemap(numbers: Sequence[int], whole: Rectangle) -> Iterator[Rectangle]:
    """A rectangle for each number, which are positive and the largest first; together they fill the whole."""
    total = sum(numbers)
    scale = whole.width * whole.height / total if total else 0
    areas = [number * scale for number in numbers]
    at = 0
    while at < len(areas):
        side = min(whole.width, whole.height)
        end = at + 1
        while end < len(areas) and _worst(areas[at : end + 1], side) <= _worst(areas[at:end], side):
            end += 1
        row = areas[at:end]
        yield from _row(row, whole)
        whole = _rest(sum(row), whole)
        at = end


def _worst(areas: Sequence[float], side: float) -> float:
    """How much longer than wide the worst rectangle of a row along a side is."""
    total = sum(areas)
    if not side or not min(areas):
        return 0
    return max(side**2 * max(areas) / total**2, total**2 / (side**2 * min(areas)))


def _row(areas: Sequence[float], whole: Rectangle) -> Iterator[Rectangle]:
    """Along the shorter side, from the upper left."""
    is_column = whole.width >= whole.height
    side = whole.height if is_column else whole.width
    depth, at = sum(areas) / side if side else 0, 0.0
    for area in areas:
        length = area / depth if depth else 0
        if is_column:
            yield Rectangle(whole.x, whole.y + at, depth, length)
        else:
            yield Rectangle(whole.x + at, whole.y, length, depth)
        at += length


def _rest(area: float, whole: Rectangle) -> Rectangle:
    if whole.width >= whole.height:
        depth = min(area / whole.height, whole.width) if whole.height else 0
        return Rectangle(whole.x + depth, whole.y, whole.width - depth, whole.height)
    depth = min(area / whole.width, whole.height) if whole.width else 0
    return Rectangle(whole.x, whole.y + depth, whole.width, whole.height - depth)
