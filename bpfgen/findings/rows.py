"""Verdicts as a table: programs × kernels, architectures together where they are equal. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Optional

from bpfgen.catalog import version
from bpfgen.findings.policy import LEVELS, Judged
from bpfgen.frozen import frozen
from bpfgen.verdicts.model import CONDITIONAL, FAILS, OK, UNKNOWN, VERDICTS

Upstream = Mapping[str, Optional[str]]
"""Kernel targets, and the version that each is, where it says so."""


@frozen
class Cell:
    """A verdict and what it counts as."""

    verdict: str
    level: str


@frozen
class Row:
    """Some architectures of a program or of its variant."""

    program: str
    variant: str
    """Empty for the plain build."""
    arches: tuple[str, ...]
    cells: tuple[Optional[Cell], ...]
    """One for each kernel; None for those that it isn't for."""
    loads: str
    """Where it loads, in words: `from 5.8 on, except lts515`."""

    @property
    def name(self) -> str:
        """The program, and its variant as in `Unit.id`."""
        return f"{self.program}@{self.variant}" if self.variant else self.program


def ordered(kernels: Upstream) -> list[str]:
    """Kernel targets, the oldest first; those without a version last, in the order of the file."""
    return sorted(kernels, key=lambda name: version(kernels[name] or "999.0"))


def rows(judged: Iterable[Judged], kernels: Upstream) -> list[Row]:
    """A row for each program, in the order of the verdicts, and more of them where its architectures differ."""
    names = ordered(kernels)
    found: dict[tuple[str, str], dict[str, dict[str, Cell]]] = {}
    for each in judged:
        verdict = each.verdict
        variant = verdict.object.rpartition("/")[2].partition("@")[2]
        by_kernel = found.setdefault((verdict.program, variant), {}).setdefault(verdict.arch, {})
        by_kernel[verdict.kernel] = _worse(by_kernel.get(verdict.kernel), Cell(verdict.verdict, each.level))
    return [
        Row(program, variant, arches, cells, loads(cells, names, kernels))
        for (program, variant), by_arch in found.items()
        for cells, arches in _folded(by_arch, names)
    ]


def _worse(one: Optional[Cell], two: Cell) -> Cell:
    """Where several objects serve one pair of kernel and architecture."""
    if one is None:
        return two
    return Cell(
        max(one.verdict, two.verdict, key=VERDICTS.index),
        max(one.level, two.level, key=LEVELS.index),
    )


def _folded(
    by_arch: Mapping[str, Mapping[str, Cell]], names: Sequence[str]
) -> list[tuple[tuple[Optional[Cell], ...], tuple[str, ...]]]:
    groups: dict[tuple[Optional[Cell], ...], list[str]] = {}
    for arch, by_kernel in by_arch.items():
        groups.setdefault(tuple(map(by_kernel.get, names)), []).append(arch)
    return [(cells, tuple(arches)) for cells, arches in groups.items()]


def loads(cells: Sequence[Optional[Cell]], names: Sequence[str], kernels: Upstream) -> str:
    """Where a program loads, in words, by the versions of kernel targets; `names` are those of `cells`, in order."""
    known = {name: cell.verdict for name, cell in zip(names, cells) if cell}
    good = [name for name, verdict in known.items() if verdict in {OK, CONDITIONAL}]
    unknown = [name for name, verdict in known.items() if verdict == UNKNOWN]
    if not good:
        return "nowhere" if not unknown else "nowhere for sure" if len(unknown) < len(known) else "unknown"
    text = _known_good(known, good, kernels)
    conditional = [name for name in good if known[name] == CONDITIONAL]
    if len(conditional) == len(known):
        return f"{text}, on conditions"
    text += f"; on conditions: {', '.join(conditional)}" if conditional else ""
    return text + (f"; unknown: {', '.join(unknown)}" if unknown else "")


def _known_good(known: Mapping[str, str], good: Sequence[str], kernels: Upstream) -> str:
    """`from 5.8 on, except lts515`, or a list where that is shorter."""
    dated = [name for name in known if kernels[name]]
    first = next((dated.index(name) for name in dated if name in good), len(dated))
    since = [name for name in dated[first:] if name in good]
    except_ = [name for name in dated[first:] if known[name] == FAILS]
    if len(dated) < 2 or len(except_) >= len(since):
        return f"on {', '.join(good)} only" if len(good) < len(known) else f"on {', '.join(good)}"
    others = [name for name in good if not kernels[name]]
    except_ += [name for name in known if not kernels[name] and known[name] == FAILS]
    text = f"from {kernels[since[0]]} on"
    text += f", and on {', '.join(others)}" if others else ""
    return text + (f", except {', '.join(except_)}" if except_ else "")


def totals(rows: Iterable[Row]) -> dict[str, int]:
    """How many pairs of a program's architectures and a kernel have each verdict, in the order of `VERDICTS`."""
    counts = dict.fromkeys(VERDICTS, 0)
    for row in rows:
        for cell in row.cells:
            if cell:
                counts[cell.verdict] += len(row.arches)
    return counts
