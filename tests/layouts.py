"""What the types of a BTF section look like to a program: by name, with the place of every member.

Only what counts is kept: numbers by size and sign, not by how a compiler calls them; what a header has behind a
name that several types have, such as `___2`, is cut.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from bpfgen.bpf.btf import Btf, Kind, Type

COMPOSITE = (Kind.STRUCT, Kind.UNION)
WORDS = {Kind.STRUCT: "struct", Kind.UNION: "union", Kind.ENUM: "enum", Kind.ENUM64: "enum"}
Layouts = dict[str, list[Any]]


class Reader:
    """Describes the types of one BTF section."""

    def __init__(self, btf: Btf, pointer: int = 8) -> None:
        self._btf = btf
        self._pointer = pointer

    def all(self) -> Layouts:
        """Every type that has a name: how it is laid out; several where several types have the name."""
        found: Layouts = defaultdict(list)
        for each in self._btf:
            if each.name and each.kind in COMPOSITE:
                found[f"{WORDS[each.kind]} {plain(each.name)}"].append(self._composite(each))
            elif each.name and each.kind in (Kind.ENUM, Kind.ENUM64) and each.items:
                found[f"enum {plain(each.name)}"].append((each.size, self.values(each)))
            elif each.kind is Kind.TYPEDEF:
                found[plain(each.name)].append(self.describe(each.target))
        return {name: sorted(each, key=repr) for name, each in found.items()}

    def values(self, enum: Type) -> tuple[tuple[str, int], ...]:
        """Names and values, as the bits that they are."""
        words, text = self._btf.own_words(enum), self._btf.text
        if enum.kind is Kind.ENUM:
            bits = (1 << min(8 * enum.size, 32)) - 1
            return tuple((plain(text(name)), value & bits) for name, value in zip(words[::2], words[1::2]))
        rows = zip(words[::3], words[1::3], words[2::3])
        return tuple((plain(text(name)), low | (high << 32 if enum.size == 8 else 0)) for name, low, high in rows)

    def _composite(self, owner: Type) -> Any:
        return owner.size, tuple(self._members(owner, 0))

    def _members(self, owner: Type, start: int) -> list[Any]:
        """Members of members without a name are the struct's own."""
        found: list[Any] = []
        for member in self._btf.members(owner):
            kind = self._btf.plain(member.type)
            if not member.name and kind.kind in COMPOSITE and not kind.name:
                found += self._members(kind, start + member.offset)
            else:
                found.append((member.name, start + member.offset, member.size, self.describe(member.type)))
        return found

    def describe(self, number: int) -> Any:
        """A type; what has a name by its name alone."""
        found = self._btf.type(number)
        kind = found.kind
        if kind in (Kind.INT, Kind.FLOAT):
            return self._number(found)
        if kind in WORDS or kind is Kind.FWD:
            return self._tagged(found)
        if kind is Kind.TYPEDEF:
            return plain(found.name)
        if kind is Kind.ARRAY:
            array = self._btf.array(found)
            return ("array", array.length, self.describe(array.type))
        if kind is Kind.FUNC_PROTO:
            return ("function", *(self.describe(each) for each in (found.target, *self._btf.own_words(found)[1::2])))
        if kind is Kind.PTR:
            return ("pointer", self.describe(found.target))
        # Qualifiers: GCC has some on arrays and functions, where C has none.
        return self.describe(found.target) if number else "void"

    def _tagged(self, found: Type) -> Any:
        word = WORDS.get(found.kind) or ("union" if found.flag else "struct")
        if found.name:
            return f"{word} {plain(found.name)}"
        return (word, self._composite(found) if found.kind in COMPOSITE else (found.size, self.values(found)))

    def _number(self, found: Type) -> Any:
        if found.kind is Kind.FLOAT:
            return ("float", found.size)
        signed, boolean = (bool(self._btf.own_words(found)[0] >> 24 & flag) for flag in (1, 4))
        return ("int", found.size, boolean, signed and found.size > 1)


def plain(name: str) -> str:
    """Without what tells types of one name apart."""
    return re.sub(r"___\d+$", "", name)
