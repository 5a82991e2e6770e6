"""Reads and loads BPF objects with tools that bpfgen has no part in: pyelftools and bpftool."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection

# libbpf pins maps by name below /sys/fs/bpf: this one is the command's own, and ends with it.
LOAD = 'mount -t bpf bpf /sys/fs/bpf && mkdir /sys/fs/bpf/all && exec bpftool prog loadall "$1" /sys/fs/bpf/all'


def code(path: Path) -> dict[str, Any]:
    """What the kernel gets to see of an object but its BTF, which has names of files: each section's type, size and
    contents, and its relocations by symbol. Numbers of types, which `.BTF` may give in any order, are left out.
    """
    with path.open("rb") as file:
        elf = ELFFile(file)
        numbers = _type_numbers(elf)
        kept = [section for section in elf.iter_sections() if section["sh_flags"] & SH_FLAGS.SHF_ALLOC]
        found: dict[str, Any] = {
            section.name: (
                section["sh_type"],
                section["sh_flags"],
                section["sh_size"],
                _masked(section.data(), numbers.get(section.name, ())),
            )
            for section in kept
        }
        for section in elf.iter_sections():
            if isinstance(section, RelocationSection) and elf.get_section(section["sh_info"]) in kept:
                found[section.name] = _relocations(elf, section)
    return found


def _type_numbers(elf: ELFFile) -> dict[str, list[int]]:
    """Places in each section's code that hold the number of a type in `.BTF`, for a loader to put in its own.

    Records of CO-RE relocations of the kinds 6 and 7, as linux/btf.h and libbpf's `struct btf_ext_header` lay them out.
    """
    types, ext = elf.get_section_by_name(".BTF"), elf.get_section_by_name(".BTF.ext")
    if types is None or ext is None:
        return {}
    order = "<" if elf.little_endian else ">"
    btf, data = types.data(), ext.data()
    (length,) = struct.unpack_from(f"{order}I", data, 4)
    if length < 32:
        return {}
    start, size = struct.unpack_from(f"{order}II", data, 24)
    strings = sum(struct.unpack_from(f"{order}I", btf, at)[0] for at in (4, 16))
    at, end, found = length + start + 4, length + start + size, dict[str, list[int]]()
    while at < end:
        name, count = struct.unpack_from(f"{order}II", data, at)
        section = btf[strings + name : btf.index(b"\0", strings + name)].decode()
        rows = [struct.unpack_from(f"{order}IIII", data, at + 8 + 16 * row) for row in range(count)]
        found.setdefault(section, []).extend(row[0] + 4 for row in rows if row[3] in (6, 7))
        at += 8 + 16 * count
    return found


def _masked(data: bytes, places: Iterable[int]) -> bytes:
    masked = bytearray(data)
    for place in places:
        masked[place : place + 4] = bytes(4)
    return bytes(masked)


def _relocations(elf: ELFFile, section: RelocationSection) -> list[tuple[int, int, str, int]]:
    """Offset, type, symbol and the symbol's value, of each relocation."""
    symbols: Any = elf.get_section(section["sh_link"])
    rows = []
    for row in section.iter_relocations():
        symbol = symbols.get_symbol(row["r_info_sym"])
        place = symbol["st_shndx"]
        # A section's symbol has no name, and an undefined symbol no section.
        name = symbol.name or elf.get_section(place).name
        rows.append((row["r_offset"], row["r_info_type"], name, symbol["st_value"]))
    return rows


def loads(path: Path) -> bool:
    """Whether the running kernel accepts every program of an object. Nothing is attached, and nothing is left."""
    words = ("unshare", "--mount", "--net", "sh", "-c", LOAD, "sh", str(path))
    return subprocess.run(words, check=False, capture_output=True).returncode == 0
