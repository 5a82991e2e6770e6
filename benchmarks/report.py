"""Results → Markdown: every figure for `benchmarks/README.md`, a summary for the repository's `README.md`."""

from __future__ import annotations

import datetime
import statistics
from collections.abc import Iterator, Mapping

from benchmarks.results import Case, Part

BEGIN, END = "<!-- Written by benchmarks/run.py: -->", "<!-- until here. -->"
BUILDERS = "<!-- Builders, written by benchmarks/run.py: -->"
EMPTY = "Not measured yet: `python benchmarks/run.py` measures, and writes the figures here."
WHERE = {
    "native": "this host; the default where it has a clang with the BPF target",
    "docker": "one container for the whole build: no network, sources read-only, your own uid",
    "podman": "the same, without a daemon",
    "ssh": "another machine, over one connection; rsync brings what changed",
    "vagrant": "a machine of your Vagrantfile, by ssh, started if it is down",
    "lima": "a Lima instance, by ssh, started if it is down",
}
"""Where each kind of builder runs clang."""
LOSS = 1.02
"""A ratio from which bpfgen is said to lose; below, it's noise."""


def replaced(page: str, block: str, mark: str = BEGIN) -> str:
    """A page with the text between its two marks replaced."""
    head, begin, rest = page.partition(mark)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {mark} … {END}")
    return f"{head}{mark}\n{block.strip()}\n{END}{tail}"


def full(results: Mapping[str, Part]) -> str:
    """Every case with every contestant."""
    if not results:
        return EMPTY
    common = _common(results)
    lines = ["![Ratios to the peers](results.svg)", "", *([_machine(common), ""] if common else [])]
    for part in results.values():
        lines += [f"## {part.title}", ""]
        lines += [] if common else [_machine(part.machine), ""]
        lines += [f"Medians of {part.rounds} rounds, {_date(part.date)}.", "", *_table(part), *_notes(part), ""]
    lines += ["## Where bpfgen loses", "", *_losses(results)]
    return "\n".join(lines)


def summary(results: Mapping[str, Part]) -> str:
    """One row for each case: bpfgen's ratio, and what it loses."""
    if not results:
        return EMPTY
    lines = ["![bpfgen's times as ratios to its peers](benchmarks/results.svg)", ""]
    lines += ["| | against | bpfgen takes |", "|---|---|---|"]
    for key, part in results.items():
        for case in part.cases if key != "builders" else ():  # which have a table of their own
            if case.ours():
                ratio = figure(case.ratio(case.ours()[0]))
                lines.append(f"| {part.title}: {case.name} | {case.peer} | {ratio} |")
    rounds = sorted({part.rounds for part in results.values()})
    dates = sorted({part.date for part in results.values()})
    common = _common(results)
    place = f" {_machine(common)}" if common else ""
    when = " to ".join(_date(date) for date in dict.fromkeys((dates[0], dates[-1])))
    return "\n".join(
        [
            *lines,
            "",
            f"Ratios of medians of {' or '.join(map(str, rounds))} rounds, in turn with the peer, {when}.{place}",
            "",
            "Where bpfgen loses:",
            "",
            *_losses(results),
        ]
    )


def builders(results: Mapping[str, Part]) -> str:
    """One row for each builder: what it is, and its times as ratios to native, a column for each case."""
    part = results.get("builders")
    if part is None:
        return EMPTY
    lines = [f"| `kind` | where clang runs | {' | '.join(case.name for case in part.cases)} |"]
    lines.append(f"|---|---|{'---|' * len(part.cases)}")
    for name, where in WHERE.items():
        rows = (f"bpfgen, {name}" if f"bpfgen, {name}" in case.seconds else name for case in part.cases)
        cells = [_cell(case, row) for case, row in zip(part.cases, rows)]
        lines.append(f"| `{name}` | {where} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"Ratios of medians of {part.rounds} rounds, {_date(part.date)}; the same objects."])


def _cell(case: Case, name: str) -> str:
    if name not in case.seconds:
        return "not measured"
    return duration(case.median(name)) if name == case.peer else figure(case.ratio(name))


def figure(ratio: float) -> str:
    """A ratio as text: two digits that count."""
    return f"{ratio:.3f}" if ratio < 0.095 else f"{ratio:.2f}"


def duration(seconds: float) -> str:
    """A time as text: three digits that count."""
    if seconds >= 0.9995:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.09995 else f"{seconds * 1000:.1f} ms"


def _table(part: Part) -> Iterator[str]:
    memory = any(case.peak_mb for case in part.cases)
    yield f"| measure | who | time | of the peer's |{' peak memory |' if memory else ''}"
    yield f"|---|---|---|---|{'---|' if memory else ''}"
    for case in part.cases:
        for name in case.seconds:
            first = f"**{case.name}**" if name == next(iter(case.seconds)) else ""
            ratio = figure(case.ratio(name)) if name != case.peer else "1 (the peer)"
            peaks = case.peak_mb.get(name)
            last = f" {statistics.median(peaks):.0f} MB |" if peaks else " |" if memory else ""
            yield f"| {first} | {name} | {duration(case.median(name))} | {ratio} |{last}"


def _notes(part: Part) -> Iterator[str]:
    notes = [f"- {case.name}: {case.note}" for case in part.cases if case.note]
    yield from ("", *notes) if notes else ()


def _losses(results: Mapping[str, Part]) -> list[str]:
    """A line for each bpfgen that somebody else in its case was faster than."""
    found = []
    for part in results.values():
        for case in part.cases:
            rival = case.rival()
            for name in case.ours():
                ratio = case.median(name) / case.median(rival)
                if ratio >= LOSS:
                    found.append(f"- {part.title}, {case.name}: {name} takes {figure(ratio)} of {rival}.")
    return found or ["- Nowhere in these cases."]


def _common(results: Mapping[str, Part]) -> dict[str, str]:
    """The machine of all parts; empty if they were measured on several, or with other versions."""
    machines = [part.machine for part in results.values()]
    return machines[0] if all(machine == machines[0] for machine in machines) else {}


def _machine(facts: Mapping[str, str]) -> str:
    first = f"{facts['processor']}, {facts['system']}, kernel {facts['kernel']}"
    rest = [f"{name} {value}" for name, value in facts.items() if name not in {"processor", "system", "kernel"}]
    return f"{first}; {', '.join(rest)}."


def _date(text: str) -> str:
    day = datetime.date.fromisoformat(text)
    return f"{day.day} {day:%B %Y}"


def plotted(results: Mapping[str, Part]) -> list[tuple[str, Case]]:
    """The cases that a plot shows, each with its part's title."""
    return [(part.title, case) for part in results.values() for case in part.cases if case.ours()]
