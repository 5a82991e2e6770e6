"""Bindings like bpf2go's: names, constraints, types; tests/real/test_same_bindings.py has the original beside."""

from __future__ import annotations

import contextlib
import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpfgen import bindings
from bpfgen.bpf.btf import Btf
from bpfgen.cli import parse
from bpfgen.errors import Failure
from bpfgen.outputs import bpf2go
from bpfgen.outputs.bpf2go.constraints import constraint, serves
from bpfgen.outputs.bpf2go.gotypes import ArrayOf, Field, GoType, Plain, StructOf, text
from bpfgen.outputs.bpf2go.identifiers import Names, identifier
from bpfgen.outputs.bpf2go.layout import Layouts, Unsupported
from bpfgen.outputs.bpf2go.levels import LEVELS
from bpfgen.outputs.bpf2go.model import Declaration, Model, Options, common, read_model
from bpfgen.outputs.bpf2go.render import File, render
from bpfgen.project import load

DATA = Path(__file__).parents[1] / "data"
GOLDEN = Path(__file__).parents[1] / "golden"
LAYOUT = Field("_", Plain("structs.HostLayout"))
BYTE = Field("A", Plain("uint8"))
NESTED = """\
struct {
	_    structs.HostLayout
	Long struct {
		_ structs.HostLayout
		A uint8
	}
	B bool
}"""
SKIPPED = Field("_", ArrayOf(4, Plain("byte", "unsupported bitfield")))


@pytest.mark.parametrize(
    ("c", "go"),
    [
        ("cfg_pid", "CfgPid"),
        ("g_mode", "G_mode"),
        ("MODE_A", "MODE_A"),
        ("_prog_Two", "ProgTwo"),
        ("__a", "A"),
        ("a1_b", "A1B"),
        ("a__b", "A__b"),
        ("ab__c", "AbC"),
        ("a.b-c", "Abc"),
        ("_", ""),
        ("ärger_über", "ÄrgerÜber"),
        ("ßx", "ßx"),
    ],
)
def test_identifiers(c: str, go: str) -> None:
    assert identifier(c) == go


def test_names_of_a_stem() -> None:
    small, large = Names("foo"), Names("Foo")
    assert (small.load, small.load_objects, small.close, small.data) == (
        "loadFoo",
        "loadFooObjects",
        "_FooClose",
        "_FooBytes",
    )
    assert (large.load, large.load_objects, large.close, large.data) == (
        "LoadFoo",
        "LoadFooObjects",
        "_FooClose",
        "_FooBytes",
    )


@pytest.mark.parametrize(
    ("kind", "go"),
    [
        (Plain("uint32"), "uint32"),
        (ArrayOf(2, ArrayOf(3, Plain("int8"))), "[2][3]int8"),
        (Plain("[16]byte", "uint128"), "[16]byte /* uint128 */"),
        (StructOf(()), "struct{}"),
        (StructOf((LAYOUT,)), "struct{ _ structs.HostLayout }"),
        (StructOf((BYTE,)), "struct{ A uint8 }"),
        (StructOf((Field("A", StructOf((BYTE,))),)), "struct{ A struct{ A uint8 } }"),
        (StructOf((Field("A", Plain("x" * 29)),)), f"struct{{ A {'x' * 29} }}"),
        (StructOf((Field("A", Plain("x" * 30)),)), f"struct {{\n\tA {'x' * 30}\n}}"),
        (StructOf((SKIPPED,)), "struct {\n\t_ [4]byte /* unsupported bitfield */\n}"),
        (StructOf((LAYOUT, Field("Long", StructOf((LAYOUT, BYTE))), Field("B", Plain("bool")))), NESTED),
    ],
)
def test_text_of_types(kind: GoType, go: str) -> None:
    assert text(kind) == go


LITTLE = "386 || amd64 || arm || arm64 || loong64 || mips64le || mipsle || ppc64le || riscv64"


