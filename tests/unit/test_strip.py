"""`strip.py`: the sections, symbols and relocations of `llvm-strip -g`, the same bytes everywhere."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection
from hypothesis import given
from hypothesis import strategies as st

import bpfgen.strip
from bpfgen.strip import BadObject, strip

OBJECTS = Path(__file__).parent.parent / "data" / "objects"
FILES = ["debug.bpfeb.o", "debug.bpfel.o", "legacy.bpfel.o", "sample.bpfeb.o", "sample.bpfel.o"]
# What only one of the strips keeps: our docstring says why ours doesn't. The string tables differ in layout.
OURS_DROPS = {".llvm_addrsig", ".strtab", ".shstrtab"}


def load(name: str) -> bytes:
    return (OBJECTS / name).read_bytes()


def meaning(data: bytes) -> dict[str, Any]:
    """Sections with their contents, symbols and relocations, by name instead of by number."""
    elf = ELFFile(BytesIO(data))
    symbols = [
        (s.name, s["st_value"], s["st_size"], s["st_info"].bind, s["st_info"].type, place(elf, s["st_shndx"]))
        for symtab in elf.iter_sections()
        if isinstance(symtab, SymbolTableSection)
        for s in symtab.iter_symbols()
        if s["st_info"].type != "STT_FILE"
    ]
    sections, relocations = [], []
    for section in elf.iter_sections():
        if isinstance(section, RelocationSection):
            target = elf.get_section(section["sh_info"]).name
            table: Any = elf.get_section(section["sh_link"])
            for row in section.iter_relocations():
                symbol = table.get_symbol(row["r_info_sym"])
                where = symbol.name or place(elf, symbol["st_shndx"])
                relocations.append((section.name, target, row["r_offset"], row["r_info_type"], where))
        elif not isinstance(section, SymbolTableSection) and section.name not in OURS_DROPS:
            header = section.header
            shape = (header.sh_type, header.sh_flags, header.sh_size, header.sh_addralign, header.sh_entsize)
            sections.append((section.name, shape, section.data()))
    return {"sections": sections, "symbols": symbols, "relocations": relocations}


def place(elf: Any, index: int | str) -> str:
    return elf.get_section(index).name if isinstance(index, int) else index


def locals_come_first(data: bytes) -> bool:
    table: Any = ELFFile(BytesIO(data)).get_section_by_name(".symtab")
    bindings = [symbol["st_info"].bind == "STB_LOCAL" for symbol in table.iter_symbols()]
    return bindings == [True] * table["sh_info"] + [False] * (len(bindings) - table["sh_info"])


@pytest.mark.parametrize("name", ["debug.bpfel.o", "debug.bpfeb.o"])
def test_dwarf_goes_and_the_rest_stays(name: str) -> None:
    before, after = meaning(load(name)), meaning(strip(load(name)))
    names = [name for name, _, _ in after["sections"]]
    assert names == ["", ".text", "socket", ".bss", ".BTF", ".BTF.ext"]
    assert after["sections"] == [row for row in before["sections"] if row[0] in names]
    kept = {".relsocket", ".rel.BTF", ".rel.BTF.ext"}
    assert after["relocations"] == [row for row in before["relocations"] if row[0] in kept]
    assert after["symbols"] == [row for row in before["symbols"] if not row[-1].startswith(".debug")]
    assert locals_come_first(strip(load(name)))


@pytest.mark.parametrize("name", FILES)
def test_stripping_twice_changes_nothing(name: str) -> None:
    once = strip(load(name))
    assert strip(once) == once


def test_committed_objects_are_what_strip_makes() -> None:
    for name in ("sample.bpfel.o", "sample.bpfeb.o"):
        assert strip(load(name)) == load(name)


def test_string_table_shares_ends() -> None:
    table, offsets = bpfgen.strip.string_table({b"", b"xdp", b".relxdp", b"dp2", b"p"})
    assert {name: table[at : table.index(b"\0", at)] for name, at in offsets.items()} == {
        name: name for name in offsets
    }
    assert len(table) == len(b"\0.relxdp\0dp2\0")


def test_groups_lose_dropped_members() -> None:
    order = "<"
    elf = bpfgen.strip.parse(load("debug.bpfel.o"))
    assert elf.order == order
    group = bpfgen.strip.Section((0, bpfgen.strip.SHT_GROUP, 0, 0, 0, 0, 0, 5, 4, 4))
    group.data = struct.pack("<4I", 1, 2, 3, 4)
    bpfgen.strip.rewrite_section(elf, group, {0: 0, 2: 1, 4: 2}, {5: 3})
    assert group.data == struct.pack("<3I", 1, 1, 2)
    assert group.info == 3


def damage_header(at: int, value: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data[:at] + value + data[at + len(value) :]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda _: b"", "is not an ELF file"),
        (damage_header(4, b"\1"), "is not a 64-bit ELF file"),
        (damage_header(18, b"\x3e\0"), "is not a relocatable BPF object"),
        (damage_header(62, b"\xff\0"), "has no section names"),
        (lambda data: data[:-1], "has a damaged section header table"),
    ],
)
def test_a_bad_object_says_why(damage: Callable[[bytes], bytes], message: str) -> None:
    with pytest.raises(BadObject, match=message):
        strip(damage(load("debug.bpfel.o")))


@given(
    st.sampled_from(FILES),
    st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=8)), min_size=1, max_size=6),
)
def test_mutants_raise_nothing_but_bad_object(name: str, changes: list[tuple[int, bytes]]) -> None:
    mutant = bytearray(load(name))
    for where, value in changes:
        at = where % len(mutant)
        mutant[at : at + len(value)] = value[: len(mutant) - at]
    try:
        assert len(strip(bytes(mutant))) < 100 * len(mutant) + (64 << 16)
    except BadObject:
        return


ENDIANS = {"little": "bpfel", "big": "bpfeb"}
COMPILERS = {
    "clang-14": ["clang-14"],
    "clang-19": ["clang-19"],
    "wheel": [sys.executable, "-m", "ziglang", "clang"],
}


@pytest.mark.real
@pytest.mark.parametrize("target", ["bpfel", "bpfeb"])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_means_the_same_as_other_strips(compiler: str, target: str, tmp_path: Path) -> None:
    source, full, ours = tmp_path / "sample.c", tmp_path / "full.o", tmp_path / "ours.o"
    source.write_text((OBJECTS / "sample.c").read_text())
    flags = ["-O2", "-g", "-target", target, "-mcpu=v3", "-c", str(source), "-o", str(full)]
    subprocess.run([*COMPILERS[compiler], *flags], check=True)
    ours.write_bytes(strip(full.read_bytes()))
    expected = meaning(ours.read_bytes())
    for command in (["llvm-strip-19", "-g"], ["eu-strip", "-g"]):
        theirs = tmp_path / command[0]
        subprocess.run([*command, str(full), "-o", str(theirs)], check=True)
        assert meaning(theirs.read_bytes()) == expected
    subprocess.run(["bpftool", "btf", "dump", "file", str(ours)], check=True, capture_output=True)
    if target == ENDIANS[sys.byteorder]:  # bpftool 7.1 opens no objects of the other byte order
        subprocess.run(["bpftool", "gen", "skeleton", str(ours)], check=True, capture_output=True)
