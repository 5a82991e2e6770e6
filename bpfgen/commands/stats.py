"""`bpfgen stats`: where the time of a build went, by Ninja's log."""

from __future__ import annotations

import argparse
import json
import os
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Optional, TextIO

from bpfgen import ninjalog, trace
from bpfgen.cachelog import Counts, of_log
from bpfgen.errors import EXIT_FAILED, Failure, Location, Problem
from bpfgen.files import write_if_changed
from bpfgen.frozen import frozen
from bpfgen.launcher import LAUNCHER, STATSLOG
from bpfgen.ninjalog import Log, Run
from bpfgen.notes import last_layout
from bpfgen.plan import NINJA_FILE
from bpfgen.project import place
from bpfgen.text import columns, paint

HELP = "print where the time of the last build went"
EPILOG = """examples:
  bpfgen stats                      the last build: by stage, and its slowest edges
  bpfgen stats --all --top 30       the newest run of every edge, whichever build it was in
  bpfgen stats --format json        for programs
  bpfgen stats --trace trace.json   for chrome://tracing and ui.perfetto.dev

an edge is one command of the Ninja file, a stage all edges of one rule; edges that failed are in no log

keys of the JSON; times are whole milliseconds, but for medians:
  build     which (last, all), edges, wall_ms (null with --all), work_ms (all edges together),
            parallelism (work by wall, null without one), skipped_rows (damaged lines of the log)
  stages    for each: stage, edges, total_ms, share (of the work, 0 to 1), median_ms, slowest_ms, slowest (its outputs)
  slowest   for each: ms, stage, start_ms (since ninja started), outputs
  cache     what ccache had, since `bpfgen cache --zero`: hits, remote_hits, misses, rate; null without it"""


@frozen
class Section:
    """A part of what is printed. What else is known of a build, such as a cache's hits, is one more in `sections`."""

    key: str
    """Its name in the JSON."""
    data: Any
    """Its value there."""
    text: str
    """The same for people."""


