"""How two BPF objects differ in what a loader or the kernel sees of them.

Seen are the sections that are loaded, their relocations, symbols, `.BTF` and `.BTF.ext`. Not seen are DWARF, alignment,
the FILE symbol, and the order of sections, symbols, strings and types; nor numbers of types in the code.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from bpfgen.bpf.btfcompare import BTF, BTF_EXT, btf_differences
from bpfgen.bpf.container import (
    STB_LOCAL,
    STT_FILE,
    STT_NOTYPE,
    STT_SECTION,
    Container,
    Section,
    Symbol,
    read_container,
)
from bpfgen.bpf.insns import INSTRUCTION_SIZE
from bpfgen.bpf.relocations import relocations
from bpfgen.bpf.typeids import without_type_ids
from bpfgen.bpf.unlike import LIMIT, more, unlike

TEMPORARY = re.compile(r"\.L|LBB\d+_\d+$")
"""Labels of the compiler: clang's BPF target leaves those of basic blocks in the symbol table, with no dot before."""
RESERVED = {0: "undefined", 0xFFF1: "absolute", 0xFFF2: "common"}
"""Section numbers that are no section (`SHN_…`)."""
TYPES = ("NOTYPE", "OBJECT", "FUNC", "SECTION", "FILE")
BINDINGS = ("local", "global", "weak")
VISIBILITIES = ("default", "internal", "hidden", "protected")

Fact = tuple[object, ...]


def differences(ours: bytes, theirs: bytes) -> list[str]:
    """One line for each difference between two relocatable BPF objects; none where a loader can't tell them apart.

    Of each kind of thing the first 20 are named. Raises Malformed where one of them is damaged; time is near linear in
    the sizes of both.
    """
    first, second = read_container(ours), read_container(theirs)
    if first.little != second.little:
        mine, other = ("little" if elf.little else "big" for elf in (first, second))
        return [f"byte order: {mine} endian in ours, {other} endian in theirs"]
    one, two = _labels(first), _labels(second)
    return [
        *_section_differences(_loaded(without_type_ids(first), one), _loaded(without_type_ids(second), two)),
        *unlike("relocation at ", _relocations(first, one), _relocations(second, two), _place, _say_relocation),
        *unlike("symbol ", _symbols(first, one), _symbols(second, two), str, _say_symbol),
        *btf_differences(first, second),
    ]


def _labels(elf: Container) -> list[str]:
    """A name for each section that no other has: the second `.text` is `.text (2)`."""
    seen: Counter[str] = Counter()
    labels = []
    for section in elf.sections:
        seen[section.name] += 1
        labels.append(section.name if seen[section.name] == 1 else f"{section.name} ({seen[section.name]})")
    return labels


def _is_loaded(section: Section) -> bool:
    return section.loaded and section.name not in (BTF, BTF_EXT)


def _loaded(elf: Container, labels: list[str]) -> dict[str, Section]:
    return {label: section for label, section in zip(labels, elf.sections) if _is_loaded(section)}


def _section_differences(ours: dict[str, Section], theirs: dict[str, Section]) -> list[str]:
    lines = []
    for label in [*ours, *(label for label in theirs if label not in ours)]:
        if label in ours and label in theirs:
            lines += [f"section {label}: {words}" for words in _contrast(ours[label], theirs[label])]
        else:
            lines.append(f"section {label}: only in {'ours' if label in ours else 'theirs'}")
    return lines[:LIMIT] + more("section ", len(lines))


def _contrast(ours: Section, theirs: Section) -> Iterator[str]:
    facts = [(("type", each.type), ("flags", f"{each.flags:#x}"), ("size", each.size)) for each in (ours, theirs)]
    for (what, mine), (_what, other) in zip(*facts):
        if mine != other:
            yield f"{what} {mine} in ours, {other} in theirs"
    if ours.data != theirs.data:
        pairs = enumerate(zip(ours.data, theirs.data))
        at = next((at for at, (mine, other) in pairs if mine != other), min(len(ours.data), len(theirs.data)))
        where = f"instruction {at // INSTRUCTION_SIZE}" if ours.executable else f"byte {at:#x}"
        yield f"the contents differ from {where} on"


def _relocations(elf: Container, labels: list[str]) -> Iterator[tuple[tuple[str, int], Fact]]:
    """Section and offset of each relocation of a loaded section, with type, symbol and addend."""
    for each in relocations(elf):
        if elf.sections[each.section].name in (BTF, BTF_EXT):
            continue
        symbol = each.symbol
        name = "" if symbol.kind == STT_SECTION or _is_temporary(symbol) else symbol.name
        addend = () if each.addend is None else (each.addend,)
        yield (labels[each.section], each.offset), (each.kind, name, _section(symbol, labels), symbol.value, *addend)


def _symbols(elf: Container, labels: list[str]) -> Iterator[tuple[str, Fact]]:
    """Every symbol with a name of the programmer's, but those of sections that aren't loaded."""
    for symbol in elf.symbols[1:]:
        where = elf.section_of(symbol)
        if symbol.kind in (STT_SECTION, STT_FILE) or _is_temporary(symbol):
            continue
        if where is None or _is_loaded(where):
            place = (_section(symbol, labels), symbol.value, symbol.size)
            yield symbol.name, (symbol.kind, symbol.binding, symbol.visibility, *place)


def _is_temporary(symbol: Symbol) -> bool:
    return symbol.binding == STB_LOCAL and symbol.kind == STT_NOTYPE and TEMPORARY.match(symbol.name) is not None


def _section(symbol: Symbol, labels: list[str]) -> str:
    if 0 < symbol.section < len(labels):
        return labels[symbol.section]
    return RESERVED.get(symbol.section, f"section {symbol.section:#x}")


def _place(place: tuple[str, int]) -> str:
    return f"{place[0]}+{place[1]:#x}"


def _say_relocation(_place: tuple[str, int], fact: Fact) -> str:
    kind, name, section, value, *addend = fact
    where = f"{section}+{value:#x}"
    return f"type {kind} to {f'{name} ({where})' if name else where}{''.join(f' + {number}' for number in addend)}"


def _say_symbol(_name: str, fact: Fact) -> str:
    kind, binding, visibility, section, value, size = fact
    words = (_word(BINDINGS, binding), _word(VISIBILITIES, visibility), _word(TYPES, kind))
    return f"{' '.join(words)} of {size} bytes at {section}+{value:#x}"


def _word(names: tuple[str, ...], number: object) -> str:
    assert isinstance(number, int)
    return names[number] if number < len(names) else str(number)
