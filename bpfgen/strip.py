"""Drops DWARF from one BPF object.

On the path of every compile edge, so `struct` is all that it imports besides `forwards`. It exists because strips
differ between tools (eu-strip keeps the FILE symbol and adds a `.shstrtab`, llvm-strip does neither), because the clang
of a wheel comes without any, and because it is faster than starting one: with one strip, one compiler gives one object
on every host.

Kept, as `llvm-strip -g` keeps them: every section but DWARF and the relocations of DWARF, in their order, and
every symbol but those of dropped sections and the FILE symbols, which name a path of the build host.
`.llvm_addrsig` goes too: it lists symbols by their old numbers, and only a linker for machine code reads it.
"""

from __future__ import annotations

import struct

from bpfgen.forwards import in_order

SHT_SYMTAB, SHT_STRTAB, SHT_RELA, SHT_NOBITS, SHT_REL = 2, 3, 4, 8, 9
SHT_GROUP, SHT_SYMTAB_SHNDX, SHT_LLVM_ADDRSIG = 17, 18, 0x6FFF4C03
SHF_INFO_LINK = 0x40
SHN_LORESERVE = 0xFF00
STT_FILE = 4
ET_REL, EM_BPF = 1, 247
DWARF_NAMES = (b".debug", b".zdebug", b".gdb_index")
MAX_ALIGN = 1 << 16
"""The largest page of a Linux kernel; more is damage, and padding to it would only fill the disk."""
EHDR_SIZE, SHDR_SIZE, SYM_SIZE = 64, 64, 24
RELOCATION_SIZES = {SHT_REL: 16, SHT_RELA: 24}


class BadObject(Exception):
    """The input is no BPF object that can be stripped."""


class Section:
    """One section header, by the names of `elf(5)`, with the bytes of its section."""

    def __init__(self, fields: tuple[int, ...]) -> None:
        self.sh_name, self.type, self.flags, self.addr, self.offset = fields[:5]
        self.size, self.link, self.info, self.align, self.entsize = fields[5:]
        self.name = b""
        self.data = b""

    def pack(self, order: str) -> bytes:
        """The section header again, in the file's byte order."""
        place = (self.sh_name, self.type, self.flags, self.addr, self.offset)
        shape = (self.size, self.link, self.info, self.align, self.entsize)
        return struct.pack(f"{order}IIQQQQIIQQ", *place, *shape)


class Object:
    """A relocatable ELF file: its header, its sections, and which of them holds the symbols."""

    def __init__(self, order: str, header: bytes, names_index: int, sections: list[Section]) -> None:
        self.order = order
        self.header = header
        self.names_index = names_index
        self.sections = sections
        tables = [index for index, section in enumerate(sections) if section.type == SHT_SYMTAB]
        if len(tables) != 1:
            raise BadObject(f"has {len(tables)} symbol tables, not one")
        self.symbols_index = tables[0]

    @property
    def symbols(self) -> Section:
        """The section of type `SHT_SYMTAB`."""
        return self.sections[self.symbols_index]


def strip(data: bytes) -> bytes:
    """The object without DWARF, in the same byte order; raises BadObject. Idempotent."""
    try:
        return _strip(parse(data))
    except struct.error as error:
        raise BadObject("is damaged") from error


def mended(data: bytes) -> bytes:
    """An object that was compiled without DWARF (see `cc.lean`), as clang left it but for the order of its last forward
    declarations; raises BadObject. `cc.lean.unfinished` tells where that is nothing.
    """
    if b".debug_" in data:  # inline assembly can make any section
        return strip(data)
    try:
        elf = parse(data)
        order_forwards(elf)
    except struct.error as error:
        raise BadObject("is damaged") from error
    types = [section for section in elf.sections if section.name == b".BTF"]
    for section in types:
        data = b"".join((data[: section.offset], section.data, data[section.offset + section.size :]))
    return data


def _strip(elf: Object) -> bytes:
    names = symbol_names(elf)
    keep = [index for index in range(len(elf.sections)) if not is_dropped(elf, index)]
    section_map = {old: new for new, old in enumerate(keep)}
    symbol_map = rewrite_symbols(elf, section_map)
    kept_names = [names[old] for old in sorted(symbol_map)]
    for index in keep:
        rewrite_section(elf, elf.sections[index], section_map, symbol_map)
    order_forwards(elf)
    elf.names_index = section_map[elf.names_index]
    elf.sections = [elf.sections[index] for index in keep]
    elf.symbols_index = section_map[elf.symbols_index]
    rewrite_names(elf, kept_names)
    return layout(elf)


