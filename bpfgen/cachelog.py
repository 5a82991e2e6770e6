"""How often ccache had an object: its log of one project's compiles, and its counts of the whole cache."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Optional

from bpfgen.frozen import frozen

_HITS = ("direct_cache_hit", "preprocessed_cache_hit")
_REMOTE = ("remote_storage_hit", "secondary_storage_hit")  # since 4.7, and until then


@frozen
class Counts:
    """Compiles that a cache was asked for."""

    hits: int
    misses: int
    remote_hits: Optional[int] = None
    """Those of the hits that came from the remote cache; None where that isn't counted."""

    @property
    def rate(self) -> Optional[float]:
        """Hits by compiles, 0 to 1; None where there was no compile."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None

    @property
    def data(self) -> dict[str, Any]:
        """The same for JSON."""
        rate = None if self.rate is None else round(self.rate, 4)
        return {"hits": self.hits, "remote_hits": self.remote_hits, "misses": self.misses, "rate": rate}

    @property
    def percent(self) -> str:
        """`87 %`, or a dash where nothing was asked for."""
        return "-" if self.rate is None else f"{self.rate:.0%}".replace("%", " %")


def of_counters(counters: Mapping[str, int]) -> Counts:
    """What ccache's own counters say (ccache(1), `--print-stats`)."""

    def total(names: tuple[str, ...]) -> int:
        return sum(counters.get(name, 0) for name in names)

    return Counts(total(_HITS), total(("cache_miss",)), total(_REMOTE))


def of_log(path: str) -> Optional[Counts]:
    """What ccache noted of this project's compiles (ccache(1), `stats_log`); None where there is no log."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            # A line that starts with # names a source.
            return of_counters(Counter(line.rstrip("\n") for line in file))
    except OSError:
        return None
