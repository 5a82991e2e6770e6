"""What is kept of a kernel's types for relocations, by the rules of `bpftool gen min_core_btf`: hand-made types."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Optional

import pytest
from btffile import Builder

from bpfgen.bpf.btf import Btf, Kind
from bpfgen.bpf.ciliumtypes import types_match
from bpfgen.bpf.core import CORE_KINDS
from bpfgen.bpf.corematch import Match
from bpfgen.bpf.kernel import KernelTypes
from bpfgen.bpf.object import BpfObject
from bpfgen.bpf.resolve import Resolver
from bpfgen.bpf.shapes import Shapes
from bpfgen.kernels.mincore import Marks

OBJECTS = Path(__file__).parent.parent / "data" / "objects"
ORDERS = ["<", ">"]
INT, SMALL, SMALL_POINTER, TASK, INNER, VECTOR, CONST, NAME, ENUM, CALL, CALL_POINTER, HANDLE, FLAGS = range(1, 14)
OFFSET, TYPE_EXISTS, ENUM_VALUE, MATCHES = map(
    CORE_KINDS.index, ("byte offset", "type existence", "enum value", "type match")
)


def kernel(order: str) -> KernelTypes:
    """`typedef struct small *(*handle)(struct task)`, and
    `struct task { struct { const pid_t pid; struct small *next; }; struct small two[2]; enum state state; int x: 3; }`.
    """
    btf = Builder(order)
    btf.add(Kind.INT, "int", 4, 32)
    btf.add(Kind.STRUCT, "small", 8, btf.name("a"), INT, 0, btf.name("b"), INT, 32, items=2)
    btf.add(Kind.PTR, "", SMALL)
    members = [0, INNER, 0, btf.name("two"), VECTOR, 128, btf.name("state"), ENUM, 256]
    btf.add(Kind.STRUCT, "task", 40, *members, btf.name("x"), FLAGS, 3 << 24 | 288, items=4, flag=True)
    btf.add(Kind.STRUCT, "", 16, btf.name("pid"), CONST, 0, btf.name("next"), SMALL_POINTER, 64, items=2)
    btf.add(Kind.ARRAY, "", 0, SMALL, INT, 2)
    btf.add(Kind.CONST, "", NAME)
    btf.add(Kind.TYPEDEF, "pid_t", INT)
    btf.add(Kind.ENUM, "state", 4, btf.name("ON"), 1, btf.name("OFF"), 0, items=2)
    btf.add(Kind.FUNC_PROTO, "", SMALL_POINTER, 0, TASK, items=1)
    btf.add(Kind.PTR, "", CALL)
    btf.add(Kind.TYPEDEF, "handle", CALL_POINTER)
    btf.add(Kind.INT, "unsigned int", 4, 32)
    return KernelTypes(btf.bytes())


def shown(data: bytes) -> dict[str, Optional[list[str]]]:
    """Types by name, or kind where they have none, with the names of members and values."""
    btf = Btf(data)
    found: dict[str, Optional[list[str]]] = {}
    for each in btf:
        names: Optional[list[str]] = None
        if each.kind in (Kind.STRUCT, Kind.UNION):
            names = [member.name for member in btf.members(each)]
        elif each.kind is Kind.ENUM:
            names = [value.name for value in btf.values(each)]
        found[each.name or each.kind.name.lower()] = names
    return found


PID: Mapping[str, Optional[list[str]]] = {"int": None, "task": [""], "struct": ["pid"], "const": None, "pid_t": None}
CASES = {
    "a field in a struct without a name": (OFFSET, TASK, ((TASK, 0), (INNER, 0)), PID),
    "a field that is a pointer": (
        OFFSET,
        TASK,
        ((TASK, 0), (INNER, 1)),
        {"ptr": None, "task": [""], "struct": ["next"]},
    ),
    "a field of an element": (
        OFFSET,
        TASK,
        ((TASK, 1), (VECTOR, 1), (SMALL, 1)),
        {"int": None, "small": ["b"], "task": ["two"], "array": None},
    ),
    "a bitfield": (OFFSET, TASK, ((TASK, 3),), {"task": ["x"], "unsigned int": None}),
    "a field that is an enum": (OFFSET, TASK, ((TASK, 2),), {"task": ["state"], "state": ["ON", "OFF"]}),
    "a value": (ENUM_VALUE, ENUM, ((ENUM, 1),), {"state": ["ON", "OFF"]}),
    "a struct": (TYPE_EXISTS, TASK, (), {"task": []}),
    "a pointer to a function": (
        TYPE_EXISTS,
        HANDLE,
        (),
        {"small": [], "ptr": None, "task": [], "func_proto": None, "handle": None},
    ),
    "a struct with all that is in it": (
        MATCHES,
        TASK,
        (),
        {
            **PID,
            "small": ["a", "b"],
            "ptr": None,
            "task": ["", "two", "state", "x"],
            "struct": ["pid", "next"],
            "array": None,
            "state": ["ON", "OFF"],
            "unsigned int": None,
        },
    ),
    "a struct behind a pointer": (MATCHES, SMALL_POINTER, (), {"small": [], "ptr": None}),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", CASES)
def test_what_is_kept(name: str, order: str) -> None:
    kind, root, steps, wanted = CASES[name]
    marks = Marks(kernel(order))
    marks.add(kind, Match("", root, steps, 0, root, 0, member=False))
    assert shown(marks.written()) == wanted


def test_places_and_sizes_stay() -> None:
    marks = Marks(kernel("<"))
    marks.add(OFFSET, Match("", TASK, ((TASK, 3),), 288, TASK, 3, member=True))
    marks.add(OFFSET, Match("", TASK, ((TASK, 0), (INNER, 1)), 64, INNER, 1, member=True))
    btf = Btf(marks.written())
    task, inner = (each for each in btf if each.kind is Kind.STRUCT)
    assert (task.size, inner.size) == (40, 16)
    assert [(each.name, each.offset, each.size) for each in btf.members(task)] == [("", 0, 0), ("x", 288, 3)]
    assert [(each.name, each.offset) for each in btf.members(inner)] == [("next", 64)]
    assert next(each.target for each in btf if each.kind is Kind.PTR) == 0


def test_a_type_made_of_itself_comes_to_an_end() -> None:
    btf = Builder("<")
    btf.add(Kind.TYPEDEF, "loop", 2)
    btf.add(Kind.CONST, "", 1)
    marks = Marks(KernelTypes(btf.bytes()))
    for kind in (TYPE_EXISTS, MATCHES):
        marks.add(kind, Match("", 1, (), 0, 1, 0, member=False))
    assert len(Btf(marks.written())) == 3


@pytest.mark.parametrize("order", ORDERS)
def test_cilium_looks_behind_pointers(order: str) -> None:
    """At the members that the program's type has, and no others."""
    own = Builder(order)
    own.add(Kind.INT, "int", 4, 32)
    own.add(Kind.STRUCT, "small", 4, own.name("b"), 1, 0, items=1)
    own.add(Kind.PTR, "", 2)
    own.add(Kind.STRUCT, "holder", 8, own.name("next"), 3, 0, items=1)
    local = Shapes(Btf(own.bytes()))
    theirs = Builder(order)
    theirs.add(Kind.INT, "int", 4, 32)
    theirs.add(Kind.STRUCT, "small", 8, theirs.name("a"), 1, 0, theirs.name("b"), 1, 32, items=2)
    theirs.add(Kind.PTR, "", 2)
    theirs.add(Kind.STRUCT, "holder", 16, theirs.name("more"), 1, 0, theirs.name("next"), 3, 64, items=2)
    whole = KernelTypes(theirs.bytes())
    assert types_match(local, 4, whole.shapes(""), 4, set())
    marks = Marks(whole)
    marks.alike(local, 4, 4)
    assert shown(marks.written()) == {"int": None, "small": ["b"], "ptr": None, "holder": ["next"]}
    assert types_match(local, 4, KernelTypes(marks.written()).shapes(""), 4, set())
    marks = Marks(whole)
    marks.match(4)  # libbpf compares names behind pointers
    assert not types_match(local, 4, KernelTypes(marks.written()).shapes(""), 4, set())


@pytest.mark.parametrize("loader", ["libbpf", "cilium"])
@pytest.mark.parametrize("name", ["core.bpfel", "core.bpfeb", "needs.bpfel", "needs.bpfeb"])
def test_relocations_have_the_same_outcome(name: str, loader: str) -> None:
    """With the object's own types as a kernel's, and with those of another object, which lacks most."""
    found = BpfObject((OBJECTS / f"{name}.o").read_bytes())
    other = BpfObject((OBJECTS / "sample.bpfel.o").read_bytes())
    resolver = Resolver(found, loader)
    for each in (found, other):
        assert each.btf is not None
        data = each.elf.section(".BTF").data  # type: ignore[union-attr]
        whole = KernelTypes(data)
        marks = Marks(whole)
        marks.record(found)
        written = marks.written()
        assert len(written) < len(data) // 2
        mine, theirs = resolver.resolve(KernelTypes(written)), resolver.resolve(whole)
        assert mine.keys() == theirs.keys()
        assert len(mine) == len(found.relocations)
        for place, outcome in mine.items():
            assert (outcome.state, outcome.value) == (theirs[place].state, theirs[place].value)
