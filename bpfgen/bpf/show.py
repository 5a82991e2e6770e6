"""An `ObjectInfo` and its `Details` as text for people: `bpfgen inspect FILE.o`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bpfgen.bpf.details import Asked, Details
from bpfgen.bpf.externs import Extern
from bpfgen.bpf.globaldata import DataVariable
from bpfgen.bpf.info import MapInfo, ObjectInfo, ProgramInfo
from bpfgen.bpf.needs import Needs
from bpfgen.text import columns

UNITS = ("B", "KiB", "MiB", "GiB")


def render(info: ObjectInfo, details: Details, name: str, verbose: bool = False) -> str:
    """The object's facts as aligned plain text that ends with a newline; `verbose` adds the CO-RE relocations."""
    tables: list[tuple[list[str], list[list[str]]]] = [
        (["PROGRAM", "SECTION", "TYPE", "ATTACH TYPE", "INSTRUCTIONS", ""], [*map(_program, info.programs)]),
        (["SUBPROGRAM", "SECTION", "INSTRUCTIONS"], [*map(_subprogram, info.subprograms)]),
        (["MAP", "TYPE", "KEY", "VALUE", "ENTRIES", "FLAGS", ""], [*map(_map, info.maps)]),
        (["PROGRAM", "NEEDS"], [row for each in details.needs for row in _needs(each)]),
        (["EXTERN", "KIND", "", "TYPE"], [*map(_extern, details.externs)]),
        (["VARIABLE", "SECTION", "OFFSET", "SIZE", "TYPE", ""], [*map(_variable, details.variables)]),
        (["MAP", "MEMBER", "PROGRAM"], [[each.map, each.member, each.program] for each in details.operations]),
    ]
    if verbose:
        heads = ["FUNCTION", "INSTRUCTION", "ASKS FOR", "OF", "LINE"]
        tables.append((heads, [*map(_relocation, details.relocations)]))
    blocks = [f"{name}\n{_facts(info, details)}", *(_table(heads, rows) for heads, rows in tables if rows)]
    return "\n".join(blocks)


def human_size(size: int) -> str:
    """Bytes in the largest binary unit that leaves at least 1 (`1536` → `1.5 KiB`)."""
    value, unit = float(size), 0
    while value >= 1024 and unit < len(UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f} {UNITS[unit]}" if unit else f"{size} B"


def _facts(info: ObjectInfo, details: Details) -> str:
    btf = human_size(info.btf_size) if info.has_btf else "none"
    rows = [
        ("size", f"{human_size(info.size)}, {info.endian} endian"),
        ("license", info.license or "none"),
        ("BTF", btf),
        ("DWARF", "yes" if info.has_dwarf else "none"),
        ("sha256", info.sha256),
        *(("note", note) for note in details.notes),
    ]
    if details.relocations:
        rows.insert(3, ("CO-RE", f"{len(details.relocations)} relocations"))
    return "".join(f"  {label:<8} {value}\n" for label, value in rows)


def _program(program: ProgramInfo) -> list[str]:
    marks = ["sleepable"] if program.sleepable else []
    if not program.autoload:
        marks.append("not loaded unasked")
    kind = (program.type, program.attach_type)
    return [program.name, program.section, *kind, str(program.instructions), ", ".join(marks)]


def _subprogram(program: ProgramInfo) -> list[str]:
    return [program.name, program.section, str(program.instructions)]


def _map(each: MapInfo) -> list[str]:
    entries = str(each.max_entries) if each.max_entries else "-"
    flags = f"{each.flags:#x}" if each.flags else "-"
    key, value = _typed(each.key, each.key_size), _typed(each.value, each.value_size)
    marks = [f"pinned by {each.pinning}"] if each.pinning else []
    if each.inner is not None:
        inner = each.inner
        types = f"key {_typed(inner.key, inner.key_size)}, value {_typed(inner.value, inner.value_size)}"
        marks.append(f"of {inner.type}: {types}")
    return [each.name, each.type, key, value, entries, flags, ", ".join(marks)]


def _needs(each: Needs) -> Iterator[list[str]]:
    """A line for each kind of thing that a program needs."""
    name = each.program
    features = [*each.features]
    for word, items in (
        ("helpers", each.helpers),
        ("kfuncs", each.kfuncs),
        ("symbols", each.ksyms),
        ("configuration", each.kconfig),
        ("functions", each.functions),
        ("maps", each.maps),
        (f"-mcpu={each.cpu}", features),
    ):
        if items:
            yield [name, f"{word}: {', '.join(items)}"]
            name = ""


def _extern(each: Extern) -> list[str]:
    return [each.name, each.kind or "?", "weak" if each.weak else "", each.type or "-"]


def _variable(each: DataVariable) -> list[str]:
    return [
        each.name,
        each.section,
        f"{each.offset:#x}",
        str(each.size),
        each.type or "-",
        "" if each.settable else "static",
    ]


def _relocation(each: Asked) -> list[str]:
    return [each.function or "-", str(each.instruction), each.kind, each.path, each.line or "-"]


def _typed(name: str, size: int) -> str:
    if not size:
        return "-"
    return f"{name} ({human_size(size)})" if name else human_size(size)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Without columns that are empty."""
    lines = [list(heads), *map(list, rows)]
    kept = [column for column in zip(*lines) if any(column[1:])]
    return "".join(f"  {line}\n" for line in columns([*zip(*kept)]).splitlines())
