"""Reads and loads BPF objects with tools that bpfgen has no part in: pyelftools and bpftool."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection

# libbpf pins maps by name below /sys/fs/bpf: this one is the command's own, and ends with it.
LOAD = 'mount -t bpf bpf /sys/fs/bpf && mkdir /sys/fs/bpf/all && exec bpftool prog loadall "$1" /sys/fs/bpf/all'


def code(path: Path) -> dict[str, Any]:
    """What the kernel gets to see of an object but its BTF, which has names of files: each section's type, size and
    contents, and its relocations by symbol.
    """
    with path.open("rb") as file:
        elf = ELFFile(file)
        kept = [section for section in elf.iter_sections() if section["sh_flags"] & SH_FLAGS.SHF_ALLOC]
        found: dict[str, Any] = {
            section.name: (section["sh_type"], section["sh_flags"], section["sh_size"], section.data())
            for section in kept
        }
        for section in elf.iter_sections():
            if isinstance(section, RelocationSection) and elf.get_section(section["sh_info"]) in kept:
                found[section.name] = _relocations(elf, section)
    return found


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
