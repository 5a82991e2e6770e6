"""`vmlinux.h` of BTF: what C is written, in which order, and that clang lays it out as the kernel did."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from btffile import Builder
from hypothesis import given, settings
from hypothesis import strategies as st
from layouts import Reader

from bpfgen.bpf.btf import Btf, Kind
from bpfgen.bpf.container import read_container
from bpfgen.bpf.malformed import Malformed
from bpfgen.cc.declarations import parse
from bpfgen.kernels.header import HEAD, TAIL, header
from bpfgen.kernels.padding import filling

U8, U32, U64 = 1, 2, 3


def builder() -> Builder:
    """With three numbers: the ids 1 to 3."""
    btf = Builder("<")
    btf.add(Kind.INT, "unsigned char", 1, 8)
    btf.add(Kind.INT, "unsigned int", 4, 32)
    btf.add(Kind.INT, "long unsigned int", 8, 64)
    return btf


def text(btf: Builder) -> str:
    """The header without what is always there; bpfgen's own reader of headers understands it."""
    made = header(Btf(btf.bytes()))
    parse(made.encode())
    assert made.startswith(HEAD)
    assert made.endswith(TAIL)
    return made[len(HEAD) : -len(TAIL)]


def struct(btf: Builder, name: str, size: int, *members: tuple[str, int, int], kind: Kind = Kind.STRUCT) -> None:
    """Members by name, type and offset in bits; the size of a bit-field is in the upper 8 of the offset."""
    words = [word for label, target, offset in members for word in (btf.name(label) if label else 0, target, offset)]
    btf.add(kind, name, size, *words, items=len(members), flag=any(offset >> 24 for _, _, offset in members))


def test_the_order_is_what_c_needs() -> None:
    """A struct within a struct comes first, one behind a pointer is declared first, a typedef before its use."""
    btf = builder()
    struct(btf, "outer", 24, ("in", 6, 0), ("next", 5, 64), ("number", 7, 128))  # 4
    btf.add(Kind.PTR, "", 8)  # 5
    struct(btf, "inner", 8, ("value", U64, 0))  # 6
    btf.add(Kind.TYPEDEF, "u64", U64)  # 7
    struct(btf, "other", 8, ("back", 9, 0))  # 8
    btf.add(Kind.PTR, "", 4)  # 9
    assert text(btf) == (
        "struct inner {\n\tlong unsigned int value;\n};\n\n"
        "typedef long unsigned int u64;\n\n"
        "struct other;\n\n"
        "struct outer {\n\tstruct inner in;\n\tstruct other *next;\n\tu64 number;\n};\n\n"
        "struct other {\n\tstruct outer *back;\n};\n\n"
    )


def test_declarators() -> None:
    """Pointers, arrays and functions, within each other."""
    btf = builder()
    btf.add(Kind.PTR, "", U8)  # 4
    btf.add(Kind.ARRAY, "", 0, 4, U32, 2)  # 5: unsigned char *[2]
    btf.add(Kind.ARRAY, "", 0, 5, U32, 3)  # 6: unsigned char *[3][2]
    btf.add(Kind.PTR, "", 6)  # 7
    btf.add(Kind.CONST, "", 4)  # 8
    btf.add(Kind.PTR, "", 8)  # 9: unsigned char * const *
    btf.add(Kind.FUNC_PROTO, "", 4, btf.name("a"), 9, 0, 0, items=2)  # 10
    btf.add(Kind.PTR, "", 10)  # 11
    btf.add(Kind.ARRAY, "", 0, 11, U32, 4)  # 12
    btf.add(Kind.FUNC_PROTO, "", 0)  # 13
    btf.add(Kind.PTR, "", 13)  # 14
    btf.add(Kind.FUNC_PROTO, "", 14, 0, 14, items=1)  # 15
    btf.add(Kind.VOLATILE, "", U8)  # 16
    btf.add(Kind.CONST, "", 16)  # 17
    btf.add(Kind.PTR, "", 17)  # 18
    btf.add(Kind.RESTRICT, "", 18)  # 19
    btf.add(Kind.TYPE_TAG, "user", U8)  # 20
    btf.add(Kind.PTR, "", 20)  # 21
    for name, target in (("t1", 6), ("t2", 7), ("t3", 12), ("t4", 15), ("t5", 19), ("t6", 13), ("t7", 21)):
        btf.add(Kind.TYPEDEF, name, target)
    assert text(btf).split("\n\n")[:-1] == [
        "typedef unsigned char *t1[3][2];",
        "typedef unsigned char *(*t2)[3][2];",
        "typedef unsigned char *(*t3[4])(unsigned char *const *a, ...);",
        "typedef void (*t4(void (*)(void)))(void);",
        "typedef volatile const unsigned char *restrict t5;",
        "typedef void t6(void);",
        'typedef unsigned char __attribute__((btf_type_tag("user"))) *t7;',
    ]


