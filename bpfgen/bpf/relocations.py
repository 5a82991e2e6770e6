"""Relocations of an object's sections: which places hold an address that a loader puts in."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from bpfgen.bpf.container import Container, Symbol
from bpfgen.bpf.malformed import Malformed
from bpfgen.frozen import frozen

ROWS = {"SHT_REL": "QQ", "SHT_RELA": "QQq"}


@frozen
class Relocation:
    """One entry of a relocation section."""

    section: int
    """The index of the section that it is for."""
    offset: int
    """Bytes into that section."""
    kind: int
    """`R_BPF_…` (kernel: Documentation/bpf/llvm_reloc.rst)"""
    symbol: Symbol
    addend: int | None
    """None where it is in the place itself, as clang writes it."""


def relocations(elf: Container) -> Iterator[Relocation]:
    """Every relocation but those of sections that no loader sees (of `SHF_ALLOC`); raises Malformed."""
    for section in elf.sections:
        if section.type not in ROWS:
            continue
        row = Struct(f"{'<' if elf.little else '>'}{ROWS[section.type]}")
        if max(section.link, section.info) >= len(elf.sections) or elf.sections[section.link].type != "SHT_SYMTAB":
            raise Malformed(f"the relocations {section.name} are for sections that aren't there")
        if not elf.sections[section.info].loaded:
            continue
        if len(section.data) % row.size:
            raise Malformed(f"the relocations {section.name} end within one")
        for offset, info, *addend in row.iter_unpack(section.data):
            number = info >> 32
            if number >= len(elf.symbols):
                raise Malformed(f"the relocations {section.name} are to a symbol {number} that isn't there")
            yield Relocation(
                section.info, offset, info & 0xFFFFFFFF, elf.symbols[number], addend[0] if addend else None
            )
