"""Random C structs, and what Go must say of their layout: a file of checks that compiles only where it agrees."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from bpfgen.bpf.btf import MODIFIERS, Btf, Kind, Type
from bpfgen.bpf.layout import size_of
from bpfgen.outputs.bpf2go.identifiers import identifier

HEAD = """\
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef unsigned long long u64;
typedef signed char s8; typedef short s16; typedef int s32; typedef long long s64;
enum small { SMALL_A, SMALL_B = 7 }; enum wide { WIDE_A = 1ULL << 40, WIDE_B }; enum less { LESS_A = -1, LESS_B };
"""
MAP = """\
struct {
  int (*type)[1]; int (*max_entries)[1]; u32 *key; struct sN *value;
} mN __attribute__((section(".maps"), used));
"""
SCALARS: tuple[str, ...] = (
    "u8",
    "u16",
    "u32",
    "u64",
    "s8",
    "s16",
    "s32",
    "s64",
    "_Bool",
    "__int128",
    "enum small",
    "enum wide",
)
SCALARS += ("enum less",)
BITS = {"u8": 8, "u16": 16, "u32": 32, "u64": 64, "s32": 32}
ALIGNMENTS = (1, 2, 4, 8, 16, 32, 64)


@st.composite
def member(draw: DrawFn, name: str, known: tuple[str, ...], depth: int) -> str:
    """A member's declaration; `known` are the names of structs that come before."""
    kind = draw(st.sampled_from(["scalar", "scalar", "bits", "array", "struct", "union", "nameless", "known"]))
    if kind == "bits":
        base = draw(st.sampled_from(sorted(BITS)))
        width = draw(st.integers(0, BITS[base]))
        return f"{base} {name if width else ''} : {width};"
    if kind == "known" and known:
        return f"struct {draw(st.sampled_from(known))} {name};"
    if kind in {"struct", "union", "nameless"} and depth:
        inner = draw(body(known, depth - 1, f"{name}_"))
        if kind == "nameless":  # only a union may have no name
            return f"union {{ u64 {name}; {inner} }};"
        return f"{kind} {{ {inner} }} {name};"
    align = draw(st.sampled_from(["", "", "", *(f" __attribute__((aligned({n})))" for n in ALIGNMENTS)]))
    length = (
        "".join(f"[{n}]" for n in draw(st.lists(st.integers(1, 4), min_size=1, max_size=2))) if kind == "array" else ""
    )
    return f"{draw(st.sampled_from(SCALARS))} {name}{length}{align};"


@st.composite
def body(draw: DrawFn, known: tuple[str, ...], depth: int, prefix: str) -> str:
    """Members; the first one is no bit-field, for an empty struct is another matter."""
    count = draw(st.integers(0, 5))
    first = f"{draw(st.sampled_from(SCALARS))} {prefix}f;"
    return " ".join([first, *(draw(member(f"{prefix}m{index}", known, depth)) for index in range(count))])


@st.composite
def source(draw: DrawFn, packed: bool = False) -> str:
    """A C file of structs `s0`, `s1`, …, each with a variable that makes clang keep it."""
    lines, known = [HEAD], list[str]()
    for index in range(draw(st.integers(5, 25))):
        words = ["packed"] if packed else []
        words += draw(st.sampled_from([[], [], [f"aligned({draw(st.sampled_from(ALIGNMENTS))})"]]))
        attribute = f" __attribute__(({', '.join(words)}))" if words else ""
        lines.append(
            f"struct s{index} {{ {draw(body(tuple(known), 2, ''))} }}{attribute};\nstruct s{index} v{index};\n"
        )
        known.append(f"s{index}")
        if draw(st.booleans()):
            lines.append(MAP.replace("N", str(index)))
    return "".join(lines)


def checks(btf: Btf, stem: str) -> str:
    """Go declarations that compile only where the size of each `struct sN`, and each place of a member in it, is BTF's:
    an array's length can't be negative.
    """
    lines = []
    for found in btf:
        if found.kind is Kind.STRUCT and found.name.startswith("s"):
            name = stem + identifier(found.name)
            lines += _equal(f"unsafe.Sizeof({name}{{}})", found.size)
            lines += [line for path, at in _places(btf, found) for line in _equal(_offset(name, path), at)]
    return "\n".join(lines) + "\n"


def _equal(value: str, wanted: int) -> list[str]:
    return [f"var _ [{value} - {wanted}]byte", f"var _ [{wanted} - {value}]byte"]


def _offset(name: str, path: tuple[str, ...]) -> str:
    steps = (".".join(("", *path[: index + 1])) for index in range(len(path)))
    return "(" + " + ".join(f"unsafe.Offsetof({name}{{}}{step})" for step in steps) + ")"


def _places(btf: Btf, owner: Type, first_only: bool = False) -> Iterator[tuple[tuple[str, ...], int]]:
    """Go's way to each member that Go has, and its place in bytes; bit-fields have none, nor have all members of a
    union but the first.
    """
    for member in btf.members(owner)[: 1 if first_only else None]:
        if member.size:
            continue
        at, inner = member.offset // 8, _plain(btf, member.type)
        if not member.name:
            yield from ((path, at + more) for path, more in _places(btf, inner, True))
            continue
        own = (identifier(member.name),)
        yield own, at
        if inner.kind in (Kind.STRUCT, Kind.UNION) and size_of(btf, inner.id):
            nested = _places(btf, inner, inner.kind is Kind.UNION)
            yield from ((own + path, at + more) for path, more in nested)


def _plain(btf: Btf, number: int) -> Type:
    found = btf.type(number)
    while found.kind in MODIFIERS or found.kind is Kind.TYPEDEF:
        found = btf.type(found.target)
    return found


Sources = SearchStrategy[str]
