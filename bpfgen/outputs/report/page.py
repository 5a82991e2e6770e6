"""What the report shows, as data: the template only writes it down. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

from bpfgen.findings.checked import Checked
from bpfgen.findings.listing import level, summary, where, word
from bpfgen.findings.policy import ACCEPTED, NOTE, Finding
from bpfgen.findings.rows import Cell, Row, Upstream
from bpfgen.frozen import frozen
from bpfgen.outputs.report.sizes import Sizes, instructions, sizes
from bpfgen.verdicts.model import CONDITIONAL, FAILS, OK, UNKNOWN, VERDICTS

Manifest = Mapping[str, Any]
"""Or a part of it."""

SYMBOLS = {OK: "✓", CONDITIONAL: "◐", UNKNOWN: "?", FAILS: "✗"}
MEANINGS = {
    OK: "loads",
    CONDITIONAL: "loads if something holds that is named",
    UNKNOWN: "nothing says whether it loads",
    FAILS: "the kernel refuses it",
}


@frozen
class Mark:
    """A verdict as it is drawn."""

    verdict: str
    symbol: str
    meaning: str


@frozen
class Box:
    """A cell of the matrix."""

    verdict: str
    symbol: str
    word: str
    accepted: bool


@frozen
class Line:
    """A row of the matrix."""

    name: str
    anchor: str
    arches: str
    cells: tuple[Optional[Box], ...]
    loads: str
    instructions: str
    """Of the object, or of the smallest and the largest one."""
    size: str
    """Bytes, the same way."""
    verdicts: str
    """One for each kernel, `none` where it isn't for it."""
    text: str
    """In lower case, all that the filter looks at."""


@frozen
class Entry:
    """A reason, as the list of a program shows it."""

    level: str
    verdict: str
    symbol: str
    functions: str
    message: str
    need: str
    where: str
    source: str
    accepted: str
    place: str
    """`FILE:LINE:COLUMN`, or empty."""
    line: int
    text: str


@frozen
class Section:
    """A program."""

    name: str
    anchor: str
    loads: str
    marks: tuple[Mark, ...]
    """The verdicts that it has, the worst first."""
    findings: tuple[Entry, ...]
    objects: tuple[Manifest, ...]
    """The manifest's entries, with architectures as text."""


@frozen
class Page:
    """The whole report."""

    project: str
    summary: str
    bpfgen: str
    toolchain: str
    kernels: tuple[Mapping[str, Optional[str]], ...]
    """`name` and `upstream` of each, the oldest first."""
    marks: tuple[Mark, ...]
    rows: tuple[Line, ...]
    sizes: Sizes
    programs: tuple[Section, ...]


MARKS = tuple(Mark(verdict, SYMBOLS[verdict], MEANINGS[verdict]) for verdict in VERDICTS)
SOURCES = {
    "btf": "the kernel's types",
    "upstream": "its version",
    "profile": "its profile",
    "assume": "what build.toml assumes",
}


def page(checked: Checked, upstream: Upstream, manifest: Manifest) -> Page:
    """The report of what was checked, and of the objects that the manifest has."""
    names = list(dict.fromkeys(row.program for row in checked.rows))
    anchors = {name: f"program-{index}" for index, name in enumerate(names)}
    objects: dict[str, list[Manifest]] = {name: [] for name in names}
    for entry in manifest["objects"]:
        objects.get(entry["program"], []).append(entry)
    found: dict[str, list[Finding]] = {name: [] for name in names}
    for finding in checked.findings:
        found[finding.program].append(finding)
    return Page(
        project=manifest["project"],
        summary=f"{summary(checked.rows, checked.findings)}.",
        bpfgen=manifest["bpfgen"],
        toolchain=manifest["toolchain"]["clang"],
        kernels=tuple({"name": name, "upstream": upstream[name]} for name in checked.kernels),
        marks=MARKS,
        rows=tuple(_line(row, anchors[row.program], objects[row.program], found[row.program]) for row in checked.rows),
        sizes=sizes(objects),
        programs=tuple(_section(name, anchors[name], checked.rows, found[name], objects[name]) for name in names),
    )


def _line(row: Row, anchor: str, objects: Iterable[Manifest], found: Iterable[Finding]) -> Line:
    own = [o for o in objects if o["variant"] == row.variant and set(o["arches"]) & set(row.arches)]
    cells = tuple(map(_box, row.cells))
    return Line(
        row.name,
        anchor,
        " ".join(row.arches),
        cells,
        row.loads,
        _range(list(map(instructions, own))),
        _range([o["size"] for o in own]),
        " ".join(cell.verdict if cell else "none" for cell in cells),
        _text(row, own, found),
    )


def _box(cell: Optional[Cell]) -> Optional[Box]:
    if cell is None:
        return None
    return Box(cell.verdict, SYMBOLS[cell.verdict], word(cell), cell.level == ACCEPTED)


def _range(numbers: Sequence[int]) -> str:
    low, high = min(numbers, default=0), max(numbers, default=0)
    return f"{low}" if low == high else f"{low}–{high}"


def _text(row: Row, objects: Iterable[Manifest], found: Iterable[Finding]) -> str:
    words = [row.name, *row.arches]
    for entry in objects:
        words += [entry["id"], *entry["sources"]]
        for each in entry["programs"]:
            words += [each["name"], each["section"], each["type"]]
        for each in entry["maps"]:
            words += [each["name"], each["type"]]
    words += [finding.need for finding in found if finding.level != NOTE]
    return " ".join(dict.fromkeys(words)).lower()


def _section(
    name: str, anchor: str, rows: Iterable[Row], found: Iterable[Finding], objects: Iterable[Manifest]
) -> Section:
    own = [row for row in rows if row.program == name]
    verdicts = {cell.verdict for row in own for cell in row.cells if cell}
    said = dict.fromkeys(row.loads for row in own)
    return Section(
        name,
        anchor,
        "; ".join(said) if len(said) == 1 else "differs by architecture or variant",
        tuple(mark for mark in reversed(MARKS) if mark.verdict in verdicts),
        tuple(map(_entry, found)),
        tuple({**entry, "arches": " ".join(entry["arches"])} for entry in objects),
    )


def _entry(finding: Finding) -> Entry:
    reason, line = finding.reason, finding.reason.line
    return Entry(
        level(finding.level),
        reason.verdict,
        SYMBOLS[reason.verdict],
        ", ".join(finding.functions),
        reason.message,
        finding.need,
        where(finding),
        SOURCES.get(reason.source, reason.source),
        finding.accepted,
        str(finding.place or ""),
        line.number if line else 0,
        line.text if line else "",
    )
