"""An `ObjectInfo` as text for people: `bpfgen inspect FILE.o`."""

from __future__ import annotations

from collections.abc import Sequence

from bpfgen.bpf.info import MapInfo, ObjectInfo, ProgramInfo

UNITS = ("B", "KiB", "MiB", "GiB")


def render(info: ObjectInfo, name: str) -> str:
    """The object's facts, programs, subprograms and maps as aligned plain text that ends with a newline."""
    blocks = [f"{name}\n{_facts(info)}"]
    if info.programs:
        blocks.append(_table(["PROGRAM", "SECTION", "TYPE", "INSTRUCTIONS"], map(_program, info.programs)))
    if info.subprograms:
        blocks.append(_table(["SUBPROGRAM", "SECTION", "INSTRUCTIONS"], map(_subprogram, info.subprograms)))
    if info.maps:
        heads = ["MAP", "TYPE", "KEY", "VALUE", "ENTRIES", "FLAGS"]
        blocks.append(_table(heads, map(_map, info.maps)))
    return "\n".join(blocks)


def human_size(size: int) -> str:
    """Bytes in the largest binary unit that leaves at least 1 (`1536` → `1.5 KiB`)."""
    value, unit = float(size), 0
    while value >= 1024 and unit < len(UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f} {UNITS[unit]}" if unit else f"{size} B"


def _facts(info: ObjectInfo) -> str:
    btf = human_size(info.btf_size) if info.has_btf else "none"
    rows = [
        ("size", f"{human_size(info.size)}, {info.endian} endian"),
        ("license", info.license or "none"),
        ("BTF", btf),
        ("DWARF", "yes" if info.has_dwarf else "none"),
        ("sha256", info.sha256),
    ]
    return "".join(f"  {label:<8} {value}\n" for label, value in rows)


def _program(program: ProgramInfo) -> list[str]:
    return [program.name, program.section, program.type, str(program.instructions)]


def _subprogram(program: ProgramInfo) -> list[str]:
    return [program.name, program.section, str(program.instructions)]


def _map(each: MapInfo) -> list[str]:
    entries = str(each.max_entries) if each.max_entries else "-"
    flags = f"{each.flags:#x}" if each.flags else "-"
    key, value = _typed(each.key, each.key_size), _typed(each.value, each.value_size)
    return [each.name, each.type, key, value, entries, flags]


def _typed(name: str, size: int) -> str:
    if not size:
        return "-"
    return f"{name} ({human_size(size)})" if name else human_size(size)


def _table(heads: Sequence[str], rows: map[list[str]]) -> str:
    lines = [list(heads), *rows]
    widths = [max(map(len, column)) for column in zip(*lines)]
    padded = ("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths)) for line in lines)
    return "".join(f"  {line.rstrip()}\n" for line in padded)
