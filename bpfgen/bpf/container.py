"""The ELF file around a BPF object: its sections and symbols, every one checked against the file's size.

pyelftools' structs decode the headers; its `ELFFile` would import all that it knows of DWARF too, for 10 ms. Names,
contents and symbols are sliced here, because a damaged file makes pyelftools raise exceptions of many kinds, inflate
compressed sections without a limit, and read a name that has no end once for each symbol that points to it.
"""

from __future__ import annotations

import struct
from functools import cache
from io import BytesIO
from typing import Any

from elftools.common.utils import struct_parse
from elftools.elf.structs import ELFStructs

from bpfgen.bpf.malformed import Malformed
from bpfgen.frozen import frozen

EM_BPF = "EM_BPF"
CLASSES, BYTE_ORDERS = {1: 32, 2: 64}, {1: True, 2: False}
"""`EI_CLASS` → bits of an address; `EI_DATA` → whether it is little-endian."""
SHF_ALLOC, SHF_EXECINSTR = 0x2, 0x4
STB_LOCAL, STB_WEAK = 0, 2
STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_SECTION, STT_FILE = range(5)
SHDR_SIZE, SYM_SIZE = 64, 24
SHN_LORESERVE = 0xFF00
NAME_LIMIT = 1024
"""Bytes of a section's or symbol's name; the kernel's are below 512, mangled ones are longer."""


@frozen
class Section:
    """One ELF section; `data` is empty for `SHT_NOBITS`, whose `size` is that of the memory."""

    name: str
    type: str
    """As pyelftools writes it: `SHT_PROGBITS`, …; the number as text where it knows none."""
    flags: int
    """`SHF_…`"""
    size: int
    data: bytes
    link: int
    info: int
    """`sh_info`: of relocations, the section that they are for."""

    @property
    def executable(self) -> bool:
        """Whether it holds instructions."""
        return bool(self.flags & SHF_EXECINSTR)

    @property
    def loaded(self) -> bool:
        """Whether a loader sees it (`SHF_ALLOC`)."""
        return bool(self.flags & SHF_ALLOC)


@frozen
class Symbol:
    """One symbol; `section` is an index into `Container.sections` or a reserved number (0: undefined)."""

    name: str
    kind: int
    """`STT_…`"""
    binding: int
    """`STB_…`"""
    visibility: int
    """`STV_…`"""
    section: int
    value: int
    size: int


@frozen
class Container:
    """The sections (index 0 is the null section) and symbols of one relocatable BPF object."""

    little: bool
    sections: tuple[Section, ...]
    symbols: tuple[Symbol, ...]

    def section(self, name: str) -> Section | None:
        """The first section of that name."""
        return next((section for section in self.sections if section.name == name), None)

    def section_of(self, symbol: Symbol) -> Section | None:
        """Where the symbol is defined."""
        return self.sections[symbol.section] if 0 < symbol.section < len(self.sections) else None


def read_container(data: bytes) -> Container:
    """Reads a relocatable 64-bit BPF object of either byte order; raises Malformed."""
    structs, header = _open(data)
    headers = _headers(structs, header, data)
    contents = [_contents(header, data, index) for index, header in enumerate(headers)]
    names = contents[_checked(header["e_shstrndx"], headers, "the section names")]
    sections = tuple(
        Section(
            name=text_at(names, header["sh_name"]),
            type=str(header["sh_type"]),
            flags=header["sh_flags"],
            size=header["sh_size"],
            data=content,
            link=header["sh_link"],
            info=header["sh_info"],
        )
        for header, content in zip(headers, contents)
    )
    return Container(structs.little_endian, sections, _symbols(sections, structs.little_endian))


def text_at(table: bytes, offset: int) -> str:
    """The NUL-terminated string at `offset` of a string table; raises Malformed."""
    end = table.find(b"\0", offset, offset + NAME_LIMIT)
    if end < 0 and offset:
        raise Malformed(f"a name at offset {offset} has no end in its string table")
    return table[offset : max(end, 0)].decode(errors="backslashreplace")


def _open(data: bytes) -> tuple[Any, Any]:
    """The structs of the file's class and byte order, and its header."""
    if data[:4] != b"\x7fELF":
        raise Malformed("not an ELF file")
    try:
        structs = _structs(BYTE_ORDERS[data[5]], CLASSES[data[4]])
        header = struct_parse(structs.Elf_Ehdr, BytesIO(data), 0)
        kind, machine = header["e_type"], header["e_machine"]
    except Exception as error:  # ELFError, ConstructError, AssertionError, UnicodeDecodeError, LookupError, …
        raise Malformed("its ELF header is damaged") from error
    if structs.elfclass != 64 or machine != EM_BPF:
        raise Malformed(f"an ELF file for another machine ({machine}), not BPF")
    if kind != "ET_REL":
        raise Malformed(f"not a relocatable object ({kind})")
    return structs, header


@cache
def _structs(little: bool, bits: int) -> Any:
    """pyelftools' structs for BPF objects: to make them takes as long as to read an object with them."""
    structs = ELFStructs(little, bits)
    structs.create_basic_structs()
    structs.create_advanced_structs("ET_REL", EM_BPF)
    return structs


def _headers(structs: Any, header: Any, data: bytes) -> list[Any]:
    table, count = header["e_shoff"], header["e_shnum"]
    if header["e_shentsize"] != SHDR_SIZE or count == 0:
        raise Malformed("its section header table is damaged")
    if table + count * SHDR_SIZE > len(data):
        raise Malformed("truncated: its section header table ends beyond the file")
    stream = BytesIO(data)
    try:
        return [struct_parse(structs.Elf_Shdr, stream, table + SHDR_SIZE * i) for i in range(count)]
    except Exception as error:  # the same kinds again
        raise Malformed("its section header table is damaged") from error


def _contents(header: Any, data: bytes, index: int) -> bytes:
    if header["sh_type"] in ("SHT_NOBITS", "SHT_NULL"):
        return b""
    start, size = header["sh_offset"], header["sh_size"]
    if start + size > len(data):
        raise Malformed(f"truncated: section {index} ends beyond the file")
    return data[start : start + size]


def _checked(index: Any, rows: Any, what: str) -> int:
    if not isinstance(index, int) or index >= len(rows):
        raise Malformed(f"{what} are in a section {index} that isn't there")
    return index


def _symbols(sections: tuple[Section, ...], little: bool) -> tuple[Symbol, ...]:
    tables = [section for section in sections if section.type == "SHT_SYMTAB"]
    if len(tables) != 1:
        raise Malformed(f"{len(tables)} symbol tables, not one")
    (table,) = tables
    if len(table.data) % SYM_SIZE:
        raise Malformed("its symbol table is damaged")
    names = sections[_checked(table.link, sections, "the symbol names")].data
    symbols = []
    for row in struct.iter_unpack("<IBBHQQ" if little else ">IBBHQQ", table.data):
        name, info, other, section, value, size = row
        if section < SHN_LORESERVE:
            _checked(section, sections, "symbols")
        symbols.append(Symbol(text_at(names, name), info & 0xF, info >> 4, other & 3, section, value, size))
    return tuple(symbols)
