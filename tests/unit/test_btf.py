"""The BTF parser, on hand-made sections of both byte orders and on the types of the committed objects."""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from btffile import Builder, every_kind
from hypothesis import given
from hypothesis import strategies as st

from bpfgen.bpf.btf import Array, Btf, Entry, Kind, Member, Value
from bpfgen.bpf.container import read_container
from bpfgen.bpf.layout import Alignments, c_name, size_of
from bpfgen.bpf.malformed import Malformed

OBJECTS = Path(__file__).parent.parent / "data" / "objects"
ORDERS = ["<", ">"]


@pytest.mark.parametrize("order", ORDERS)
def test_every_kind(order: str) -> None:
    btf = Btf(every_kind(order).bytes())
    assert [each.kind for each in btf] == list(Kind)[1:]
    assert btf.members(btf.type(4)) == (Member("a", 1, 0), Member("p", 2, 64))
    assert btf.members(btf.type(5)) == (Member("bits", 1, 3, 5),)
    assert btf.array(btf.type(3)) == Array(1, 3)
    section = btf.data_section(".data")
    assert section is not None
    assert btf.variables(section) == (Member("v", 3, 4, 12),)
    assert btf.entries(section) == (Entry(btf.type(14), 4, 12),)
    assert not btf.is_static(section)
    assert [btf.linkage(btf.type(number)) for number in (12, 14)] == [1, 1]
    assert btf.parameters(btf.type(13)) == (Member("x", 1, 0),)
    assert btf.values(btf.type(6)) == (Value("ONE", 1),)
    assert btf.value(btf.type(19), 0) == Value("HUGE", 1 << 32)
    assert btf.member(btf.type(4), 1) == Member("p", 2, 64)
    assert btf.data_section(".bss") is None
    assert btf.plain(8).name == "s"


@pytest.mark.parametrize("order", ORDERS)
def test_a_module_goes_on_where_the_kernel_ends(order: str) -> None:
    kernel = every_kind(order)
    module = Builder(order, kernel)
    own = module.add(Kind.STRUCT, "own", 20, module.name("s"), 4, 0, 1, 1, 128, items=2)
    btf = Btf(module.bytes(), Btf(kernel.bytes()))
    assert (own, len(btf)) == (20, 21)
    assert [each.name for each in btf] == ["own"]
    assert btf.members(btf.type(own)) == (Member("s", 4, 0), Member("int", 1, 128))  # a string of the kernel's
    assert btf.members(btf.type(4)) == (Member("a", 1, 0), Member("p", 2, 64))
    assert size_of(btf, own) == 20
    for number in (21, -1):
        with pytest.raises(Malformed):
            btf.type(number)


@pytest.mark.parametrize("order", ORDERS)
def test_signed_values(order: str) -> None:
    btf = Builder(order)
    btf.add(Kind.ENUM, "e", 4, btf.name("MINUS"), 0xFFFFFFFF, items=1, flag=True)
    btf.add(Kind.ENUM, "u", 4, btf.name("ALL"), 0xFFFFFFFF, items=1)
    btf.add(Kind.ENUM64, "l", 8, btf.name("LEAST"), 0, 1 << 31, items=1, flag=True)
    read = Btf(btf.bytes())
    numbers = [read.value(read.type(number), 0).number for number in (1, 2, 3)]
    assert numbers == [-1, 0xFFFFFFFF, -(1 << 63)]


@pytest.mark.parametrize("order", ORDERS)
def test_sizes_and_alignments(order: str) -> None:
    btf = Btf(every_kind(order).bytes())
    sizes = {1: 4, 2: 8, 3: 12, 4: 16, 5: 4, 6: 4, 8: 16, 9: 16, 14: 12, 15: 16, 16: 8, 17: 12, 19: 8}
    assert {number: size_of(btf, number) for number in sizes} == sizes
    alignments = Alignments(btf)
    assert [alignments.of(number) for number in (1, 2, 3, 4, 5, 8, 16)] == [4, 8, 4, 8, 4, 8, 8]
    for unsized in (0, 7, 12, 13, 20):
        with pytest.raises(Malformed):
            size_of(btf, unsized)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (1, "int"),
        (2, "int *"),
        (3, "int[3]"),
        (4, "struct s"),
        (5, "union u"),
        (6, "enum e"),
        (7, "struct opaque"),
        (8, "t"),
        (9, "volatile struct s"),
        (10, "const struct s"),
        (13, ""),
        (19, "enum big"),
    ],
)
def test_c_names(number: int, name: str) -> None:
    assert c_name(Btf(every_kind("<").bytes()), number) == name


@pytest.mark.parametrize("order", ORDERS)
def test_a_type_made_of_itself_is_malformed(order: str) -> None:
    builder = Builder(order)
    builder.add(Kind.TYPEDEF, "a", 2)
    builder.add(Kind.CONST, "", 1)
    builder.add(Kind.ARRAY, "", 0, 3, 3, 2)
    builder.add(Kind.STRUCT, "s", 4, 0, 4, 0, items=1)
    btf = Btf(builder.bytes())
    for number in (1, 2, 3):
        with pytest.raises(Malformed, match="made of itself"):
            size_of(btf, number)
    assert [c_name(btf, number) for number in (1, 2, 3)] == ["a", "const a", ""]
    with pytest.raises(Malformed, match="made of itself"):
        Alignments(btf).of(4)


def test_a_packed_struct_has_alignment_1() -> None:
    builder = Builder("<")
    builder.add(Kind.INT, "int", 4, 32)
    builder.add(Kind.STRUCT, "odd", 5, 0, 1, 8, items=1)
    assert Alignments(Btf(builder.bytes())).of(2) == 1


def damaged(at: int, value: bytes) -> bytes:
    data = every_kind("<").bytes()
    return data[:at] + value + data[at + len(value) :]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "magic"),
        (b"\x9f\xeb\1\0", "truncated header"),
        (every_kind("<").bytes()[:-1], "beyond the data"),
        (damaged(28 + 3, b"\x1f"), "unknown kind 31"),
    ],
)
def test_malformed(data: bytes, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        Btf(data)


@given(st.sampled_from(ORDERS), st.lists(st.tuples(st.integers(24, 400), st.integers(0, 255)), max_size=6))
def test_mutants_raise_nothing_but_malformed(order: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(every_kind(order).bytes())
    for place, value in changes:
        data[place % len(data)] = value
    try:
        btf = Btf(bytes(data))
    except Malformed:
        return
    alignments = Alignments(btf)
    for number in range(len(btf)):
        for read in (lambda n: c_name(btf, n), lambda n: size_of(btf, n), alignments.of):
            with suppress(Malformed):
                read(number)


@pytest.mark.real
@pytest.mark.parametrize("name", ["sample.bpfel.o", "debug.bpfel.o", "sample.bpfeb.o"])
def test_types_agree_with_bpftool(name: str) -> None:
    dump = ["bpftool", "-j", "btf", "dump", "file", str(OBJECTS / name)]
    types = json.loads(subprocess.run(dump, check=True, capture_output=True).stdout)["types"]
    section = read_container((OBJECTS / name).read_bytes()).section(".BTF")
    assert section is not None
    ours = [(each.id, each.kind.name, each.name or "(anon)", each.size) for each in Btf(section.data)]
    assert ours == [(t["id"], t["kind"], t["name"], t.get("size", 0)) for t in types]
