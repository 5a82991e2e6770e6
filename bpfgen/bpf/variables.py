"""Global variables: what a loader can set before it loads, by the rules of cilium/ebpf's elf_reader.go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Optional

from bpfgen.bpf.btf import Btf
from bpfgen.bpf.container import STB_LOCAL, Container, Section, Symbol
from bpfgen.bpf.malformed import Malformed
from bpfgen.frozen import frozen

STT_NOTYPE, STT_OBJECT = 0, 1
VISIBLE = (0, 3)
"""`STV_DEFAULT` and `STV_PROTECTED`."""


@frozen
class Variable:
    """A global variable that isn't `static` and not hidden."""

    name: str
    section: str
    """`.data`, `.rodata`, `.bss` or one that begins with the first two."""
    offset: int
    """Bytes from the start of its section."""
    size: int
    """Bytes."""
    type: Optional[int]
    """The id of its BTF type; None where the object has none for it."""


def read_variables(elf: Container, btf: Optional[Btf]) -> tuple[Variable, ...]:
    """Every global variable, by section and place in it; raises Malformed."""
    found = []
    for index, section in enumerate(elf.sections):
        if not _holds_variables(section):
            continue
        types = _types(btf, section.name)
        for symbol in _symbols(elf, index):
            if symbol.value + symbol.size > section.size:
                raise Malformed(f"the variable {symbol.name} ends beyond its section {section.name}")
            known = types.get(symbol.name)
            found.append(Variable(symbol.name, section.name, symbol.value, symbol.size, known))
    return tuple(found)


def _holds_variables(section: Section) -> bool:
    return section.name == ".bss" or section.name.startswith((".data", ".rodata"))


def _types(btf: Optional[Btf], section: str) -> Mapping[str, int]:
    found = btf.data_section(section) if btf is not None else None
    return {each.name: each.type for each in btf.variables(found)} if btf is not None and found is not None else {}


def _symbols(elf: Container, index: int) -> Iterator[Symbol]:
    """The symbols of a section's variables, by place; of several at one place, the last one."""
    kinds = (STT_NOTYPE, STT_OBJECT)
    symbols = (each for each in elf.symbols if each.section == index and each.name and each.kind in kinds)
    for _place, symbol in sorted({symbol.value: symbol for symbol in symbols}.items()):
        # Old compilers leave `.Lconst` and the like; no name in C starts with a dot.
        if symbol.binding != STB_LOCAL and symbol.visibility in VISIBLE and not symbol.name.startswith("."):
            yield symbol
