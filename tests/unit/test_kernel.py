"""The types of a kernel and its modules, found by name."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from btffile import Builder

from bpfgen.bpf.btf import Btf, Kind
from bpfgen.bpf.core import essential_name
from bpfgen.bpf.kernel import Field, KernelTypes, enum_value, field
from bpfgen.bpf.malformed import Malformed

VMLINUX = Path("/sys/kernel/btf/vmlinux")
ORDERS = ["<", ">"]


def kernel(order: str) -> Builder:
    """`task_struct` with an anonymous union, bitfields and an array; a second one with a flavour."""
    btf = Builder(order)
    number = btf.add(Kind.INT, "int", 4, 32)
    array = btf.add(Kind.ARRAY, "", 0, number, number, 4)
    inner = btf.add(Kind.UNION, "", 16, btf.name("pid"), number, 0, btf.name("cb"), array, 0, items=2)
    bits = btf.add(Kind.STRUCT, "flags", 4, btf.name("low"), number, 3 << 24, btf.name("high"), number, 5 << 24 | 3,
                   items=2, flag=True)  # fmt: skip
    flags = btf.add(Kind.CONST, "", bits)
    btf.add(Kind.STRUCT, "task_struct", 24, 0, inner, 0, btf.name("flags"), flags, 128, items=2)
    btf.add(Kind.STRUCT, "task_struct___old", 4, btf.name("pid"), number, 0, items=1)
    btf.add(Kind.FWD, "task_struct", 0)
    btf.add(Kind.ENUM, "bpf_func_id", 4, btf.name("ONE"), 1, btf.name("LOOP___x"), 181, items=2)
    prototype = btf.add(Kind.FUNC_PROTO, "", number)
    btf.add(Kind.FUNC, "do_exit", prototype, items=1)
    return btf


def module(base: Builder) -> Builder:
    btf = Builder(base.order, base)
    btf.add(Kind.STRUCT, "nf_conn", 4, btf.name("mark"), 1, 0, items=1)
    btf.add(Kind.STRUCT, "task_struct", 4, btf.name("mark"), 1, 0, items=1)
    btf.add(Kind.FUNC, "nf_run", 10, items=1)
    return btf


@pytest.fixture(params=ORDERS)
def types(request: pytest.FixtureRequest) -> KernelTypes:
    builder = kernel(request.param)
    return KernelTypes(builder.bytes(), {"nf": module(builder).bytes})


def test_types_by_name(types: KernelTypes) -> None:
    assert [each.type.id for each in types.find("task_struct", Kind.STRUCT)] == [6]
    assert [each.type.kind for each in types.find("task_struct")] == [Kind.STRUCT, Kind.FWD]
    assert types.find("nothing") == ()
    assert types.find("nf_conn") == ()


def test_candidates_leave_flavours_out(types: KernelTypes) -> None:
    for name in ("task_struct", "task_struct___new", "task_struct___old"):
        found = types.candidates(name, Kind.STRUCT)
        assert [(each.type.name, each.module) for each in found] == [("task_struct", ""), ("task_struct___old", "")]


def test_modules_are_asked_where_the_kernel_has_nothing(types: KernelTypes) -> None:
    (found,) = types.candidates("nf_conn___mine", Kind.STRUCT)
    assert (found.module, found.type.id) == ("nf", 12)
    assert field(found.btf, found.type.id, "mark") == Field(0, 32, 1)


def test_modules_are_read_when_they_are_needed() -> None:
    opened: list[str] = []
    builder = kernel("<")

    def read() -> bytes:
        opened.append("nf")
        return module(builder).bytes()

    types = KernelTypes(builder.bytes(), {"nf": read})
    assert types.candidates("task_struct")
    assert types.function("do_exit")
    assert opened == []
    for _ in range(2):
        found = types.function("nf_run")
        assert found is not None
        assert found.module == "nf"
    assert types.function("nf_missing") is None
    assert opened == ["nf"]


def test_fields(types: KernelTypes) -> None:
    expected = {
        "pid": Field(0, 32, 1),
        "cb": Field(0, 128, 2),
        "cb[3]": Field(96, 32, 1),
        "flags": Field(128, 32, 5),
        "flags.high": Field(131, 5, 1),
        "flags.middle": None,
        "cb.x": None,
        "pid[0]": None,
    }
    assert {path: field(types.kernel, 6, path) for path in expected} == expected


def test_enum_values(types: KernelTypes) -> None:
    (found,) = types.find("bpf_func_id", Kind.ENUM)
    names = ("ONE", "LOOP", "LOOP___y", "TWO")
    assert [enum_value(found.btf, found.type.id, name) for name in names] == [1, 181, 181, None]
    assert enum_value(found.btf, 1, "ONE") is None


@pytest.mark.parametrize(
    ("name", "essential"),
    [("a", "a"), ("a___b", "a"), ("a___b___c", "a___b"), ("a____b", "a____b"), ("___a", "___a"), ("a___", "a___")],
)
def test_essential_names(name: str, essential: str) -> None:
    assert essential_name(name) == essential


def test_structs_within_each_other_end() -> None:
    btf = Builder("<")
    btf.add(Kind.STRUCT, "s", 8, 0, 1, 0, 0, 1, 32, items=2)
    assert field(Btf(btf.bytes()), 1, "x") is None
    for number in range(1, 400):
        btf.add(Kind.STRUCT, "", 8, 0, number + 2, 0, 0, number + 2, 32, items=2)
    btf.add(Kind.INT, "int", 4, 32)
    with pytest.raises(Malformed, match="without a name in each other"):
        field(Btf(btf.bytes()), 2, "x")


@pytest.mark.real
def test_the_running_kernel(tmp_path: Path) -> None:
    """Every struct, union and enum as bpftool reads them, by name."""
    if not VMLINUX.exists():
        pytest.skip(f"no {VMLINUX}")
    dump = subprocess.run(
        ["bpftool", "-j", "btf", "dump", "file", str(VMLINUX)], check=True, capture_output=True
    ).stdout
    theirs: list[dict[str, Any]] = json.loads(dump)["types"]
    types = KernelTypes(VMLINUX.read_bytes())
    btf = types.kernel
    assert len(btf) == len(theirs) + 1
    assert Counter(each.kind.name for each in btf) == Counter(each["kind"] for each in theirs)
    for each in theirs:
        if each["kind"] in ("STRUCT", "UNION"):
            members = [(m.name or "(anon)", m.type, m.offset, m.size) for m in btf.members(btf.type(each["id"]))]
            wanted = [(m["name"], m["type_id"], m["bits_offset"], m.get("bitfield_size", 0)) for m in each["members"]]
            assert members == wanted, each["name"]
        elif each["kind"] in ("ENUM", "ENUM64"):
            # bpftool 7.1 writes an unsigned value of 32 bits as if it were signed.
            bits = (1 << 32) - 1 if each["kind"] == "ENUM" else -1
            values = [(v.name, v.number & bits) for v in btf.values(btf.type(each["id"]))]
            assert values == [(v["name"], v["val"] & bits) for v in each["values"]], each["name"]
    by_name: dict[str, list[int]] = {}
    for each in theirs:
        by_name.setdefault(each["name"], []).append(each["id"])
    by_name.pop("(anon)")
    sample = sorted(by_name)[::50]
    assert {name: [found.type.id for found in types.find(name)] for name in sample} == {n: by_name[n] for n in sample}
