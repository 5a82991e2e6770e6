"""How the `.BTF` and `.BTF.ext` of two objects differ, up to the numbering of types and the layout of strings."""

from __future__ import annotations

from collections.abc import Callable

from bpfgen.bpf.btf import Btf
from bpfgen.bpf.btfext import PARTS, BtfExt, read_btf_ext
from bpfgen.bpf.btfgraph import Types
from bpfgen.bpf.btfwords import contrast, title
from bpfgen.bpf.container import Container
from bpfgen.bpf.core import CORE_KINDS
from bpfgen.bpf.malformed import Malformed
from bpfgen.bpf.unlike import LIMIT, more, unlike

BTF, BTF_EXT = ".BTF", ".BTF.ext"
SIDES = ("ours", "theirs")
Place = tuple[bytes, int]
"""A section's name and an offset in bytes."""
Fact = tuple[object, ...]


def btf_differences(ours: Container, theirs: Container) -> list[str]:
    """Lines for `.BTF` and `.BTF.ext` of two objects of one byte order; raises Malformed.

    Of types that differ, those are named that say something different of themselves. Those that merely refer to them
    are named where there is nothing else.
    """
    found = [_sections(elf) for elf in (ours, theirs)]
    lines = [line for name in (BTF, BTF_EXT) for line in _missing(name, [name in sections for sections in found])]
    if not all(BTF in sections for sections in found):
        return lines
    first, second = (sections[BTF] for sections in found)
    types = Types(Btf(first), Btf(second))
    if {btf.order for btf in types.sides} != {"<" if ours.little else ">"}:
        raise Malformed("BTF: its byte order isn't that of the object")
    if first[2:4] != second[2:4]:
        lines.append(f"BTF: version and flags are {first[2:4].hex()} in ours, {second[2:4].hex()} in theirs")
    lines += _types(types)
    if all(BTF_EXT in sections for sections in found):
        lines += _ext(types, [read_btf_ext(found[side][BTF_EXT], types.sides[side].order) for side in (0, 1)])
    return lines


def _sections(elf: Container) -> dict[str, bytes]:
    found = {section.name: section.data for section in elf.sections if section.name in (BTF, BTF_EXT)}
    if BTF_EXT in found and BTF not in found:
        raise Malformed("BTF.ext: there is no BTF, whose types and strings it needs")
    return found


def _missing(name: str, there: list[bool]) -> list[str]:
    return [f"{name[1:]}: only in {SIDES[there.index(True)]}"] if there[0] != there[1] else []


def _types(types: Types) -> list[str]:
    lines = []
    only: tuple[dict[str, list[int]], ...] = ({}, {})
    for block in types.uneven:
        named: tuple[dict[str, list[int]], ...] = ({}, {})
        for side, number in block:
            named[side].setdefault(title(types.sides[side], number), []).append(number)
        for name in {**named[0], **named[1]}:
            counts = [len(side.get(name, [])) for side in named]
            side = int(counts[1] > counts[0])
            if not min(counts):
                only[side].setdefault(name, []).extend(named[side][name])
            elif counts[0] != counts[1]:
                lines.append(f"BTF: {abs(counts[0] - counts[1])} more {name} in {SIDES[side]}")
    names = [*{**only[0], **only[1]}]
    lines += [_one_sided(types, name, *(side.get(name, []) for side in only)) for name in names[:LIMIT]]
    return lines[:LIMIT] + more("BTF: ", len(lines) + len(names[LIMIT:]))


def _one_sided(types: Types, name: str, ours: list[int], theirs: list[int]) -> str:
    if ours and theirs:
        how = contrast((types.sides[0], ours[0]), (types.sides[1], theirs[0]))
        return f"BTF: {name} differs: {how or 'in what it refers to'}"
    count = len(ours or theirs)
    what = f"{name} is" if count == 1 else f"{count} {name} are"
    return f"BTF: {what} only in {SIDES[0 if ours else 1]}"


def _ext(types: Types, found: list[BtfExt]) -> list[str]:
    lines = []
    first, second = ((each.version, each.flags) for each in found)
    if first != second:
        lines.append(f"BTF.ext: version and flags are {first} in ours, {second} in theirs")
    for part in PARTS:
        ours, theirs = (_rows(types, side, each, part) for side, each in enumerate(found))

        def say(_place: Place, fact: Fact, part: str = part) -> str:
            return _SAY[part](types, fact)

        new = unlike(f"BTF.ext: {part} of ", ours, theirs, _at, say)
        if not new and ours != theirs:
            new.append(f"BTF.ext: {part} has another order")
        lines += new
    return lines


def _rows(types: Types, side: int, ext: BtfExt, part: str) -> list[tuple[Place, Fact]]:
    """The records by instruction, with classes and strings for ids and offsets; only sections are sorted."""
    strings = types.strings[side]
    read: dict[str, Callable[[int], object]] = {
        "w": int,
        "n": strings.__getitem__,
        "r": lambda number: types.class_of(side, number),
    }
    letters = PARTS[part][1:]
    getters = [read[letter] for letter in letters]
    found = []
    for block in ext.parts[part]:
        section = strings[block.section]
        for offset, *words in block.records:
            fact = [get(word) for get, word in zip(getters, words)]
            found.append(((section, offset), (*fact, *words[len(letters) :])))
    return sorted(found, key=lambda row: row[0][0])


def _at(place: Place) -> str:
    return f"{_text(place[0])}+{place[1]:#x}"


def _text(data: object) -> str:
    return data.decode(errors="backslashreplace") if isinstance(data, bytes) else str(data)


def _title(types: Types, number: object) -> str:
    assert isinstance(number, int)
    side, example = types.example(number)
    return title(types.sides[side], example)


def _say_function(types: Types, fact: Fact) -> str:
    return f"{_title(types, fact[0])}{_rest(fact[1:])}"


def _say_line(_types: Types, fact: Fact) -> str:
    file, text, place = fact[:3]
    assert isinstance(place, int)
    return f'{_text(file)}:{place >> 10}:{place & 0x3FF} "{_text(text).strip()}"{_rest(fact[3:])}'


def _say_relocation(types: Types, fact: Fact) -> str:
    number, access, kind = fact[:3]
    assert isinstance(kind, int)
    name = CORE_KINDS[kind] if kind < len(CORE_KINDS) else f"kind {kind}"
    return f"{name} of {_title(types, number)} at {_text(access)}{_rest(fact[3:])}"


def _rest(words: Fact) -> str:
    return "".join(f" {word}" for word in words)


_SAY = {"func_info": _say_function, "line_info": _say_line, "core_relo": _say_relocation}