@frozen
class Build:
    """What the sections are made from."""

    runs: tuple[Run, ...]
    whole: bool
    """The newest run of every edge, instead of one build."""
    skipped: int
    """Damaged rows."""
    cache: Optional[Counts] = None
    """What ccache noted of this project's compiles, of this build and earlier ones; None without it."""

    @property
    def work(self) -> int:
        """The time of all edges together, in milliseconds."""
        return sum(run.ms for run in self.runs)

    @property
    def wall(self) -> int | None:
        """From the start of ninja to the end of the last edge that succeeded, in milliseconds; None for several
        builds.
        """
        return None if self.whole else max((run.end for run in self.runs), default=0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen stats`."""
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--top", metavar="N", type=_count, default=10, help="list the N slowest edges (default: 10)")
    which = parser.add_mutually_exclusive_group()  # runs of several builds have no common time
    which.add_argument("--all", action="store_true", help="the newest run of every edge, instead of the last build")
    which.add_argument("--trace", metavar="FILE", help="write a Chrome trace too; - prints it instead")


def _count(text: str) -> int:
    if not (text.isdecimal() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of edges")
    return int(text)


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Prints the sections, or writes the trace; raises `Failure` where nothing was built, or the log can't be read."""
    target = os.path.abspath(os.path.join(args.directory, args.trace or ""))  # as with make, -C comes first
    os.chdir(place(args)[0])
    build = _read(args.all)
    if args.trace == "-":
        out.write(trace.render(build.runs))
        return 0
    if args.trace is not None:
        changed = not args.dry_run and write_if_changed(target, trace.render(build.runs).encode())
        if (changed or args.dry_run) and args.format == "table" and not args.quiet:
            print(f"bpfgen: {'would write' if args.dry_run else 'wrote'} {args.trace}", file=out)
    parts = list(sections(build, args.top))
    if args.format == "json":
        print(json.dumps({part.key: part.data for part in parts}, indent=1), file=out)
    else:
        for index, part in enumerate(part for part in parts if part.text):
            head, *rest = part.text.split("\n")
            print("\n" * bool(index) + "\n".join([paint(head, "bold", args.color, out), *rest]), file=out)
    return 0


def _read(whole: bool) -> Build:
    """The log of the project in the current folder."""
    layout = last_layout()
    if layout is None:
        raise _nothing(NINJA_FILE, "there is no Ninja file of bpfgen's here", "run bpfgen and ninja first")
    name = f"{layout.out}/.ninja_log"
    try:
        log = ninjalog.parse(_text(name), name)
    except FileNotFoundError:
        log = Log(ninjalog.NEWEST, (), 0)
    text = _text(NINJA_FILE)
    stages = ninjalog.read_stages(text)
    runs = ninjalog.newest(log, stages) if whole else ninjalog.last_build(log, stages, NINJA_FILE)
    if not runs:
        raise _nothing(name, "nothing was built yet", "run ninja first")
    # The log of a launcher that was taken away since is none of this build's.
    cache = of_log(layout.note(STATSLOG)) if layout.note(LAUNCHER) in text else None
    return Build(runs, whole, log.skipped, cache)


def _nothing(name: str, message: str, hint: str) -> Failure:
    return Failure([Problem(Location(name), message, hint)], EXIT_FAILED)


def _text(name: str) -> str:
    with open(name, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()


def sections(build: Build, top: int) -> Iterator[Section]:
    """Everything that is printed, in its order; `top` is the length of the list of slow edges. Pure."""
    yield _summary(build)
    yield _by_stage(build)
    yield _slowest(build.runs, top)
    yield _cache(build.cache)


def _cache(counts: Optional[Counts]) -> Section:
    if counts is None:
        return Section("cache", None, "")
    text = f"ccache: {counts.percent} of {counts.hits + counts.misses} compiles were there"
    remote = f", {counts.remote_hits} of them in the remote cache" if counts.remote_hits else ""
    return Section("cache", counts.data, f"{text}{remote} (bpfgen cache has more)")


def _summary(build: Build) -> Section:
    parallelism = round(build.work / build.wall, 2) if build.wall else None
    data = {
        "which": "all" if build.whole else "last",
        "edges": len(build.runs),
        "wall_ms": build.wall,
        "work_ms": build.work,
        "parallelism": parallelism,
        "skipped_rows": build.skipped,
    }
    edges = f"{len(build.runs)} edge{'' if len(build.runs) == 1 else 's'}"
    if build.wall is None:
        text = f"newest run of every edge: {edges}, {_seconds(build.work)} of work"
    else:
        text = f"last build: {_seconds(build.wall)}, {edges}, {_seconds(build.work)} of work"
    if parallelism is not None:
        text += f", {parallelism:.1f} at a time"
    if build.skipped:
        text += f"\n{build.skipped} damaged line{'' if build.skipped == 1 else 's'} of Ninja's log left out"
    return Section("build", data, text)


def _by_stage(build: Build) -> Section:
    """The stages, the one that took the most time first."""
    stages: dict[str, list[Run]] = {}
    for edge in build.runs:
        stages.setdefault(edge.stage, []).append(edge)
    data = [_stage(name, runs, build.work) for name, runs in stages.items()]
    data.sort(key=lambda row: (-row["total_ms"], row["stage"]))
    rows = [
        (
            row["stage"],
            str(row["edges"]),
            _seconds(row["total_ms"]),
            f"{row['share']:.0%}",
            f"{row['median_ms']:.0f} ms",
            f"{row['slowest_ms']} ms",
            _names(row["slowest"]),
        )
        for row in data
    ]
    head = ("STAGE", "EDGES", "TOTAL", "SHARE", "MEDIAN", "SLOWEST", "")
    return Section("stages", data, _table([head, *rows], (1, 2, 3, 4, 5)))


def _stage(name: str, runs: Sequence[Run], work: int) -> dict[str, Any]:
    total = sum(run.ms for run in runs)
    slowest = max(runs, key=lambda run: run.ms)
    return {
        "stage": name,
        "edges": len(runs),
        "total_ms": total,
        "share": round(total / work, 4) if work else 0.0,
        "median_ms": statistics.median(run.ms for run in runs),
        "slowest_ms": slowest.ms,
        "slowest": list(slowest.outputs),
    }


def _slowest(runs: Sequence[Run], top: int) -> Section:
    chosen = sorted(runs, key=lambda run: -run.ms)[:top]
    data: list[Mapping[str, Any]] = [
        {"ms": run.ms, "stage": run.stage, "start_ms": run.start, "outputs": list(run.outputs)} for run in chosen
    ]
    rows = [(f"{run.ms} ms", run.stage, _names(run.outputs)) for run in chosen]
    return Section("slowest", data, _table([("TIME", "STAGE", "EDGE"), *rows], (0,)) if rows else "")


def _table(rows: Sequence[tuple[str, ...]], numbers: Sequence[int]) -> str:
    """`columns`, with those of numbers aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return columns([[cell.rjust(widths[i]) if i in numbers else cell for i, cell in enumerate(row)] for row in rows])


def _names(outputs: Sequence[str]) -> str:
    return outputs[0] + (f" (+{len(outputs) - 1})" if len(outputs) > 1 else "")


def _seconds(ms: int) -> str:
    return f"{ms / 1000:.2f} s"
