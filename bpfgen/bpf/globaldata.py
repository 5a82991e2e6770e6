"""Every variable of the data sections, by its type in C: those of `variables.py`, and static and hidden ones."""

from __future__ import annotations

from collections.abc import Iterator

from bpfgen.bpf.btf import Btf
from bpfgen.bpf.container import STT_OBJECT, Container
from bpfgen.bpf.layout import c_name
from bpfgen.bpf.maps import is_global_data
from bpfgen.bpf.variables import read_variables
from bpfgen.frozen import frozen


@frozen
class DataVariable:
    """One variable that the object has room for."""

    section: str
    name: str
    type: str
    """In C; empty where it has no name there, or the object doesn't say."""
    offset: int
    """Bytes from the section's beginning."""
    size: int
    settable: bool
    """Whether a loader finds it by name: not so where it is static or hidden."""


def read_data(elf: Container, btf: Btf | None) -> tuple[DataVariable, ...]:
    """Every variable, by section and place; raises Malformed."""
    settable = [
        DataVariable(each.section, each.name, _c_name(btf, each.type), each.offset, each.size, settable=True)
        for each in read_variables(elf, btf)
    ]
    known = {(each.section, each.name) for each in settable}
    others = [each for each in _by_types(elf, btf) if (each.section, each.name) not in known] if btf is not None else []
    return tuple(sorted([*settable, *others], key=lambda each: (each.section, each.offset, each.name)))


def _c_name(btf: Btf | None, number: int | None) -> str:
    return c_name(btf, number) if btf is not None and number is not None else ""


def _by_types(elf: Container, btf: Btf) -> Iterator[DataVariable]:
    # BTF has the places of static variables; of others it has 0 and leaves them to the symbols (libbpf's
    # btf_fixup_datasec).
    places = {(s.section, s.name): s.value for s in elf.symbols if s.kind == STT_OBJECT}
    sections = {each.name: index for index, each in reversed([*enumerate(elf.sections)]) if is_global_data(each)}
    for section, index in sections.items():
        types = btf.data_section(section)
        for each in btf.variables(types) if types is not None else ():
            offset = places.get((index, each.name), each.offset)
            yield DataVariable(section, each.name, c_name(btf, each.type), offset, each.size, settable=False)
