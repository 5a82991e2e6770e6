"""Functions with their instructions, and what each instruction refers to: a helper, a map, a variable, a function, an
extern.

A loader finds that out from relocations (libbpf's bpf_program__record_reloc); so does this.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from collections.abc import Iterable, Mapping

from bpfgen.bpf.container import STB_LOCAL, STT_FUNC, STT_OBJECT, STT_SECTION, Container, Section, Symbol
from bpfgen.bpf.externs import Extern, is_extern
from bpfgen.bpf.insns import (
    CALL,
    INSTRUCTION_SIZE,
    LD_IMM64,
    PSEUDO_CALL,
    PSEUDO_KFUNC_CALL,
    Insn,
    decode,
)
from bpfgen.bpf.malformed import Malformed
from bpfgen.bpf.maps import is_map_section
from bpfgen.bpf.programs import functions
from bpfgen.bpf.relocations import Relocation, relocations
from bpfgen.catalog import feature_names
from bpfgen.frozen import frozen

HIDDEN = (1, 2)
"""`STV_INTERNAL` and `STV_HIDDEN`: libbpf makes such functions static (bpf_object__sanitize_btf)."""


@frozen
class Reference:
    """What a call or a 64-bit load is of."""

    kind: str
    """`helper`, `call` (of a function of the object), `function` (its address), `map`, `data` (a variable, or a place
    in a section), `kconfig`, `ksym`, `kfunc`; `extern` where the object's BTF doesn't say which of the last three."""
    name: str
    offset: int = 0
    """Bytes into what bears that name."""
    place: tuple[str, int] = ("", 0)
    """Section and slot of a function, section and byte of data: two files that were linked may each have a static one
    of the same name."""

    def __str__(self) -> str:
        """As an operand in text."""
        prefix = "bpf_" if self.kind == "helper" and not self.name.isdigit() else ""
        return f"{prefix}{self.name}{f'+{self.offset:#x}' if self.offset else ''}"


@frozen
class Function:
    """A program or a subprogram."""

    name: str
    section: str
    """As the ELF file has it, with a leading `?`."""
    start: int
    """Its first slot, from the section's beginning."""
    code: tuple[Insn, ...]
    references: Mapping[int, Reference]
    """By the slot of the instruction."""
    static: bool = False
    """Whether the verifier goes into it at each call; it looks at others by themselves."""


def helper_name(number: int) -> str:
    """`1` → `map_lookup_elem`; the number as text where the catalogue has none."""
    return feature_names("helper", "bpf_").get(number, str(number))


def read_functions(elf: Container, externs: Iterable[Extern]) -> tuple[Function, ...]:
    """Every function that has instructions, by section and place in it; raises Malformed.

    Two names of one function share its instructions. Functions that overlap otherwise are refused: a thousand of them
    over one section would be a thousand times its size.
    """
    places = _Places(elf, externs)
    found: list[Function] = []
    last = (0, 0, 0)
    for symbol, section in functions(elf):
        if not symbol.size:
            continue
        place = (symbol.section, symbol.value, symbol.size)
        if place == last:
            found.append(dataclasses.replace(found[-1], name=symbol.name))
            continue
        if place[0] == last[0] and place[1] < last[1] + last[2]:
            raise Malformed(f"the functions {found[-1].name} and {symbol.name} overlap")
        found.append(_function(elf, places, symbol, section))
        last = place
    return tuple(found)


def _function(elf: Container, places: _Places, symbol: Symbol, section: Section) -> Function:
    start = symbol.value // INSTRUCTION_SIZE
    code = tuple(decode(section.data[symbol.value : symbol.value + symbol.size], elf.little, start))
    references = {}
    relocated = places.relocated.get(symbol.section, {})
    for insn in code:
        if insn.code in (CALL, LD_IMM64):
            found = places.find(insn, symbol.section, relocated.get(insn.slot))
            if found is not None:
                references[insn.slot] = found
    static = symbol.binding == STB_LOCAL or symbol.visibility in HIDDEN
    return Function(symbol.name, section.name, start, code, references, static)


class _Places:
    """What is where in an object."""

    def __init__(self, elf: Container, externs: Iterable[Extern]) -> None:
        self._elf = elf
        self._externs = {each.name: each.kind for each in externs}
        named = [each for each in elf.symbols if each.kind in (STT_FUNC, STT_OBJECT) and each.name]
        by_section: dict[int, list[Symbol]] = {}
        for symbol in sorted(named, key=lambda each: each.value):
            by_section.setdefault(symbol.section, []).append(symbol)
        self._symbols = {number: ([each.value for each in own], own) for number, own in by_section.items()}
        self.relocated = self._relocated()

    def _relocated(self) -> dict[int, dict[int, Relocation]]:
        """The relocations of code, by section and instruction."""
        found: dict[int, dict[int, Relocation]] = {}
        for each in relocations(self._elf):
            section = self._elf.sections[each.section]
            if section.executable:
                if each.offset % INSTRUCTION_SIZE or each.offset >= len(section.data):
                    raise Malformed(f"a relocation of {section.name} is at {each.offset:#x}, within an instruction")
                found.setdefault(each.section, {})[each.offset // INSTRUCTION_SIZE] = each
        return found

    def find(self, insn: Insn, section: int, relocation: Relocation | None) -> Reference | None:
        """What a call or a 64-bit load is of; None where that is a plain number."""
        if relocation is not None:
            return self._relocation(insn, relocation)
        if insn.code == LD_IMM64:
            return None
        if insn.src == PSEUDO_CALL and insn.target is not None:
            return self._named("call", section, insn.target * INSTRUCTION_SIZE)
        if insn.src == PSEUDO_KFUNC_CALL:
            return Reference("kfunc", str(insn.imm))
        return Reference("helper", helper_name(insn.imm))

    def _relocation(self, insn: Insn, relocation: Relocation) -> Reference:
        symbol, is_call = relocation.symbol, insn.code == CALL
        if is_extern(symbol):
            return Reference(self._externs.get(symbol.name) or "extern", symbol.name)
        where = self._elf.section_of(symbol)
        if where is None:
            raise Malformed(f"instruction {insn.slot} refers to {symbol.name or 'a symbol'}, which isn't there")
        place = symbol.value + self._addend(insn, relocation)
        if is_call or where.executable:
            return self._named("call" if is_call else "function", symbol.section, place)
        return self._named("map" if is_map_section(where.name) else "data", symbol.section, place)

    def _addend(self, insn: Insn, relocation: Relocation) -> int:
        """Bytes from the symbol. Of a call, clang counts instructions, and from the next one on."""
        if relocation.addend is not None:
            return relocation.addend
        if insn.code == CALL:
            return (insn.imm + 1) * INSTRUCTION_SIZE if relocation.symbol.kind == STT_SECTION else 0
        return insn.imm

    def _named(self, kind: str, section: int, place: int) -> Reference:
        """The symbol that a place belongs to, else the section."""
        values, symbols = self._symbols.get(section, ([], []))
        name = self._elf.sections[section].name
        where = (name, place if kind == "data" else place // INSTRUCTION_SIZE) if kind != "map" else ("", 0)
        at = bisect_right(values, place) - 1
        if at >= 0 and place < symbols[at].value + max(symbols[at].size, 1):
            return Reference(kind, symbols[at].name, place - symbols[at].value, where)
        return Reference(kind, name, place, where)
