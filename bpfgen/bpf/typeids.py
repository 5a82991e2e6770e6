"""Instructions that hold the number of a type, which is no part of what a program means."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from bpfgen.bpf.btf import Btf
from bpfgen.bpf.btfext import read_btf_ext
from bpfgen.bpf.container import Container, Section
from bpfgen.bpf.core import LOCAL, TARGET

IMMEDIATE = slice(4, 8)
"""Bytes of an instruction (Documentation/bpf/standardization/instruction-set.rst)."""


def without_type_ids(elf: Container) -> Container:
    """The object with a zero for each number of a type in its code (`bpf_core_type_id_local()` and the like).

    clang writes the number that the type has in `.BTF`, and a CO-RE relocation that says so; a loader puts in its own.
    Other numbers stay. Raises Malformed where `.BTF` or `.BTF.ext` is damaged.
    """
    types, ext = elf.section(".BTF"), elf.section(".BTF.ext")
    if types is None or ext is None:
        return elf
    btf, order = Btf(types.data), "<" if elf.little else ">"
    places: dict[str, list[tuple[int, int]]] = {}
    for block in read_btf_ext(ext.data, order).parts["core_relo"]:
        found = [(row[0], row[1]) for row in block.records if row[3] in (LOCAL, TARGET)]
        if found:
            places.setdefault(btf.text(block.section), []).extend(found)
    return dataclasses.replace(elf, sections=tuple(_masked(elf, places))) if places else elf


def _masked(elf: Container, places: dict[str, list[tuple[int, int]]]) -> Iterator[Section]:
    byte_order = "little" if elf.little else "big"
    for section in elf.sections:
        if not section.executable or section.name not in places:
            yield section
            continue
        data = bytearray(section.data)
        for offset, number in places[section.name]:
            field = slice(offset + IMMEDIATE.start, offset + IMMEDIATE.stop)
            if data[field] == number.to_bytes(4, byte_order):  # type: ignore[arg-type]  # mypy: not a literal
                data[field] = bytes(4)
        yield dataclasses.replace(section, data=bytes(data))