@pytest.mark.parametrize(
    ("target", "api", "tags", "expression"),
    [
        (("bpfel", None), "0.22", (), f"{LITTLE} || wasm"),
        (("bpfel", None), "0.18", (), LITTLE),
        (("bpfeb", None), "0.22", ("linux",), "(mips || mips64 || ppc64 || s390x) && linux"),
        (("bpfel", "x86"), "0.22", ("linux", "foo"), "(386 || amd64) && linux && foo"),
        (("bpfeb", "s390"), "0.22", ("linux",), "s390x && linux"),
        (("bpfel", ""), "0.22", (), "mips64le || mipsle"),
        (("bpfeb", "s390"), "0.22", ("a b,!c",), "s390x && (a || (b && !c))"),
    ],
)
def test_constraints(target: tuple[str, Any], api: str, tags: tuple[str, ...], expression: str) -> None:
    assert constraint(serves(*target, LEVELS[api]), tags) == expression


def test_no_constraint() -> None:
    assert constraint((), ()) == ""
    assert constraint((), ("linux windows",)) == "linux || windows"


def test_files_and_names() -> None:
    project = load(parse(["-C", str(GOLDEN / "bindings")]))
    found = bindings.bindings(project.config, project.units)
    assert {each.id: (each.base, each.stem, each.package, each.constraint) for each in found} == {
        "xdp-drop/bpfel": ("out/go/xdp_drop_bpfel", "xdp_drop", "programs", f"({LITTLE} || wasm) && linux"),
        "xdp-drop/bpfeb": (
            "out/go/xdp_drop_bpfeb",
            "xdp_drop",
            "programs",
            "(mips || mips64 || ppc64 || s390x) && linux",
        ),
        "Probe/x86_bpfel": _probe("x86_bpfel", "386 || amd64"),
        "Probe/bpfel": _probe("bpfel", "mips64le || mipsle"),
        "Probe/s390_bpfeb": _probe("s390_bpfeb", "s390x"),
        "here/bpfel": ("bpf_bpf", "bpf", "main", "linux"),
        "kernels/arm64_bpfel-lts510": _kernels("Lts510", "lts510"),
        "kernels/arm64_bpfel-lts510@debug": _kernels("Lts510Debug", "lts510_debug"),
        "kernels/arm64_bpfel-v6.1": _kernels("V61", "v6_1"),
        "kernels/arm64_bpfel-v6.1@debug": _kernels("V61Debug", "v6_1_debug"),
        "kernels/arm64_bpfel": _kernels("", ""),
        "kernels/arm64_bpfel@debug": _kernels("Debug", "debug"),
    }


def _probe(target: str, arches: str) -> tuple[str, str, str, str]:
    condition = (
        f"({arches}) && linux && (a || (b && !c))" if " " in arches else f"{arches} && linux && (a || (b && !c))"
    )
    return f"internal/probe/probe_{target}_test", "Probe", "probe", condition


def _kernels(stem: str, file: str) -> tuple[str, str, str, str]:
    return (
        f"out/go/{'_'.join(filter(None, ['kernels', file]))}_arm64_bpfel",
        f"kernels{stem}",
        "programs",
        "arm64 && linux",
    )


def plan(*bases: str, api: str = "0.22", **more: Any) -> dict[str, Any]:
    """A plan with bindings of one object at these paths."""
    entry = {
        "stem": "sample",
        "explain": "",
        "header": "// Code generated by bpfgen 1; DO NOT EDIT.",
        "constraint": "linux",
        "package": "main",
        "types": [],
        "global_types": True,
        "object": str(DATA / "objects/sample.bpfel.o"),
        **more,
    }
    files = [{**entry, "base": base} for base in bases]
    return {"bpf2go": {"api": api, "from": "embed", "files": files, "selectors": []}}


@pytest.mark.parametrize("api", LEVELS)
@pytest.mark.parametrize("name", ["sample.bpfel", "sample.bpfeb", "legacy.bpfel", "core.bpfel"])
def test_golden(name: str, api: str, tmp_path: Path, update: bool) -> None:
    """One file for each level; the original's is compared with elsewhere."""
    # core.c has a map whose value is a pointer.
    more = {"object": str(DATA / f"objects/{name}.o"), "global_types": not name.startswith("core")}
    bpf2go.write(plan(str(tmp_path / "x"), api=api, **more))
    expected = DATA / f"bpf2go/{name}-{api}.go.txt"
    text = (tmp_path / "x.go").read_text(encoding="utf-8")
    if update:
        expected.parent.mkdir(exist_ok=True)
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")
    assert (tmp_path / "x.o").read_bytes() == (DATA / f"objects/{name}.o").read_bytes()


