"""Maps: what a loader creates for `.maps`, `maps`, `.rodata`, `.data`, `.bss`, `.kconfig` and `.struct_ops`.

The rules are libbpf's (parse_btf_map_def and its neighbours). Global data maps bear the name of their
section: libbpf puts a part of the object's file name before it, cilium/ebpf does not.
"""

from __future__ import annotations

import dataclasses
from struct import Struct

from bpfgen.bpf.btf import Btf, Kind, Member
from bpfgen.bpf.container import STT_SECTION, Container, Section
from bpfgen.bpf.info import MapInfo
from bpfgen.bpf.layout import Alignments, c_name, size_of
from bpfgen.bpf.malformed import Malformed
from bpfgen.catalog import feature_names

BPF_F_RDONLY_PROG = 1 << 7
BPF_F_MMAPABLE = 1 << 10
BPF_F_LINK = 1 << 13
FD_SIZE = 4
"""Bytes of a key or value that is a file descriptor or an index."""
PINNING = ("", "name")
"""`enum libbpf_pin_type`"""
MAPS_OF_MAPS = ("array_of_maps", "hash_of_maps")
GLOBAL_DATA = (".data", ".rodata", ".bss")
STRUCT_OPS = (".struct_ops", ".struct_ops.link", "?.struct_ops", "?.struct_ops.link")
MAX_FIELDS = 64
"""Fields of one map's definition; libbpf knows a dozen."""


def map_type(number: int) -> str:
    """The name of a `BPF_MAP_TYPE_…` number in lower case, or the number where the catalogue has none."""
    return feature_names("map_type", "BPF_MAP_TYPE_").get(number, str(number)) if number else "unspec"


def read_maps(elf: Container, btf: Btf | None) -> tuple[MapInfo, ...]:
    """Every map: declared ones, then global data by section, `.kconfig`, `.struct_ops`; raises Malformed."""
    found = _legacy_maps(elf)
    if btf is not None:
        found += _declared_maps(elf, btf)
    elif elf.section(".maps") is not None:
        raise Malformed("its .maps section needs BTF, and it has none")
    found += _data_maps(elf, btf)
    if btf is not None:
        found += _kconfig_map(btf)
        found += [each for name in STRUCT_OPS for each in _struct_ops_maps(name, btf)]
    return tuple(found)


def _declared_maps(elf: Container, btf: Btf) -> list[MapInfo]:
    section, types = elf.section(".maps"), btf.data_section(".maps")
    if section is None or not section.size:
        return []
    if types is None:
        raise Malformed("its .maps section has no BTF")
    for variable in btf.variables(types):
        if variable.offset + variable.size > section.size:
            raise Malformed(f"the map {variable.name} ends beyond its section")
    return [_declared_map(variable, btf) for variable in btf.variables(types)]


def _declared_map(variable: Member, btf: Btf) -> MapInfo:
    definition = _Definition(btf, variable.name, variable.type)
    inner = definition.inner()
    if not inner:
        return definition.read()
    return dataclasses.replace(definition.read(), inner=_Definition(btf, f"{variable.name}.inner", inner).read())


class _Definition:
    """The struct that declares a map, field by field; every method raises Malformed."""

    def __init__(self, btf: Btf, name: str, number: int) -> None:
        found = btf.plain(number)
        if found.kind is not Kind.STRUCT:
            raise Malformed(f"the map {name} is no struct")
        if found.items > MAX_FIELDS:
            raise Malformed(f"the map {name} has {found.items} fields")
        self._btf, self._name = btf, name
        self._fields = {member.name: member.type for member in btf.members(found)}

    def read(self) -> MapInfo:
        """The map, without what is in it."""
        if not self._number("type"):
            raise Malformed(f"the map {self._name} has no type")
        return MapInfo(
            name=self._name,
            type=map_type(self._number("type")),
            key_size=self._size("key"),
            value_size=FD_SIZE if "values" in self._fields else self._size("value"),
            max_entries=self._number("max_entries"),
            flags=self._number("map_flags"),
            key=self._type("key"),
            value=self._type("value"),
            pinning=self._pinning(),
            extra=self._number("map_extra"),
            numa_node=self._number("numa_node"),
        )

    def inner(self) -> int:
        """The type that `__array(values, struct x)` names for the maps in a map of maps, or 0."""
        if "values" not in self._fields or map_type(self._number("type")) not in MAPS_OF_MAPS:
            return 0
        values = self._btf.plain(self._fields["values"])
        if values.kind is Kind.ARRAY:
            pointer = self._btf.plain(self._btf.array(values).type)
            if pointer.kind is Kind.PTR:
                return pointer.target
        raise Malformed(f"{self._name}.values is no array of maps: write it with __array()")

    def _number(self, field: str) -> int:
        if field not in self._fields:
            return 0
        return _number(self._btf, self._fields[field], f"{self._name}.{field}")

    def _pointee(self, field: str) -> int:
        found = self._btf.plain(self._fields[field])
        if found.kind is not Kind.PTR:
            raise Malformed(f"{self._name}.{field} is no pointer")
        return found.target

    def _size(self, field: str) -> int:
        return size_of(self._btf, self._pointee(field)) if field in self._fields else self._number(f"{field}_size")

    def _type(self, field: str) -> str:
        return c_name(self._btf, self._pointee(field)) if field in self._fields else ""

    def _pinning(self) -> str:
        number = self._number("pinning")
        return PINNING[number] if number < len(PINNING) else str(number)


