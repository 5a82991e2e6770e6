"""Forward declarations at the end of BTF: in whichever order clang left them, they come out in one."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence

import pytest

from bpfgen import forwards
from bpfgen.bpf import btfrecords
from bpfgen.bpf.btf import Btf, Kind
from bpfgen.forwards import in_order

NAMES = ("zebra", "ant", "bee", "int")
"""Of the declarations; the last one is a name that another type has too."""


def btf(
    placed: Sequence[int], order: str = "<", more: Sequence[tuple[int, ...]] = (), known: Sequence[int] = ()
) -> bytes:
    """`int`; a pointer to each of `NAMES`, in their order; a typedef of the second; a struct of the pointers; and the
    declarations as `placed`. Members have the names of the `known`.
    """
    strings = b"\0int\0holder\0alias\0"
    offsets = {}
    for index in (*known, *(index for index in placed if index not in known)):
        name = NAMES[index].encode()
        if name != b"int":
            offsets[index] = len(strings)
            strings += name + b"\0"
    offsets[3] = 1
    first = 8
    number = {index: first + place for place, index in enumerate(placed)}
    types: list[tuple[int, ...]] = [(1, Kind.INT.value << 24, 4, 32)]
    types += [(0, Kind.PTR.value << 24, number[index]) for index in range(4)]
    types += [(12, Kind.TYPEDEF.value << 24, number[1])]
    types += [
        (
            5,
            Kind.STRUCT.value << 24 | 4,
            32,
            *(word for i in range(4) for word in (offsets[i] * (i in known), 2 + i, 64 * i)),
        )
    ]
    types += [(offsets[index], Kind.FWD.value << 24, 0) for index in placed]
    words = [word for each in (*types, *more) for word in each]
    head = struct.pack(f"{order}HBB5I", 0xEB9F, 1, 0, 24, 0, 4 * len(words), 4 * len(words), len(strings))
    return head + struct.pack(f"{order}{len(words)}I", *words) + strings


def named(data: bytes) -> list[str]:
    """What the pointers and the typedef lead to."""
    types = Btf(data)
    return [types.type(types.type(number).target).name for number in (2, 3, 4, 5, 6)]


@pytest.mark.parametrize("order", ["<", ">"])
def test_every_order_becomes_one(order: str) -> None:
    found = set()
    for placed in itertools.permutations(range(4)):
        before = btf(placed, order)
        after = in_order(before, b"", order)
        assert named(after) == named(before) == [*NAMES, "ant"]
        assert in_order(after, b"", order) == after
        found.add(after)
    (only,) = found
    assert only.endswith(b"ant\0bee\0zebra\0")


def test_names_that_others_have_too() -> None:
    """As where members are called like the structs that they point to."""
    for known in ((0,), (2, 1), (2, 0, 1)):
        found = {in_order(btf(placed, known=known), b"", "<") for placed in itertools.permutations(range(4))}
        (only,) = found
        assert [Btf(only).type(8 + place).name for place in range(4)] == sorted(NAMES)
        assert named(only) == [*NAMES, "ant"]


def core(type_id: int, order: str = "<") -> bytes:
    """`.BTF.ext` with a CO-RE relocation of a type."""
    record = struct.pack(f"{order}II4I", 16, 1, 0, type_id, 0, 0)
    section = record[:4] + struct.pack(f"{order}2I", 1, 1) + record[8:]
    return struct.pack(f"{order}HBB7I", 0xEB9F, 1, 0, 32, 0, 0, 0, 0, 0, len(section)) + section


def test_left_alone() -> None:
    """Where a CO-RE relocation begins at one of them, where something stands behind them, where bytes are missing."""
    unsorted = btf((0, 1, 2, 3))
    assert in_order(unsorted, core(7), "<") != unsorted
    assert in_order(unsorted, core(8), "<") == unsorted
    behind = btf((0, 1, 2, 3), more=[(0, Kind.PTR.value << 24, 1)])
    assert in_order(behind, b"", "<") == behind
    array = btf((0, 1, 2, 3)).replace(struct.pack("<3I", 0, 2, 0), struct.pack("<3I", 0, 9, 0))  # a member's type
    assert in_order(array, b"", "<") == array
    for size in range(len(unsorted)):
        assert in_order(unsorted[:size], b"", "<") == unsorted[:size]


def test_records_are_as_the_reader_has_them() -> None:
    """The tables here are BTF's once more: the reader's own take longer to import than a strip takes."""
    assert (forwards.FIXED, forwards.EACH) == (btfrecords._TAIL, btfrecords._TAIL_PER_ITEM)
    assert set(Kind) - btfrecords.SIZED - {Kind.VOID, Kind.ARRAY, Kind.FWD} == forwards.REFERS
