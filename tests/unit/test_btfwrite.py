"""What the writer of BTF writes, the reader reads back: whole sections, and chosen types of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from btffile import Builder, every_kind
from hypothesis import given
from hypothesis import strategies as st

from bpfgen.bpf.btf import Btf, Kind, Member, Type
from bpfgen.bpf.btfrecords import ITEMS, LAYOUTS, REFERRING
from bpfgen.bpf.btfwrite import write
from bpfgen.bpf.malformed import Malformed

ORDERS = ["<", ">"]
WORD = st.integers(0, 2**32 - 1)
NAME = st.sampled_from(["", "a", "ab", "b", "task_struct", "größe"])


def meaning(btf: Btf, found: Type, known: dict[int, int]) -> tuple[Any, ...]:
    """A type with its strings as text and its references as `known` has them; void for the others."""
    letters = LAYOUTS.get(found.kind, "")
    own = list(enumerate(btf.own_words(found)))
    read: dict[str, Callable[[int], Any]] = {"n": btf.text, "r": lambda number: known.get(number, 0), "w": int}
    words = [read[letters[index % len(letters)]](word) for index, word in own]
    target = known.get(found.target, 0) if found.kind in REFERRING else found.target
    return (found.kind, found.name, found.items, found.flag, found.size, target, words)


def everything(btf: Btf) -> list[tuple[Any, ...]]:
    """Every type, with its references as they are."""
    return [meaning(btf, each, {number: number for number in range(len(btf))}) for each in btf]


@st.composite
def sections(draw: st.DrawFn) -> Btf:
    """Types of every kind with any words in them; references are to types that are there."""
    order, count = draw(st.sampled_from(ORDERS)), draw(st.integers(0, 8))
    btf, reference = Builder(order), st.integers(0, count)
    for _ in range(count):
        kind = draw(st.sampled_from(list(Kind)[1:]))
        items = draw(st.integers(0, 3)) if kind in ITEMS else 0
        letters = LAYOUTS.get(kind, "") * (items if kind in ITEMS else 1)
        drawn = {"n": NAME.map(lambda text: btf.name(text) if text else 0), "r": reference, "w": WORD}
        words = [draw(drawn[letter]) for letter in letters]
        last = draw(reference if kind in REFERRING else WORD)
        btf.add(kind, draw(NAME), last, *words, items=items, flag=draw(st.booleans()))
    return Btf(btf.bytes())


@given(sections())
def test_a_whole_section_is_read_back(btf: Btf) -> None:
    written = Btf(write(btf, dict.fromkeys(range(1, len(btf)))))
    assert written.order == btf.order
    assert everything(written) == everything(btf)
    strings = written.strings.split(b"\0")[:-1]
    assert len(set(strings)) == len(strings)  # each once


@given(sections(), st.data())
def test_chosen_types_are_as_they_were(btf: Btf, data: st.DataObject) -> None:
    kept = data.draw(st.sets(st.integers(1, len(btf) - 1))) if len(btf) > 1 else set()
    written = Btf(write(btf, dict.fromkeys(kept)))
    ids = {old: new for new, old in enumerate(sorted(kept), 1)}
    assert everything(written) == [meaning(btf, btf.type(number), ids) for number in sorted(kept)]


@pytest.mark.parametrize("order", ORDERS)
def test_members_and_values_are_chosen(order: str) -> None:
    btf = Btf(every_kind(order).bytes())
    written = Btf(write(btf, {1: None, 4: {1}, 5: set(), 6: {0}}))
    number, struct, union, enum = written
    assert (number.kind, number.name, number.size) == (Kind.INT, "int", 4)
    assert (struct.name, struct.size) == ("s", 16)
    assert written.members(struct) == (Member("p", 0, 64),)  # the pointer is gone, its place isn't
    assert (union.size, union.items, union.flag) == (4, 0, False)  # no bitfield is left
    assert [value.name for value in written.values(enum)] == ["ONE"]


def test_nothing_is_a_section_too() -> None:
    assert list(Btf(write(Btf(every_kind("<").bytes()), {}))) == []


def test_damage_is_refused() -> None:
    pointer = Builder("<")
    pointer.add(Kind.PTR, "", 7)
    nameless = Builder("<")
    nameless.add(Kind.INT, "int", 4, 32)
    nameless.strings = b"\0"
    for damaged in (pointer, nameless):
        with pytest.raises(Malformed):
            write(Btf(damaged.bytes()), {1: None})
