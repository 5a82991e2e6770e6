"""Two multisets of facts, compared and put into lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

LIMIT = 20
"""Lines about one kind of thing: objects of two programs differ in everything, and nobody reads that."""

Place = TypeVar("Place", bound=Hashable)
Fact = TypeVar("Fact", bound=Hashable)


def unlike(
    what: str,
    ours: Iterable[tuple[Place, Fact]],
    theirs: Iterable[tuple[Place, Fact]],
    name: Callable[[Place], str],
    say: Callable[[Place, Fact], str],
) -> list[str]:
    """A line for each place with other facts, and at most `LIMIT` and one; how often a fact is there counts.

    `what` is the kind of thing; `name` and `say` put a place and a fact into words.
    """
    mine, other = Counter(ours), Counter(theirs)
    found: dict[Place, tuple[list[Fact], list[Fact]]] = {}
    for side, surplus in enumerate((mine - other, other - mine)):
        for (place, fact), count in surplus.items():
            found.setdefault(place, ([], []))[side].extend([fact] * count)
    lines = []
    for place, sides in [*found.items()][:LIMIT]:
        words = [", ".join(say(place, fact) for fact in facts[:LIMIT]) for facts in sides]
        lines.append(f"{what}{name(place)}: {_either(*words)}")
    return lines + more(what, len(found))


def more(what: str, count: int) -> list[str]:
    """The line that stands for those of `count` that are beyond the limit, where there are any."""
    return [f"{what}{count - LIMIT} more differences"] if count > LIMIT else []


def _either(ours: str, theirs: str) -> str:
    if ours == theirs:
        return f"{ours} in both, but of types that differ"
    if ours and theirs:
        return f"{ours} in ours, {theirs} in theirs"
    return f"{ours or theirs} only in {'ours' if ours else 'theirs'}"