def _number(btf: Btf, member: int, what: str) -> int:
    """`__uint(field, 3)` is `int (*field)[3]`: the number is the length of the array.

    `__ulong(field, 3)` is an enum with one value, for numbers of 64 bits.
    """
    pointer = btf.plain(member)
    if pointer.kind in (Kind.ENUM, Kind.ENUM64) and pointer.items == 1:
        return btf.values(pointer)[0].number & (1 << 64) - 1
    array = btf.type(pointer.target)
    if pointer.kind is not Kind.PTR or array.kind is not Kind.ARRAY:
        raise Malformed(f"{what} is no number: write it with __uint()")
    return btf.array(array).length


def is_legacy(section: str) -> bool:
    """Whether maps in that section are declared as before BTF: libbpf 1.0 and newer refuse them."""
    return section == "maps" or section.startswith("maps/")


def is_map_section(section: str) -> bool:
    """Whether that section's symbols are maps."""
    return section == ".maps" or is_legacy(section)


def _legacy_maps(elf: Container) -> list[MapInfo]:
    """`struct bpf_map_def`: type, key_size, value_size, max_entries, map_flags; some loaders add more."""
    row = Struct("<IIIII" if elf.little else ">IIIII")
    found = []
    for symbol in sorted(elf.symbols, key=lambda symbol: (symbol.section, symbol.value)):
        section = elf.section_of(symbol)
        if section is None or not is_legacy(section.name):
            continue
        if symbol.kind == STT_SECTION or not symbol.name:
            continue
        if symbol.value + row.size > len(section.data):
            raise Malformed(f"the map {symbol.name} ends beyond its section")
        kind, key, value, entries, flags = row.unpack_from(section.data, symbol.value)
        found.append(MapInfo(symbol.name, map_type(kind), key, value, entries, flags))
    return found


def _data_maps(elf: Container, btf: Btf | None) -> list[MapInfo]:
    sections = [section for section in elf.sections if is_global_data(section)]
    flags = {name: _data_flags(name, btf) for name in {section.name for section in sections}}
    return [MapInfo(section.name, "array", FD_SIZE, section.size, 1, flags[section.name]) for section in sections]


def is_global_data(section: Section) -> bool:
    """`.data`, `.rodata` and `.bss`, and their custom sections such as `.data.x`, where they aren't empty."""
    base = f".{section.name[1:].partition('.')[0]}"
    wanted = "SHT_NOBITS" if base == ".bss" else "SHT_PROGBITS"
    named = section.name.startswith(".") and base in GLOBAL_DATA
    return named and section.size > 0 and section.type == wanted and not section.executable


def _data_flags(name: str, btf: Btf | None) -> int:
    types = btf.data_section(name) if btf is not None else None
    flags = BPF_F_RDONLY_PROG if name.startswith(".rodata") else 0
    if btf is not None and types is not None and not btf.is_static(types):
        flags |= BPF_F_MMAPABLE
    return flags


def _kconfig_map(btf: Btf) -> list[MapInfo]:
    """The `extern … __kconfig` variables, laid out as libbpf does: by falling alignment, size, name."""
    types = btf.data_section(".kconfig")
    variables = btf.variables(types) if types is not None else ()
    alignments = Alignments(btf)
    places = [(alignments.of(each.type), size_of(btf, each.type), each.name) for each in variables]
    end = 0
    for align, size, _name in sorted(places, key=lambda place: (-place[0], *place[1:])):
        end = -(-end // align) * align + size
    flags = BPF_F_RDONLY_PROG | BPF_F_MMAPABLE
    return [MapInfo(".kconfig", "array", FD_SIZE, end, 1, flags)] if places else []


def _struct_ops_maps(name: str, btf: Btf) -> list[MapInfo]:
    """One map for each variable; its value is the kernel's struct, of which the object knows a part."""
    types = btf.data_section(name)
    return [
        MapInfo(
            name=variable.name,
            type="struct_ops",
            key_size=FD_SIZE,
            value_size=size_of(btf, variable.type),
            max_entries=1,
            flags=BPF_F_LINK if name.endswith(".link") else 0,
            value=c_name(btf, variable.type),
        )
        for variable in (btf.variables(types) if types is not None else ())
    ]
