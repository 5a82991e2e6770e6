"""Global variables: what is in `.data`, `.rodata`, `.bss` and their custom sections, by name, type and place."""

from __future__ import annotations

from collections.abc import Iterator

from bpfgen.bpf.btf import Btf
from bpfgen.bpf.container import STT_OBJECT, Container
from bpfgen.bpf.layout import c_name
from bpfgen.bpf.maps import is_global_data
from bpfgen.frozen import frozen


@frozen
class Variable:
    """One global or static variable that the object has room for."""

    section: str
    name: str
    type: str
    """In C; empty where it has no name there."""
    offset: int
    """Bytes from the section's beginning."""
    size: int


def read_variables(elf: Container, btf: Btf | None) -> tuple[Variable, ...]:
    """Every variable that BTF knows, by section and place; raises Malformed."""
    return tuple(sorted(_variables(elf, btf), key=lambda each: (each.section, each.offset, each.name))) if btf else ()


def _variables(elf: Container, btf: Btf) -> Iterator[Variable]:
    # BTF has the places of static variables; of global ones it has 0 and leaves them to the symbols (libbpf's
    # btf_fixup_datasec).
    places = {(s.section, s.name): s.value for s in elf.symbols if s.kind == STT_OBJECT}
    sections = {each.name: index for index, each in reversed([*enumerate(elf.sections)]) if is_global_data(each)}
    for section, index in sections.items():
        types = btf.data_section(section)
        for each in btf.variables(types) if types is not None else ():
            offset = places.get((index, each.name), each.offset)
            yield Variable(section, each.name, c_name(btf, each.type), offset, each.size)