def test_layouts() -> None:
    """Gaps, bit-fields, packed ones, and what has no name."""
    btf = builder()
    struct(btf, "gap", 24, ("a", U8, 0), ("b", U32, 64))  # 4
    struct(btf, "packed", 5, ("a", U8, 0), ("b", U32, 8))  # 5
    struct(btf, "bits", 8, ("a", U32, 3 << 24), ("b", U32, 5 << 24 | 8), ("c", U8, 16))  # 6
    struct(btf, "", 4, ("x", U32, 0))  # 7
    struct(btf, "", 8, ("y", U64, 0), ("", 7, 0), kind=Kind.UNION)  # 8
    struct(btf, "nest", 16, ("", 8, 0), ("z", U8, 64))  # 9
    struct(btf, "wide", 16, ("a", U8, 0), kind=Kind.UNION)  # 10
    struct(btf, "small", 5, ("a", U32, 0), ("b", U8, 0), kind=Kind.UNION)  # 11
    struct(btf, "empty", 0)  # 12
    assert text(btf).replace("\t", "").split("\n\n")[:-1] == [
        "struct gap {\nunsigned char a;\nlong: 56;\nunsigned int b;\nint: 32;\nlong: 64;\n};",
        "struct packed {\nunsigned char a;\nunsigned int b;\n} __attribute__((packed));",
        "struct bits {\nunsigned int a: 3;\nchar: 5;\nunsigned int b: 5;\nunsigned char c;\nlong: 40;\n};",
        "struct nest {\nunion {\nlong unsigned int y;\nstruct {\nunsigned int x;\n};\n};\nunsigned char z;\n};",
        "union wide {\nunsigned char a;\nstruct { long: 64; long: 64; };\n};",
        "union small {\nunsigned int a;\nunsigned char b;\nstruct { long: 40; };\n} __attribute__((packed));",
        "struct empty {};",
    ]


def test_enums() -> None:
    """Signs, sizes, and values that stand for themselves."""
    btf = builder()
    btf.add(Kind.ENUM, "sign", 4, btf.name("MINUS"), 0xFFFFFFFF, items=1, flag=True)
    btf.add(Kind.ENUM, "byte", 1, btf.name("B"), 1, items=1)
    btf.add(Kind.ENUM64, "huge", 8, btf.name("H"), 0, 1, items=1)
    btf.add(Kind.ENUM64, "word", 8, btf.name("W"), 1, 0, items=1)
    btf.add(Kind.ENUM, "", 4, btf.name("ALONE"), 7, items=1)
    btf.add(Kind.ENUM, "", 4, btf.name("INNER"), 8, items=1)  # 9
    btf.add(Kind.TYPEDEF, "inner", 9)
    btf.add(Kind.ENUM, "later", 4)
    assert text(btf).split("\n\n")[:-1] == [
        "enum sign {\n\tMINUS = -1,\n};",
        "enum byte {\n\tB = 1,\n} __attribute__((mode(byte)));",
        "enum huge {\n\tH = 4294967296ULL,\n};",
        "enum word {\n\tW = 1ULL,\n} __attribute__((mode(word)));",
        "typedef enum {\n\tINNER = 8,\n} inner;",
        "enum later;",
        "enum {\n\tALONE = 7,\n};",
    ]


def test_names_that_several_have() -> None:
    """The first one keeps it; a declaration alone is of the one that is defined."""
    btf = builder()
    struct(btf, "one", 4, ("a", U32, 0))
    struct(btf, "one", 8, ("b", U64, 0))
    btf.add(Kind.FWD, "one", 0)  # 6
    btf.add(Kind.PTR, "", 6)
    btf.add(Kind.TYPEDEF, "p", 7)
    btf.add(Kind.TYPEDEF, "p", 5)
    btf.add(Kind.ENUM, "", 4, btf.name("p"), 1, items=1)
    btf.add(Kind.INT, "__Poly8_t", 1, 8)  # 11
    btf.add(Kind.TYPEDEF, "core::fmt", 11)
    assert text(btf).split("\n\n")[:-1] == [
        "struct one {\n\tunsigned int a;\n};",
        "struct one___2 {\n\tlong unsigned int b;\n};",
        "typedef struct one *p;",
        "typedef struct one___2 p___2;",
        "typedef unsigned char core__fmt;",
        "enum {\n\tp___3 = 1,\n};",
    ]


