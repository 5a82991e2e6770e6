"""Which programs implement the functions of a `struct_ops` map, by the relocations of its section."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from bpfgen.bpf.btf import Btf, Kind, Member
from bpfgen.bpf.container import STT_FUNC, Container
from bpfgen.bpf.maps import STRUCT_OPS
from bpfgen.bpf.relocations import relocations
from bpfgen.frozen import frozen


@frozen
class Operation:
    """One function of the kernel's struct, and what implements it."""

    map: str
    member: str
    program: str


def read_operations(elf: Container, btf: Btf | None) -> tuple[Operation, ...]:
    """Every operation, by map and place; raises Malformed."""
    return tuple(_operations(elf, btf)) if btf is not None else ()


def _operations(elf: Container, btf: Btf) -> Iterator[Operation]:
    programs = _programs(elf)
    members: dict[int, dict[int, str]] = {}
    for section in dict.fromkeys(section for section, _offset in programs):
        variables = _variables(elf, btf, section)
        starts = [start for start, _variable in variables]
        for offset in sorted(offset for where, offset in programs if where == section):
            start, variable = variables[bisect_right(starts, offset) - 1] if variables else (0, None)
            if variable is None or not start <= offset < start + variable.size:
                continue
            if variable.type not in members:
                members[variable.type] = _members(btf, variable.type)
            member = members[variable.type].get(offset - start)
            if member is not None:
                yield Operation(variable.name, member, programs[section, offset])


def _programs(elf: Container) -> dict[tuple[int, int], str]:
    """The function that each place in a `struct_ops` section is to hold, by section and offset."""
    functions = {(symbol.section, symbol.value): symbol.name for symbol in elf.symbols if symbol.kind == STT_FUNC}
    found = {}
    for each in relocations(elf):
        function = functions.get((each.symbol.section, each.symbol.value))
        if function is not None and elf.sections[each.section].name in STRUCT_OPS:
            found[each.section, each.offset] = function
    return found


def _variables(elf: Container, btf: Btf, section: int) -> list[tuple[int, Member]]:
    types = btf.data_section(elf.sections[section].name)
    places = {symbol.name: symbol.value for symbol in elf.symbols if symbol.section == section}
    variables = btf.variables(types) if types is not None else ()
    return sorted(
        ((places.get(each.name, each.offset), each) for each in variables), key=lambda row: (row[0], row[1].name)
    )


def _members(btf: Btf, number: int) -> dict[int, str]:
    """The members of a struct by their offset in bytes."""
    found = btf.plain(number)
    return {each.offset // 8: each.name for each in btf.members(found)} if found.kind is Kind.STRUCT else {}
