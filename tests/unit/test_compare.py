"""`differences`: silent about what no loader sees, and never about anything else."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from objectfile import ObjectFile, Word, little_object, renumbered

from bpfgen.bpf.btf import Btf, Kind
from bpfgen.bpf.btfext import read_btf_ext
from bpfgen.bpf.btfgraph import Types
from bpfgen.bpf.compare import differences
from bpfgen.bpf.container import SHF_EXECINSTR, read_container
from bpfgen.bpf.malformed import Malformed
from bpfgen.strip import strip

OBJECTS = Path(__file__).parent.parent / "data" / "objects"
TYPED = ["core.bpfeb.o", "core.bpfel.o", "debug.bpfel.o", "sample.bpfeb.o", "sample.bpfel.o"]
FILES = [*TYPED, "debug.bpfeb.o", "legacy.bpfel.o"]


def load(name: str) -> bytes:
    return (OBJECTS / name).read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_an_object_equals_itself(name: str) -> None:
    assert differences(load(name), load(name)) == []


@pytest.mark.parametrize("name", ["core", "debug", "sample"])
def test_byte_orders_differ(name: str) -> None:
    lines = differences(load(f"{name}.bpfel.o"), load(f"{name}.bpfeb.o"))
    assert lines == ["byte order: little endian in ours, big endian in theirs"]


def test_dwarf_does_not_count() -> None:
    whole = load("debug.bpfel.o")
    assert differences(whole, strip(whole)) == []


def test_two_programs_differ_in_everything_shortly() -> None:
    lines = differences(load("core.bpfel.o"), load("sample.bpfel.o"))
    for start in ("section kprobe/first: only in ours", "section .maps: only in theirs", "relocation at", "symbol "):
        assert any(line.startswith(start) for line in lines)
    for start in ('BTF: struct "tree" is only in ours', "BTF: ", "BTF.ext: func_info", "BTF.ext: core_relo"):
        assert any(line.startswith(start) for line in lines)
    assert len(lines) < 200


def test_an_object_without_types() -> None:
    lines = differences(load("legacy.bpfel.o"), load("debug.bpfel.o"))
    assert lines[-2:] == ["BTF: only in theirs", "BTF.ext: only in theirs"]


def renamed(whole: bytes, old: bytes, new: bytes) -> bytes:
    """With another name in the string table of the symbols, which comes first."""
    assert len(old) == len(new)
    return whole.replace(b"\0" + old + b"\0", b"\0" + new + b"\0", 1)


def test_names_of_symbols_count() -> None:
    whole = load("sample.bpfel.o")
    lines = differences(whole, renamed(whole, b"drop_all", b"drop_any"))
    place = "global default FUNC of 104 bytes at xdp+0x0"
    assert lines == [f"symbol drop_all: {place} only in ours", f"symbol drop_any: {place} only in theirs"]


def test_sections_count_by_name() -> None:
    whole = load("sample.bpfel.o")
    other = renamed(whole, b".data.custom", b".data.costum")
    lines = differences(whole, other)
    assert lines[:2] == ["section .data.custom: only in ours", "section .data.costum: only in theirs"]
    assert lines[2].startswith("relocation at ")
    assert lines[3].startswith("symbol custom: ")


def test_sections_of_one_name_are_told_apart() -> None:
    whole = load("sample.bpfel.o")
    twice = renamed(whole, b".data.custom", b"license\0\0\0\0\0")
    assert "section license (2): only in theirs" in differences(whole, twice)
    assert differences(twice, twice) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b".BTF\0", b".BTX\0", "there is no BTF"),
        (b"\x9f\xeb\1\0\x18\0\0\0", b"\xeb\x9f\1\0\0\0\0\x18", "beyond the data|byte order"),
        (b"\x9f\xeb\1\0\x20", b"\x9f\xec\1\0\x20", "BTF.ext: wrong magic number"),
    ],
)
def test_damaged_types_say_why(old: bytes, new: bytes, message: str) -> None:
    whole = load("core.bpfel.o")
    assert old in whole
    with pytest.raises(Malformed, match=message):
        differences(whole, whole.replace(old, new))


def test_versions_count() -> None:
    whole = load("core.bpfel.o")
    lines = differences(whole, whole.replace(b"\x9f\xeb\1\0", b"\x9f\xeb\2\0"))
    assert lines == [
        "BTF: version and flags are 0100 in ours, 0200 in theirs",
        "BTF.ext: version and flags are (1, 0) in ours, (2, 0) in theirs",
    ]


def test_the_order_of_records_counts() -> None:
    whole = load("core.bpfel.o")
    file = ObjectFile(whole)
    roles = [word.role for word in file.ext]
    lines = [at for at in range(len(roles)) if roles[at : at + 8] == ["place", "name", "name", "word"] * 2]
    at = file.ext[lines[0]].at
    swapped = whole[:at] + whole[at + 16 : at + 32] + whole[at : at + 16] + whole[at + 32 :]
    assert differences(whole, swapped) == ["BTF.ext: line_info has another order"]


# Properties of renumbered and mutated objects


@given(st.sampled_from(TYPED), st.data())
def test_numbering_does_not_count(name: str, data: st.DataObject) -> None:
    whole = load(name)
    file = ObjectFile(whole)
    order = data.draw(st.permutations(range(1, len(file.types) + 1)))
    other = renumbered(whole, order, data.draw(st.permutations(list(file.strings()))))
    assert differences(whole, other) == []
    assert differences(other, whole) == []


def another(file: ObjectFile, word: Word, data: st.DataObject) -> int:
    """A value that gives the word another meaning, not only another number."""
    value = file.get(word)
    if word.role == "type":  # of another kind, because two types of one kind may be equal
        other = [number for number in range(len(file.types) + 1) if file.kind(number) != file.kind(value)]
        return data.draw(st.sampled_from(other))
    if word.role == "name":
        texts = {0: b"", **file.strings()}
        return data.draw(st.sampled_from([offset for offset, text in texts.items() if text != texts[value]]))
    bits = [31] if word.role == "info" else range(32)
    if word.role == "info" and value >> 24 & 0x1F == Kind.FUNC:
        bits = [0, 1]  # the linkage; of other kinds it is the number of items
    return value ^ 1 << data.draw(st.sampled_from(bits))


@given(st.sampled_from(TYPED), st.data())
def test_every_word_of_the_types_counts(name: str, data: st.DataObject) -> None:
    whole = load(name)
    file = ObjectFile(whole)
    words = [word for record in [*file.types, file.ext] for word in record if word.role != "unused"]
    word = data.draw(st.sampled_from(words))
    file.put(word, another(file, word, data))
    for lines in (differences(whole, bytes(file.data)), differences(bytes(file.data), whole)):
        assert lines  # where a function's type differs, so does what `.BTF.ext` says of the function
        assert lines[0].startswith(f"{word.where}: ")
        assert all(line.startswith("BTF") for line in lines)


@given(st.sampled_from(TYPED), st.data())
def test_every_loaded_byte_counts(name: str, data: st.DataObject) -> None:
    whole = load(name)
    section, header = data.draw(st.sampled_from(ObjectFile(whole).loaded))
    at = data.draw(st.integers(0, header["sh_size"] - 1))
    mutant = bytearray(whole)
    mutant[header["sh_offset"] + at] ^= data.draw(st.integers(1, 255))
    where = f"instruction {at // 8}" if header["sh_flags"] & SHF_EXECINSTR else f"byte {at:#x}"
    assert differences(whole, bytes(mutant)) == [f"section {section}: the contents differ from {where} on"]


def rows(whole: bytes, wanted: str, size: int) -> list[tuple[str, int]]:
    """Section and place in the file of each row of the tables of one type."""
    file = ObjectFile(whole)
    found = []
    for name, header in file.sections:
        if header["sh_type"] == wanted and not name.startswith((".rel.BTF", ".rel.debug")):
            places = range(header["sh_offset"], header["sh_offset"] + header["sh_size"], size)
            found += [(name, at) for at in places]
    return found


@given(st.sampled_from(TYPED), st.data())
def test_relocations_count(name: str, data: st.DataObject) -> None:
    whole = load(name)
    order = ObjectFile(whole).order
    section, at = data.draw(st.sampled_from(rows(whole, "SHT_REL", 16)))
    offset, info = struct.unpack_from(f"{order}QQ", whole, at)
    symbols = len(read_container(whole).symbols)
    others = [number for number in range(symbols) if number != info >> 32]
    infos = [info ^ 8, info ^ 1 << 31, *(number << 32 | info & 0xFFFFFFFF for number in others)]
    changes = [(offset + 8, info), *((offset, other) for other in infos)]
    mutant = bytearray(whole)
    struct.pack_into(f"{order}QQ", mutant, at, *data.draw(st.sampled_from(changes)))
    lines = differences(whole, bytes(mutant))
    assert lines
    assert all(line.startswith(f"relocation at {section.replace('.rel', '', 1)}+") for line in lines)


@given(st.sampled_from(TYPED), st.data())
def test_symbols_count(name: str, data: st.DataObject) -> None:
    whole = load(name)
    order = ObjectFile(whole).order
    symbols = read_container(whole).symbols
    places = [at for _name, at in rows(whole, "SHT_SYMTAB", 24)]
    known = {"FUNC": 2, "OBJECT": 1}
    named = [place for place, symbol in zip(places, symbols) if symbol.kind in known.values()]
    at = data.draw(st.sampled_from(named))
    field = data.draw(st.sampled_from([(4, "B", 0x10), (4, "B", 3), (5, "B", 2), (8, "Q", 8), (16, "Q", 1)]))
    mutant = bytearray(whole)
    (value,) = struct.unpack_from(f"{order}{field[1]}", whole, at + field[0])
    struct.pack_into(f"{order}{field[1]}", mutant, at + field[0], value ^ field[2])
    lines = differences(whole, bytes(mutant))
    symbol = symbols[places.index(at)]
    assert any(line.startswith(f"symbol {symbol.name}: ") for line in lines)


NUMBERS = st.one_of(
    st.binary(min_size=1, max_size=8),
    st.sampled_from([b"\xff" * 4, b"\xff" * 8, bytes(8), b"\x7f" + b"\xff" * 7, b"\xff" * 7 + b"\x7f"]),
)


def compare_or_malformed(ours: bytes, theirs: bytes) -> None:
    for pair in ((ours, theirs), (theirs, ours), (theirs, theirs)):
        try:
            lines = differences(*pair)
        except Malformed:
            continue
        assert all(isinstance(line, str) and line for line in lines)
        assert not lines or pair[0] is not pair[1]


@given(st.sampled_from(FILES), st.data())
def test_a_truncated_object_raises_nothing_but_malformed(name: str, data: st.DataObject) -> None:
    whole = load(name)
    compare_or_malformed(whole, whole[: data.draw(st.integers(0, len(whole)))])


@given(st.sampled_from(FILES), st.lists(st.tuples(st.integers(0, 1 << 16), NUMBERS), min_size=1, max_size=8))
def test_a_mutated_object_raises_nothing_but_malformed(name: str, changes: list[tuple[int, bytes]]) -> None:
    mutant = bytearray(load(name))
    for place, value in changes:
        at = place % len(mutant)
        mutant[at : at + len(value)] = value[: len(mutant) - at]
    compare_or_malformed(load(name), bytes(mutant))


@given(st.sampled_from(["core.bpfel.o", "core.bpfeb.o"]), st.data())
def test_mutated_types_raise_nothing_but_malformed(name: str, data: st.DataObject) -> None:
    file = ObjectFile(load(name))
    for word in data.draw(st.lists(st.sampled_from([w for r in [*file.types, file.ext] for w in r]), max_size=6)):
        file.put(word, data.draw(st.one_of(st.integers(0, 60), st.integers(0, 0xFFFFFFFF))))
    compare_or_malformed(load(name), bytes(file.data))


# Graphs


def btf_bytes(*records: tuple[int, ...], strings: bytes = b"\0a\0b\0") -> bytes:
    types = b"".join(struct.pack(f"<{len(record)}I", *record) for record in records)
    sizes = (24, 0, len(types), len(types), len(strings))
    return struct.pack("<HBBIIIII", 0xEB9F, 1, 0, *sizes) + types + strings


def btf(*records: tuple[int, ...], strings: bytes = b"\0a\0b\0") -> Btf:
    return Btf(btf_bytes(*records, strings=strings))


def pointer(target: int) -> tuple[int, ...]:
    return (0, Kind.PTR << 24, target)


def test_a_cycle_may_start_anywhere_but_its_length_counts() -> None:
    marked = (1, Kind.CONST << 24, 1)
    three = btf(pointer(2), pointer(3), (*marked[:2], 1))
    turned = btf((*marked[:2], 2), pointer(3), pointer(1))
    four = btf(pointer(2), pointer(3), pointer(4), (*marked[:2], 1))
    assert Types(three, turned).uneven == []
    assert Types(three, four).uneven


def test_duplicates_count() -> None:
    once, twice = btf(pointer(0)), btf(pointer(0), pointer(0))
    assert Types(twice, once).uneven == [[(0, 1), (0, 2), (1, 1)]]


def test_a_difference_at_the_end_of_a_long_chain_reaches_its_beginning() -> None:
    """The kinds are the same; only the order in which they are nested is not."""
    length = 300
    chain = [pointer(number) for number in range(length)]
    const, volatile = (0, Kind.CONST << 24, 0), (0, Kind.VOLATILE << 24, 1)
    ours = btf(const, volatile, *[pointer(2 + number) for number in range(length)])
    theirs = btf((0, Kind.VOLATILE << 24, 0), (0, Kind.CONST << 24, 1), *[pointer(2 + n) for n in range(length)])
    assert Types(ours, theirs).uneven
    assert Types(btf(*chain), btf(*chain)).class_of(0, length) != Types(btf(*chain), btf(*chain)).class_of(
        0, length - 1
    )


@pytest.mark.parametrize("at", [0, 31, 32, 1023, 1024, 2999])
def test_each_of_many_members_counts(at: int) -> None:
    def struct_of(odd: int) -> Btf:
        members = [word for index in range(3000) for word in (0, 2 if index == odd % 3000 else 1, 0)]
        return btf(pointer(0), pointer(1), (0, Kind.STRUCT << 24 | 3000, 8, *members))

    assert Types(struct_of(at), struct_of(at)).uneven == []
    assert sorted(Types(struct_of(at), struct_of(at - 1)).uneven) == [[(0, 3)], [(1, 3)]]


def test_the_order_of_variables_at_one_offset_does_not_count() -> None:
    types = (pointer(0), (1, Kind.VAR << 24, 1, 0), (3, Kind.VAR << 24, 1, 0))
    head = (1, Kind.DATASEC << 24 | 2, 16)
    ours = btf(*types, (*head, 2, 0, 8, 3, 0, 8))
    assert Types(ours, btf(*types, (*head, 3, 0, 8, 2, 0, 8))).uneven == []
    assert Types(ours, btf(*types, (*head, 3, 0, 8, 2, 8, 8))).uneven == [[(0, 4)], [(1, 4)]]


def test_overlapping_strings_take_no_memory() -> None:
    records = [(offset, Kind.FLOAT << 24, 8) for offset in range(1, 5000)]
    huge = btf(*records, strings=b"\0" + b"x" * 100_000 + b"\0")
    with pytest.raises(Malformed, match="no string"):
        Types(huge, huge)


# .BTF.ext


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_short_header_has_no_relocations(order: str) -> None:
    data = struct.pack(f"{order}HBBIIIII", 0xEB9F, 1, 0, 24, 0, 20, 20, 0)
    data += struct.pack(f"{order}IIIII", 8, 7, 1, 16, 3)
    ext = read_btf_ext(data, order)
    assert [len(ext.parts[part]) for part in ("func_info", "line_info", "core_relo")] == [1, 0, 0]
    (block,) = ext.parts["func_info"]
    assert (block.section, block.records) == (7, ((16, 3),))


def ext(header: tuple[int, ...], *words: int) -> bytes:
    numbers = (8 + 4 * len(header), *header, *words)
    return struct.pack(f"<HBB{len(numbers)}I", 0xEB9F, 1, 0, *numbers)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "truncated header"),
        (bytes(24), "magic"),
        (ext((0, 0))[:24] + bytes(8), "a header of 16 bytes"),
        (ext((0, 24, 0, 0), 8, 0, 1, 0, 1), "func_info ends beyond the data"),
        (ext((0, 20, 0, 0), 4, 0, 1, 0, 1), "records of 4 bytes"),
        (ext((0, 20, 0, 0), 10, 0, 1, 0, 1), "records of 10 bytes"),
        (ext((0, 20, 0, 0), 1 << 30, 0, 1, 0, 1), "records of 1073741824 bytes"),
        (ext((0, 20, 0, 0), 8, 0, 0, 0, 1), "a section of 0 records"),
        (ext((0, 20, 0, 0), 8, 0, 2, 0, 1), "a section of 2 records"),
        (ext((0, 0, 0, 24), 16, 0, 1, 0, 1, 1), "line_info has a section of 1 records"),
        (ext((0, 8, 0, 0), 8, 0), "func_info ends within a section"),
    ],
)
def test_damaged_ext_says_why(data: bytes, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        read_btf_ext(data, "<")


def typed(ours: bytes, flags: int = 0) -> bytes:
    types = btf_bytes(pointer(0), (1, Kind.FLOAT << 24, 8))
    return little_object((".BTF", 1, flags, types, 0, 0), (".BTF.ext", 1, flags, ours, 0, 0))


def test_longer_records_count_to_their_end() -> None:
    ours, theirs = (typed(ext((0, 24, 0, 0), 12, 1, 1, 16, 1, more)) for more in (0, 5))
    assert differences(ours, ours) == []
    assert differences(ours, theirs) == [
        'BTF.ext: func_info of a+0x10: PTR "void *" 0 in ours, PTR "void *" 5 in theirs'
    ]


def test_types_do_not_count_as_bytes_even_where_they_are_loaded() -> None:
    data = ext((0, 20, 0, 0), 8, 1, 1, 16, 1)
    other = btf_bytes((1, Kind.FLOAT << 24, 8), pointer(0))
    moved = ext((0, 20, 0, 0), 8, 1, 1, 16, 2)
    theirs = little_object((".BTF", 1, 2, other, 0, 0), (".BTF.ext", 1, 2, moved, 0, 0))
    assert differences(typed(data, 2), theirs) == []
    assert differences(typed(data, 2), theirs.replace(moved, data)) == [
        'BTF.ext: func_info of a+0x10: PTR "void *" in ours, FLOAT "a" in theirs'
    ]


def test_types_are_in_the_byte_order_of_the_object() -> None:
    big = struct.pack(">HBBIIIII", 0xEB9F, 1, 0, 24, 0, 0, 0, 1) + b"\0"
    whole = little_object((".BTF", 1, 0, big, 0, 0))
    with pytest.raises(Malformed, match="byte order"):
        differences(whole, whole)


# Relocations and symbols


def relocated(rows: bytes, link: int = 1, info: int = 3) -> bytes:
    return little_object((".text", 1, 6, bytes(32), 0, 0), (".rel.text", 9, 0, rows, link, info))


def test_duplicate_relocations_count() -> None:
    row = struct.pack("<QQ", 8, 1)
    say = "type 1 to undefined+0x0"
    assert differences(relocated(row * 3), relocated(row)) == [f"relocation at .text+0x8: {say}, {say} only in ours"]


@pytest.mark.parametrize(
    ("whole", "message"),
    [
        (relocated(struct.pack("<QQ", 8, 1 << 32)), "a symbol 1 that isn't there"),
        (relocated(bytes(17)), "end within one"),
        (relocated(b"", link=2), "for sections that aren't there"),
        (relocated(b"", link=9), "for sections that aren't there"),
        (relocated(b"", info=5), "for sections that aren't there"),
    ],
)
def test_damaged_relocations_say_why(whole: bytes, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        differences(whole, whole)


def test_addends_count() -> None:
    ours, theirs = (
        little_object((".text", 1, 6, bytes(32), 0, 0), (".rela.text", 4, 0, struct.pack("<QQq", 8, 1, addend), 1, 3))
        for addend in (0, -8)
    )
    say = "type 1 to undefined+0x0 +"
    assert differences(ours, theirs) == [f"relocation at .text+0x8: {say} 0 in ours, {say} -8 in theirs"]


@pytest.mark.parametrize(("flags", "count"), [(0, 0), (2, 1)])
def test_symbols_of_sections_that_are_not_loaded_do_not_count(flags: int, count: int) -> None:
    ours, theirs = (
        little_object(("some", 1, flags, bytes(8), 0, 0), symbols=struct.pack("<IBBHQQ", 1, 0x10, 0, 3, value, 0))
        for value in (0, 4)
    )
    assert len(differences(ours, theirs)) == count


# What compilers write

SOURCE = """
#define SEC(name) __attribute__((section(name), used))
#define CORE __attribute__((preserve_access_index))
struct hidden;
struct work { struct work *next; struct hidden *hidden; int count, limit; } CORE;
struct shape { int width; int height; };
enum mode { SLOW = 1, FAST = 2 };
struct { int (*type)[1]; int (*max_entries)[8]; struct shape *key; struct hidden *value; } shapes SEC(".maps");
int total; static volatile const int limit = 5;
static unsigned long long (*const ktime)(void) = (void *)5;
static __attribute__((noinline)) int twice(int number) { return total += 2 * number + limit; }
#line 100
SEC("kprobe/one") int one(struct work *work) { return twice(work->count); }
#line 200
SEC("kprobe/two") int two(struct shape *shape, enum mode mode)
{ return ktime() + shape->width + *(volatile int *)&shapes; }
#line 300
char _license[] SEC("license") = "GPL";
"""
SWAPPED = re.sub(r"(#line 100.*?)(#line 200.*?)(?=#line 300)", r"\2\1", SOURCE, flags=re.DOTALL)
FLAGS = ("-O2", "-g", "-target", "bpfel", "-mcpu=v2", "-ffile-compilation-dir=.", "-c", "one.c", "-o", "one.o")
CLANGS = pytest.mark.parametrize("clang", ["clang-14", "clang-19"])


def compiled(clang: str, folder: Path, source: str, *flags: str) -> bytes:
    folder.mkdir()
    (folder / "one.c").write_text(source)
    subprocess.run([clang, *FLAGS, *flags], cwd=folder, check=True)
    return (folder / "one.o").read_bytes()


@pytest.mark.real
@CLANGS
@pytest.mark.parametrize(
    ("source", "flags"),
    [
        (SOURCE, ["-Wall", "-Wextra", "-Wno-unused-parameter"]),
        (SOURCE, ["-gdwarf-4", "-fdebug-macro"]),
        (SOURCE, ["-DUNUSED=1", "-fno-addrsig"]),
        (SOURCE.replace("int width; int height;", "int width;   int height;"), []),
        (SOURCE + "typedef struct { struct work *works[7]; } unused_t;\n", []),
        (SOURCE + "enum unused { UNUSED };\nextern int unused(enum unused mode);\n", []),
        (SWAPPED, []),
    ],
    ids=["warnings", "dwarf", "macro", "spaces", "typedef", "declarations", "order"],
)
def test_what_no_loader_sees(clang: str, tmp_path: Path, source: str, flags: list[str]) -> None:
    ours, theirs = compiled(clang, tmp_path / "a", SOURCE), compiled(clang, tmp_path / "b", source, *flags)
    assert differences(ours, theirs) == []
    assert differences(strip(ours), strip(theirs)) == []
    assert differences(ours, strip(theirs)) == []


def test_swapping_swaps() -> None:
    assert SWAPPED.index("int two") < SWAPPED.index("int one")
    assert sorted(SWAPPED) == sorted(SOURCE)


CHANGES = {
    "complete": ("struct hidden;", "struct hidden { int x; };", 'BTF: FWD "hidden" is only in ours'),
    "const": (
        "struct hidden *hidden",
        "const struct hidden *hidden",
        'BTF: CONST "const struct hidden" is only in theirs',
    ),
    "pointee": ("struct shape *key", "enum mode *key", "BTF: "),
    "member": ("int height;", "int length;", 'BTF: struct "shape" differs: height at bit 32:0 of int in ours, length'),
    "bitfield": (
        "int height;",
        "int height : 31;",
        'BTF: struct "shape" differs: height at bit 32:0 of int in ours, he',
    ),
    "enum value": ("FAST = 2", "FAST = 3", 'BTF: enum "mode" differs: FAST = 0x2 in ours, FAST = 0x3 in theirs'),
    "linkage": (
        "static __attribute__((noinline))",
        "__attribute__((noinline))",
        'BTF: FUNC "twice" differs: static in our',
    ),
    "parameter": (
        "int number) { return total += 2 * number",
        "int other) { return total += 2 * other",
        "BTF: FUNC_PROTO {number} is only in ours",
    ),
    "entries": ("[8]", "[9]", 'BTF: ARRAY "int[8]" is only in ours'),
    "line": ("#line 200", "#line 201", "BTF.ext: line_info of kprobe/two+0x0: ./one.c:200:"),
    "text": ("+ limit; }", "+ limit; } /* */", "BTF.ext: line_info of .text+0x0: ./one.c:11:"),
    "path": ("work->count", "work->limit", 'BTF.ext: core_relo of kprobe/one+0x0: byte offset of struct "work" at 0:2'),
    "root": (
        "count, limit;",
        "count, limit, more;",
        'BTF.ext: core_relo of kprobe/one+0x0: byte offset of struct "work" at 0:2 in b',
    ),
    "helper": ("(void *)5", "(void *)125", "section kprobe/two: the contents differ from instruction "),
    "constant": ("2 * number", "4 * number", "section .text: the contents differ from instruction "),
    "data": ("limit = 5", "limit = 6", "section .rodata: the contents differ from byte 0x0 on"),
    "section": ('"kprobe/one"', '"kprobe/1"', "section kprobe/one: only in ours"),
    "licence": ('"GPL"', '"BSD"', "section license: the contents differ from byte 0x0 on"),
    "relocation": ("&shapes", "&total", "relocation at kprobe/two+0x"),
    "binding": (
        "int total",
        "__attribute__((weak)) int total",
        "symbol total: global default OBJECT of 4 bytes at .bss",
    ),
    "visibility": (
        "int total",
        '__attribute__((visibility("hidden"))) int total',
        "symbol total: global default OBJECT",
    ),
}


@pytest.mark.real
@CLANGS
@pytest.mark.parametrize(("old", "new", "line"), CHANGES.values(), ids=list(CHANGES))
def test_one_change(clang: str, tmp_path: Path, old: str, new: str, line: str) -> None:
    assert SOURCE.count(old) == 1
    ours = compiled(clang, tmp_path / "a", SOURCE)
    theirs = compiled(clang, tmp_path / "b", SOURCE.replace(old, new))
    lines = differences(strip(ours), strip(theirs))
    assert any(each.startswith(line) for each in lines), lines
    assert len(differences(theirs, ours)) == len(lines)


@pytest.mark.real
def test_labels_of_basic_blocks_do_not_count(tmp_path: Path) -> None:
    """clang-14 has them in the symbol table, clang-19 no more."""
    branch = "int g(int); int f(int a) { if (a > 3) for (int i = 0; i < a; i++) g(i); return a; }\n"
    whole = compiled("clang-14", tmp_path / "a", branch)
    assert b"\0LBB0_2\0" in whole
    assert differences(whole, renamed(whole, b"LBB0_2", b"LBB9_9")) == []
    assert differences(whole, renamed(whole, b"LBB0_2", b"LBB9_x")) != []