def loop(*targets: int) -> Builder:
    """Types that lead to each other without an end."""
    btf = builder()
    for number, target in enumerate(targets):
        btf.add(Kind.TYPEDEF if number == 0 else Kind.PTR, "t" if number == 0 else "", target)
    return btf


def test_what_c_can_not_say() -> None:
    """Loops, types that aren't there, and types that contain each other a billion times: an error, soon."""
    around = builder()
    struct(around, "a", 8, ("b", 5, 0))
    struct(around, "b", 8, ("a", 4, 0))
    deep = builder()
    for number in range(40):
        target = 3 + number
        struct(deep, "" if number < 39 else "top", 8, ("a", target, 0), ("b", target, 0))
    of_function = builder()
    of_function.add(Kind.FUNC, "f", 1)
    of_function.add(Kind.TYPEDEF, "t", 4)
    for btf in (loop(4), loop(5, 5), loop(5, 6, 5), loop(99), around, deep, of_function):
        with pytest.raises(Malformed):
            header(Btf(btf.bytes()))


@given(st.integers(0, 600), st.integers(0, 600))
def test_gaps_are_filled(start: int, end: int) -> None:
    """Each bit-field within one unit of its type: so it is where the one before ends."""
    at = start
    for part in filling(start, end):
        name, width = part.rstrip(";").split(": ")
        unit = {"long": 64, "int": 32, "short": 16, "char": 8}[name]
        assert at % unit + int(width) <= unit
        at += int(width)
    assert at == max(start, end)


TYPES = (
    "char",
    "short",
    "int",
    "long long",
    "void *",
    "_Bool",
    "unsigned char",
    "enum e",
    "struct odd",
    "int (*)(void)",
)
ATTRIBUTES = (
    "",
    "",
    "",
    "__attribute__((packed))",
    "__attribute__((aligned(16)))",
    "__attribute__((packed, aligned(4)))",
)


@st.composite
def source(draw: st.DrawFn, depth: int = 0) -> str:
    """The body of a struct or union in C, of anything that kernels have in theirs."""
    lines = []
    for number in range(draw(st.integers(1, 5))):
        name = f"m{depth}_{number}"
        form = draw(st.integers(0, 9))
        attribute = draw(st.sampled_from(("", "", "", " __attribute__((aligned(8)))", " __attribute__((packed))")))
        if form < 3:
            kind, most = draw(st.sampled_from((("unsigned char", 8), ("int", 32), ("long long", 64), ("short", 16))))
            lines.append(f"{kind} {name}: {draw(st.integers(1, most))};")
        elif form == 3:
            lines.append(f"{draw(st.sampled_from(('int', 'char', 'long')))}: 0;")
        elif form < 6 and depth < 2:
            word = draw(st.sampled_from(("struct", "union")))
            inner, whole = draw(source(depth + 1)), draw(st.sampled_from(ATTRIBUTES))
            named = name if draw(st.booleans()) else ""
            inner = re.sub(r"\bm(?=\d)", f"m{number}_", inner)
            lines.append(f"{word} {{ {inner} }} {whole} {named};")
        else:
            kind = draw(st.sampled_from(TYPES))
            length = draw(st.sampled_from(("", "", "[3]", "[0]", "[2][2]")))
            inner = f"(*{name}{length})(void)" if "(*)" in kind else f"{name}{length}"
            lines.append(f"{kind.partition('(*)')[0]} {inner}{attribute};")
    return " ".join(lines)


def compiled(folder: Path, code: str) -> Btf:
    """The types of C code, by clang for BPF."""
    (folder / "x.c").write_text(code, encoding="utf-8")
    words = ["clang-19", "-target", "bpf", "-g", "-O2", "-Werror", "-fms-extensions", "-c", "x.c", "-o", "x.o"]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
    section = read_container((folder / "x.o").read_bytes()).section(".BTF")
    assert section is not None
    return Btf(section.data)


@pytest.mark.real
@settings(max_examples=60)
@given(body=source(), word=st.sampled_from(("struct", "union")), whole=st.sampled_from(ATTRIBUTES))
def test_clang_puts_members_where_they_were(
    tmp_path_factory: pytest.TempPathFactory, body: str, word: str, whole: str
) -> None:
    """C → BTF → header → BTF: the same places."""
    folder = tmp_path_factory.mktemp("layout")
    own = "enum e { A, B = 1 << 20 }; struct odd { int a; char b; } __attribute__((packed));\n"
    users = f"{word} top *p; struct after {{ char c; {word} top t; char d; {word} top many[2]; }} *q;\n"
    first = compiled(folder, f"{own}{word} top {{ {body} }} {whole};\n{users}")
    again = compiled(folder, header(first) + f"{word} top *p; struct after *q;\n")
    assert Reader(again).all() == Reader(first).all()
