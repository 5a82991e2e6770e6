"""Edits a BPF object word by word. It knows the formats from linux/btf.h and elf.h, and nothing of bpfgen's readers."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

ITEMS = {
    4: ["name", "type", "word"],  # struct
    5: ["name", "type", "word"],  # union
    6: ["name", "word"],  # enum
    13: ["name", "type"],  # function prototype
    15: ["type", "word", "word"],  # data section
    19: ["name", "word", "word"],  # enum64
}
"""Words of each item of a kind."""
OWN = {1: ["word"], 3: ["type", "type", "word"], 14: ["word"], 17: ["word"]}
"""Words of an int, array, variable and declaration tag."""
SIZED = {1, 4, 5, 6, 15, 16, 19}
PART_WORDS = (["place", "type"], ["place", "name", "name", "word"], ["place", "type", "name", "word"])
"""Of a record of each part of `.BTF.ext`."""


@dataclass(frozen=True)
class Word:
    """A 32-bit word of `.BTF` or `.BTF.ext`."""

    at: int
    """In the file."""
    role: str
    """`name` (a string's offset), `type` (an id), `info`, `place` (of an instruction) or `word`."""
    where: str
    """`BTF` or `BTF.ext`, which a message about it begins with."""


class ObjectFile:
    """The bytes of an object, and where the words of its types are."""

    def __init__(self, data: bytes) -> None:
        self.data = bytearray(data)
        elf = ELFFile(BytesIO(data))
        self.order = "<" if elf.little_endian else ">"
        self.sections = [(section.name, section.header) for section in elf.iter_sections()]
        self.loaded = [(name, header) for name, header in self.sections if _has_bytes(header)]
        start = dict(self.sections)[".BTF"]["sh_offset"]
        header, types, self.types_size, strings, self.strings_size = self.words(start + 4, 5)
        self.types_at, self.strings_at = start + header + types, start + header + strings
        self.types = self._types()
        self.ext = [word for part in self._ext() for word in part]

    def words(self, at: int, count: int) -> tuple[int, ...]:
        """32-bit words."""
        return struct.unpack_from(f"{self.order}{count}I", self.data, at)

    def get(self, word: Word) -> int:
        """What a word holds."""
        return self.words(word.at, 1)[0]

    def put(self, word: Word, value: int) -> None:
        """Writes a word."""
        struct.pack_into(f"{self.order}I", self.data, word.at, value)

    def kind(self, number: int) -> int:
        """The kind of a type; 0 is void."""
        return self.get(self.types[number - 1][1]) >> 24 & 0x1F if number else 0

    def strings(self) -> dict[int, bytes]:
        """Every string by its offset, but the empty one at 0."""
        table = bytes(self.data[self.strings_at : self.strings_at + self.strings_size])
        found, at = {}, 1
        while at < len(table):
            found[at] = table[at : table.index(b"\0", at)]
            at += len(found[at]) + 1
        return found

    def _types(self) -> list[list[Word]]:
        found, at = [], self.types_at
        while at < self.types_at + self.types_size:
            info = self.words(at, 3)[1]
            kind = info >> 24 & 0x1F
            target = "word" if kind in SIZED else "unused" if kind in (3, 7) else "type"
            roles = ["name", "info", target, *OWN.get(kind, []), *ITEMS.get(kind, []) * (info & 0xFFFF)]
            found.append([Word(at + 4 * index, role, "BTF") for index, role in enumerate(roles)])
            at += 4 * len(roles)
        return found

    def _ext(self) -> list[list[Word]]:
        start = dict(self.sections)[".BTF.ext"]["sh_offset"]
        (length,) = self.words(start + 4, 1)
        places = self.words(start + 8, (length - 8) // 4)
        return [
            self._part(start + length + at, size, roles)
            for at, size, roles in zip(places[::2], places[1::2], PART_WORDS)
        ]

    def _part(self, at: int, size: int, roles: list[str]) -> list[Word]:
        found, end = [], at + size
        at += 4  # the size of a record
        while at < end:
            found.append(Word(at, "name", "BTF.ext"))
            count = self.words(at + 4, 1)[0]
            at += 8
            found += [Word(at + 4 * index, role, "BTF.ext") for index, role in enumerate(roles * count)]
            at += 4 * count * len(roles)
        return found


def little_object(*sections: tuple[str, int, int, bytes, int, int], symbols: bytes = b"") -> bytes:
    """A little-endian object of sections (name, type, flags, contents, link, info), which are numbered from 3.

    1 is the symbol table with `symbols` after the null symbol; 2 has their names, and begins with a NUL and `name`.
    """
    names = b"\0name\0"
    rows = [(".symtab", 2, 0, bytes(24) + symbols, 2, 0), (".strtab", 3, 0, b"", 0, 0), *sections]
    offsets = []
    for name, *_rest in rows:
        offsets.append(len(names))
        names += name.encode() + b"\0"
    rows[1] = (".strtab", 3, 0, names, 0, 0)
    body, headers = b"", bytes(64)
    for offset, (_name, kind, flags, contents, link, info) in zip(offsets, rows):
        headers += struct.pack("<IIQQQQIIQQ", offset, kind, flags, 0, 64 + len(body), len(contents), link, info, 1, 0)
        body += contents
    ident = b"\x7fELF\2\1\1".ljust(16, b"\0")
    return struct.pack(
        "<16sHHIQQQIHHHHHH", ident, 1, 247, 1, 0, 0, 64 + len(body), 0, 64, 0, 0, 64, len(rows) + 1, 2
    ) + (body + headers)


def _has_bytes(header: Any) -> bool:
    loaded = header["sh_flags"] & SH_FLAGS.SHF_ALLOC and header["sh_type"] != "SHT_NOBITS"
    return bool(loaded and header["sh_size"])


def renumbered(data: bytes, order: list[int], strings: list[int]) -> bytes:
    """The object with its types in another order (old ids, from 1) and its strings too (old offsets)."""
    old = ObjectFile(data)
    new_ids = {0: 0, **{number: place + 1 for place, number in enumerate(order)}}
    texts, table, new_offsets = old.strings(), b"\0", {0: 0}
    for offset in strings:
        new_offsets[offset] = len(table)
        table += texts[offset] + b"\0"
    maps = {"type": new_ids, "name": new_offsets}
    for word in [word for record in [*old.types, old.ext] for word in record]:
        if word.role in maps:
            old.put(word, maps[word.role][old.get(word)])
    records = [bytes(old.data[old.types[number - 1][0].at :][: 4 * len(old.types[number - 1])]) for number in order]
    old.data[old.types_at : old.types_at + old.types_size] = b"".join(records)
    old.data[old.strings_at : old.strings_at + old.strings_size] = table
    return bytes(old.data)