def test_nothing_is_written_twice(tmp_path: Path) -> None:
    once = plan(str(tmp_path / "a"), str(tmp_path / "b/c"))
    bpf2go.write(once)
    before = {path: os.stat(path).st_ino for path in tmp_path.rglob("*")}
    assert sorted(str(path) for path in before if path.is_file()) == sorted(bpf2go.files(once["bpf2go"]))
    bpf2go.write(json.loads(json.dumps(once)))
    assert {path: os.stat(path).st_ino for path in tmp_path.rglob("*")} == before


def test_bpf2gos_files_are_replaced_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "theirs.go").write_text("// Code generated by bpf2go; DO NOT EDIT.\npackage x\n")
    (tmp_path / "mine.go").write_text("package x\n")
    (tmp_path / "tool.go").write_text("// Code generated by another; DO NOT EDIT.\n")
    bpf2go.write(plan(str(tmp_path / "theirs")))
    assert "sampleObjects" in (tmp_path / "theirs.go").read_text()
    with pytest.raises(Failure, match="made neither by bpfgen nor by bpf2go") as failure:
        bpf2go.write(plan(str(tmp_path / "new"), str(tmp_path / "mine"), str(tmp_path / "tool")))
    assert len(failure.value.problems) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.go", "theirs.go", "theirs.o", "tool.go"]
    assert (tmp_path / "mine.go").read_text() == "package x\n"


def test_every_type_that_cant_be_is_named(tmp_path: Path) -> None:
    """Also where they are of two objects; then nothing is written."""
    with pytest.raises(Failure) as failure:
        bpf2go.write(plan(str(tmp_path / "a"), types=["nosuch", "nor_this"]))
    assert [problem.message for problem in failure.value.problems] == [
        'there is no C type "nor_this" in it',
        'there is no C type "nosuch" in it',
    ]
    assert not list(tmp_path.iterdir())


def test_a_selector_has_what_all_kernels_have() -> None:
    """A type goes with one that it refers to."""
    same = Declaration("cSame", Plain("uint8"), ())
    old, new = (Declaration("cInner", Plain(word), ()) for word in ("uint8", "uint16"))
    outer = Declaration("cOuter", StructOf((Field("A", ArrayOf(2, Plain("cInner"))),)), ())
    one = Model(("a", "b"), ("p",), ("v", "w"), (old, outer, same))
    two = Model(("b", "c"), ("p", "q"), ("w",), (new, outer, same))
    assert common([one, two]) == Model(("b",), ("p",), ("w",), (same,))
    assert common([one]) == one


OBJECTS = [(DATA / f"objects/{name}.o").read_bytes() for name in ("sample.bpfel", "sample.bpfeb", "core.bpfel")]
EDITS = st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), max_size=20)


@given(st.sampled_from(OBJECTS), EDITS, st.booleans())
def test_damaged_objects_give_a_message(data: bytes, edits: list[tuple[int, int]], types: bool) -> None:
    """Whatever the bytes are: bindings, or problems."""
    damaged = bytearray(data)
    for at, value in edits:
        damaged[at % len(damaged)] = value
    names = ("event", "tree") if types else ()
    with contextlib.suppress(Failure):
        model = read_model(bytes(damaged), "x.o", Options("x", names, global_types=True), LEVELS["0.22"])
        assert render(File("//", "", "x", "x.o"), "x", model, LEVELS["0.22"])


def btf(*records: bytes, strings: bytes) -> Btf:
    """BTF of these type records."""
    types = b"".join(records)
    return Btf(struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(strings)) + types + strings)


def test_structs_that_double_end() -> None:
    """30 structs, each with two of the one before: 2 to the power of 30 fields."""
    strings = b"\0a\0b\0"
    records = [struct.pack("<IIIIIIIII", 1, 4 << 24 | 2, 0, 1, n or 31, 0, 3, n or 31, 0) for n in range(30)]
    empty = struct.pack("<III", 1, 4 << 24, 0)
    layouts = Layouts(btf(*records, empty, strings=strings), {}, host_layout=True)
    with pytest.raises(Unsupported, match="has more than 100000 fields"):
        layouts.declared(30)
