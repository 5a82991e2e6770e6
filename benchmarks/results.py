"""`results.json`: what was measured, where and when. Everything that is shown is rendered from it."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measure import Times


@dataclass(frozen=True)
class Case:
    """One comparison: contestants that ran in turn, and the one that the others are measured by."""

    name: str
    peer: str
    seconds: dict[str, list[float]]
    peak_mb: dict[str, list[float]] = field(default_factory=dict)
    """Only where memory is of interest."""
    note: str = ""

    def median(self, name: str) -> float:
        """Seconds of a contestant."""
        return statistics.median(self.seconds[name])

    def ratio(self, name: str) -> float:
        """A contestant's median over the peer's."""
        return self.median(name) / self.median(self.peer)

    def rival(self) -> str:
        """The fastest that isn't bpfgen, be it the peer or not."""
        return min((name for name in self.seconds if name not in self.ours()), key=self.median)

    def ours(self) -> list[str]:
        """The contestants that are bpfgen, the most like for like first."""
        return [name for name in self.seconds if name.startswith("bpfgen")]


@dataclass(frozen=True)
class Part:
    """The cases of one workload, from one run."""

    title: str
    date: str
    rounds: int
    machine: dict[str, str]
    cases: list[Case]


def case(name: str, peer: str, times: Mapping[str, Times], *, memory: bool = False, note: str = "") -> Case:
    """A `Case` of what was measured; tenths of milliseconds are noise."""
    seconds = {who: [round(value, 4) for value in one.seconds] for who, one in times.items()}
    peaks = {who: [round(value, 1) for value in one.peak_mb] for who, one in times.items()} if memory else {}
    return Case(name, peer, seconds, peaks, note)


def load(path: Path) -> dict[str, Part]:
    """The parts of a results file by name; none where there is no file."""
    if not path.exists():
        return {}
    return {name: _part(value) for name, value in json.loads(path.read_text(encoding="utf-8")).items()}


def _part(value: dict[str, Any]) -> Part:
    return Part(**{**value, "cases": [Case(**one) for one in value["cases"]]})


def save(path: Path, results: Mapping[str, Part], private: Iterable[str]) -> None:
    """Writes a results file. Raises `ValueError` where it would tell one of the `private` words, such as a path of
    this machine.
    """
    text = json.dumps({name: asdict(part) for name, part in results.items()}, indent=1, ensure_ascii=False) + "\n"
    found = [word for word in (*private, "://") if word in text]
    if found:
        raise ValueError(f"the results have private words in them: {found}")
    path.write_text(text, encoding="utf-8")
