"""Ninja's log → what ran, when and for how long. Pure: text in, frozen data out.

The log is `.ninja_log` in the Ninja file's `builddir` (Ninja manual, "The Ninja log"; `src/build_log.cc` of ninja). A
row is appended for each output of an edge that succeeded: `START END MTIME OUTPUT HASH`, with tabs between. START and
END are milliseconds since that ninja started, so they begin again near 0 with each ninja, and nothing stands between
two builds. A log that grew is rewritten with the newest row of each output, in no order ("recompaction").
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping

from bpfgen.errors import EXIT_FAILED, Failure, Location, Problem
from bpfgen.frozen import frozen

OLDEST, NEWEST = 5, 7
"""Versions of the log: 5 is of ninja up to 1.11, 6 of 1.12, 7 of 1.13. They differ in the hash and in MTIME."""
CLOCKED = 6
"""From this version on, MTIME tells when the command started; see `last_build`."""
TICK_NS = 20_000_000
"""How far a file's time may lag behind the clock: a kernel tick (10 ms with CONFIG_HZ=100), and the rounding of START
and END.
"""
GONE = "gone"
"""The stage of an edge that the Ninja file has no longer."""

_HEADER = re.compile(r"# ninja log v(\d{1,9})")
# Bounded, because Python refuses to read numbers of thousands of digits; ninja's own are 32 and 64 bits wide.
_ROW = re.compile(r"([0-9]{1,10})\t([0-9]{1,10})\t(-?[0-9]{1,19})\t([^\x00-\x1f\x7f]+)\t([0-9a-f]{1,16})")
_BUILD = re.compile(r"^build ((?:\$.|[^$:\n])+): *([\w-]+)", re.MULTILINE)
_PATH = re.compile(r"(?:\$.|[^$ |])+")
_ESCAPE = re.compile(r"\$([$ :])")


@frozen
class Row:
    """One line of the log: one output of one run of an edge."""

    start: int
    end: int
    """Both in milliseconds since that ninja started."""
    mtime: int
    """Nanoseconds since 1970."""
    output: str
    hash: str
    """Of the command; 64 bits in hexadecimal."""


@frozen
class Log:
    """A log that was read."""

    version: int
    rows: tuple[Row, ...]
    """In the order of the file."""
    skipped: int
    """Lines that are no rows: the end of a ninja that was killed, or damage."""


@frozen
class Run:
    """One run of an edge, with all its outputs."""

    start: int
    end: int
    """Both in milliseconds since that ninja started."""
    stage: str
    """The edge's rule in the Ninja file, or `GONE`."""
    outputs: tuple[str, ...]

    @property
    def ms(self) -> int:
        """How long it took, in milliseconds."""
        return self.end - self.start


def parse(text: str, name: str) -> Log:
    """The log in `text`; lines that are no rows are counted and left out, as Ninja leaves them out.

    Raises `Failure` when the first line isn't that of a log, or is of a version that nobody here has seen. An empty
    text is an empty log: Ninja opens the file before it writes to it. `name` is the file's, for messages.
    """
    head, *lines = text.split("\n")  # not splitlines: names may hold U+2028
    if not text:
        return Log(NEWEST, (), 0)
    header = _HEADER.fullmatch(head)
    if header is None:
        raise _failure(name, "is not a log of Ninja's", f"rm {name}; the next ninja builds everything again")
    version = int(header[1])
    if not OLDEST <= version <= NEWEST:
        raise _failure(
            name, f"bpfgen reads versions {OLDEST} to {NEWEST} of Ninja's log, and not {version}", "use another ninja"
        )
    last = lines.pop() if lines else ""  # what follows the last line's end: nothing, or a row that was cut off
    rows = tuple(row for row in map(_row, lines) if row is not None)
    return Log(version, rows, len(lines) - len(rows) + bool(last))


def _failure(name: str, message: str, hint: str) -> Failure:
    return Failure([Problem(Location(name, 1, 1), message, hint)], EXIT_FAILED)


def _row(line: str) -> Row | None:
    fields = _ROW.fullmatch(line)
    if fields is None:
        return None
    row = Row(int(fields[1]), int(fields[2]), int(fields[3]), fields[4], fields[5])
    return row if row.start <= row.end else None


def last_build(log: Log, stages: Mapping[str, str], ninja_file: str) -> tuple[Run, ...]:
    """What the last ninja that built something ran, in the order of the starts.

    Ninja remakes `ninja_file` in a build before the build, with times of its own (`NinjaMain::RebuildManifest`): so the
    edge that makes it is there only where nothing was built afterwards.
    """
    rows = _last_by_clock(log.rows) if log.version >= CLOCKED else _last_by_order(log.rows)
    runs = _runs(rows, stages)
    return tuple(run for run in runs if ninja_file not in run.outputs) or runs


def newest(log: Log, stages: Mapping[str, str]) -> tuple[Run, ...]:
    """The newest run of every edge that the Ninja file has. The runs are of different builds: their starts can't be
    compared.
    """
    return tuple(run for run in _runs(log.rows, stages) if run.stage != GONE)


def _last_by_clock(rows: Iterable[Row]) -> list[Row]:
    """The rows of the last build, wherever they stand.

    MTIME is the time at which the command started; where the edge has `restat` or `generator` and wrote an output, that
    output's time (`Builder::FinishCommand`). So ninja itself started between MTIME - END and MTIME - START. A build
    starts after the end of the one before, so the two are told apart, unless they follow within a tick, or each edge of
    the later one took longer than the time between their starts.
    """
    rows = list(rows)
    started = max((row.mtime - row.end * 1_000_000 for row in rows), default=0)
    return [row for row in rows if row.mtime - row.start * 1_000_000 >= started - TICK_NS]


def _last_by_order(rows: Iterable[Row]) -> list[Row]:
    """The rows at the end of the log that can be of one build: ninja writes them when edges end, and runs none twice.

    Up to version 5, MTIME can be any input's, so the order is all there is. A build whose first edge ends later than
    the whole build before it can't be told from that one, unless both made one file.
    """
    last: list[Row] = []
    seen: set[str] = set()
    for row in reversed(list(rows)):
        if row.output in seen or (last and row.end > last[-1].end):
            break
        last.append(row)
        seen.add(row.output)
    return last[::-1]


def _runs(rows: Iterable[Row], stages: Mapping[str, str]) -> tuple[Run, ...]:
    """The newest row of each output; rows of one start, end and command are one edge."""
    edges: dict[tuple[int, int, str], list[str]] = {}
    for row in {row.output: row for row in rows}.values():
        edges.setdefault((row.start, row.end, row.hash), []).append(row.output)
    runs = (Run(start, end, _stage(names, stages), tuple(names)) for (start, end, _), names in edges.items())
    return tuple(sorted(runs, key=lambda run: (run.start, run.end, run.outputs)))


def _stage(outputs: Iterable[str], stages: Mapping[str, str]) -> str:
    return next((stages[name] for name in outputs if name in stages), GONE)


def read_stages(text: str) -> dict[str, str]:
    """Output → the rule of its edge in the graph, from the text of a Ninja file that bpfgen wrote, where rules are
    numbered (see `ninja`).
    """
    stages = {}
    for outputs, rule in _BUILD.findall(text):
        for word in _PATH.findall(outputs):
            # Ninja's log has canonical paths (`CanonicalizePath`).
            stages[posixpath.normpath(_ESCAPE.sub(r"\1", word))] = rule
    return stages