def parse(data: bytes) -> Object:
    """The sections of a 64-bit relocatable BPF object, each within the file."""
    if len(data) < EHDR_SIZE or data[:4] != b"\x7fELF":
        raise BadObject("is not an ELF file")
    order = {1: "<", 2: ">"}.get(data[5])
    if data[4] != 2 or order is None:
        raise BadObject("is not a 64-bit ELF file")
    kind, machine = struct.unpack_from(f"{order}HH", data, 16)
    if kind != ET_REL or machine != EM_BPF:
        raise BadObject("is not a relocatable BPF object")
    (table,) = struct.unpack_from(f"{order}Q", data, 40)
    entry, count, names_index = struct.unpack_from(f"{order}HHH", data, 58)
    if entry != SHDR_SIZE or not 0 < count < SHN_LORESERVE or table + count * SHDR_SIZE > len(data):
        raise BadObject("has a damaged section header table")
    rows = struct.iter_unpack(f"{order}IIQQQQIIQQ", data[table : table + count * SHDR_SIZE])
    sections = [Section(fields) for fields in rows]
    for index, section in enumerate(sections):
        load(section, data, index)
    if names_index >= count:
        raise BadObject("has no section names")
    for section in sections:
        section.name = string(sections[names_index].data, section.sh_name)
    return Object(order, data[:EHDR_SIZE], names_index, sections)


def load(section: Section, data: bytes, index: int) -> None:
    """Fills in a section's bytes; refuses what lies outside of the file and what can't be renumbered."""
    if section.type == SHT_SYMTAB_SHNDX:
        raise BadObject("has extended section numbers, which no BPF loader reads")
    if index == 0 or section.type == SHT_NOBITS:
        return
    if section.offset + section.size > len(data):
        raise BadObject(f"has a section {index} beyond the end of the file")
    section.data = data[section.offset : section.offset + section.size]


def string(table: bytes, offset: int) -> bytes:
    """The NUL-terminated string at `offset`."""
    end = table.find(b"\0", offset)
    if offset and end < 0:
        raise BadObject("has a name outside of its string table")
    return table[offset:end] if offset else b""


def is_dropped(elf: Object, index: int) -> bool:
    """Whether the strip drops a section: DWARF, relocations of DWARF, and `.llvm_addrsig`."""
    if index in (0, elf.symbols_index, elf.symbols.link, elf.names_index):
        return False
    section = elf.sections[index]
    if section.type in RELOCATION_SIZES:
        if section.info >= len(elf.sections):
            raise BadObject(f"has relocations for a section {section.info} that isn't there")
        section = elf.sections[section.info]
    return section.type == SHT_LLVM_ADDRSIG or section.name.startswith(DWARF_NAMES)


def symbol_names(elf: Object) -> list[bytes]:
    """Every symbol's name, by its old number."""
    table = elf.symbols
    if table.entsize != SYM_SIZE or len(table.data) % SYM_SIZE or table.link >= len(elf.sections):
        raise BadObject("has a damaged symbol table")
    if {elf.sections[table.link].type, elf.sections[elf.names_index].type} != {SHT_STRTAB}:
        raise BadObject("has no string table")
    strings = elf.sections[table.link].data
    return [string(strings, row[0]) for row in struct.iter_unpack(f"{elf.order}IBBHQQ", table.data)]


def rewrite_symbols(elf: Object, section_map: dict[int, int]) -> dict[int, int]:
    """Drops and renumbers symbols in place; gives the new number of each kept one, by its old number."""
    table = elf.symbols
    kept: dict[int, int] = {}
    rows = []
    for old, row in enumerate(struct.iter_unpack(f"{elf.order}IBBHQQ", table.data)):
        name, info, other, section, value, size = row
        if section < SHN_LORESERVE and section >= len(elf.sections):
            raise BadObject(f"has a symbol {old} in a section {section} that isn't there")
        if info & 0xF == STT_FILE or (section < SHN_LORESERVE and section not in section_map):
            continue
        kept[old] = len(kept)
        place = section_map.get(section, section)
        rows.append(struct.pack(f"{elf.order}IBBHQQ", name, info, other, place, value, size))
    table.info = sum(old < table.info for old in kept)
    table.data = b"".join(rows)
    return kept


def rewrite_section(elf: Object, section: Section, section_map: dict[int, int], symbol_map: dict[int, int]) -> None:
    """Renumbers the sections and symbols that a kept section points to."""
    if section.type in RELOCATION_SIZES:
        section.data = rewrite_relocations(elf, section, symbol_map)
    elif section.type == SHT_GROUP:
        section.info = symbol_map.get(section.info, 0)
        flags, *members = (row[0] for row in struct.iter_unpack(f"{elf.order}I", section.data))
        kept = [section_map[member] for member in members if member in section_map]
        section.data = struct.pack(f"{elf.order}{len(kept) + 1}I", flags, *kept)
    section.link = section_map.get(section.link, 0)
    if section.type in RELOCATION_SIZES or section.flags & SHF_INFO_LINK:
        section.info = section_map.get(section.info, 0)


def rewrite_relocations(elf: Object, section: Section, symbol_map: dict[int, int]) -> bytes:
    """The relocations of a kept section, with the new symbol numbers (the upper half of `r_info`)."""
    if section.entsize != RELOCATION_SIZES[section.type] or section.link != elf.symbols_index:
        raise BadObject(f"has damaged relocations in {section.name.decode(errors='replace')}")
    form = f"{elf.order}QIIq" if section.type == SHT_RELA else f"{elf.order}QII"
    # r_info is one 64-bit number with the symbol in its upper half, which big-endian files store first.
    symbol_at = 2 if elf.order == "<" else 1
    rows = []
    for row in struct.iter_unpack(form, section.data):
        fields = list(row)
        if fields[symbol_at] not in symbol_map:
            raise BadObject(f"has a relocation against the dropped symbol {fields[symbol_at]}")
        fields[symbol_at] = symbol_map[fields[symbol_at]]
        rows.append(struct.pack(form, *fields))
    return b"".join(rows)


def order_forwards(elf: Object) -> None:
    """Gives `.BTF` the one order that it has in every folder (see `forwards`)."""
    sections = {section.name: section for section in elf.sections}
    types = sections.get(b".BTF")
    if types is not None:
        ext = sections.get(b".BTF.ext")
        types.data = in_order(types.data, ext.data if ext else b"", elf.order)


def rewrite_names(elf: Object, names: list[bytes]) -> None:
    """Rebuilds the string tables from the names still in use; one table serves both, or each has its own."""
    link = elf.symbols.link
    wanted = {link: set(names)}
    wanted.setdefault(elf.names_index, set()).update(section.name for section in elf.sections)
    offsets: dict[int, dict[bytes, int]] = {}
    for index, strings in wanted.items():
        elf.sections[index].data, offsets[index] = string_table(strings)
    for section in elf.sections:
        section.sh_name = offsets[elf.names_index][section.name]
    symbols = bytearray(elf.symbols.data)
    for number, name in enumerate(names):
        struct.pack_into(f"{elf.order}I", symbols, number * SYM_SIZE, offsets[link][name])
    elf.symbols.data = bytes(symbols)


def string_table(strings: set[bytes]) -> tuple[bytes, dict[bytes, int]]:
    """A string table and each string's offset in it; a string that ends another one shares its bytes."""
    table = bytearray(b"\0")
    offsets = {b"": 0}
    longer = b""
    for text in sorted(strings - {b""}, key=lambda text: text[::-1], reverse=True):
        if not longer.endswith(text):
            longer = text
            offsets[text] = len(table)
            table += text + b"\0"
        offsets[text] = offsets[longer] + len(longer) - len(text)
    return bytes(table), offsets


def layout(elf: Object) -> bytes:
    """The file: header, sections in their order, section header table."""
    out = bytearray(elf.header)
    for section in elf.sections[1:]:
        if section.align > MAX_ALIGN:
            raise BadObject(f"wants an alignment of {section.align} bytes")
        pad(out, section.align)
        section.offset = len(out)
        if section.type != SHT_NOBITS:
            section.size = len(section.data)
        out += section.data
    pad(out, 8)
    struct.pack_into(f"{elf.order}Q", out, 40, len(out))
    struct.pack_into(f"{elf.order}HH", out, 60, len(elf.sections), elf.names_index)
    for section in elf.sections:
        out += section.pack(elf.order)
    return bytes(out)


def pad(out: bytearray, align: int) -> None:
    """Pads with zeros to a multiple of `align` bytes."""
    out += bytes(-len(out) % max(align, 1))
