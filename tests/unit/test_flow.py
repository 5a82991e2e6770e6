"""Which instructions are reached: each rule on code made by hand. tests/real/test_guards.py asks the kernel."""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Optional, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpfgen.bpf.code import Function, Reference
from bpfgen.bpf.core import Access, CoreRelocation
from bpfgen.bpf.externs import Extern
from bpfgen.bpf.flow import Flow, Known, live
from bpfgen.bpf.flowvalues import (
    NONZERO,
    SIGNED,
    Bits,
    Pointer,
    Value,
    arithmetic,
    bits_of,
    from_bits,
    join,
    signed,
    taken,
)
from bpfgen.bpf.insns import CALL, EXIT, JA, JCOND, JX, LD_IMM64, Insn
from bpfgen.bpf.malformed import Malformed
from bpfgen.bpf.resolution import MISSING, RESOLVED, Place, Resolution

MOV, MOV32, MOVR, ADD, AND, XOR = 0xB7, 0xB4, 0xBF, 0x07, 0x57, 0xA7
JEQ, JNE, JGT, JEQ32 = 0x15, 0x55, 0x25, 0x16
LDX1, LDX4, LDX8, STX8, FETCH_ADD = 0x71, 0x61, 0x79, 0x7B, 0xDB
Row = tuple[int, ...]
"""Opcode, dst, src, offset, imm."""


def function(*rows: Row, start: int = 0, static: bool = False, **references: Reference) -> Function:
    """Rows as instructions; `at3=…` is what the one at slot 3 of the function refers to."""
    code, slot = [], start
    for opcode, dst, src, offset, imm in (tuple(row) + (0,) * (5 - len(row)) for row in rows):
        code.append(Insn(slot, opcode, dst, src, offset, imm))
        slot += 2 if opcode == LD_IMM64 else 1
    by_slot = {start + int(key[2:]): value for key, value in references.items()}
    return Function("f", "xdp", start, tuple(code), by_slot, static)


def reached(*functions: Function, resolutions: Optional[dict[Place, Resolution]] = None, known: Optional[Known] = None,
            externs: tuple[Extern, ...] = (), data: bytes = b"") -> set[int]:  # fmt: skip
    """Slots of the first function, and those of others as 100 times their number more."""
    relocations = [each.relocation for each in (resolutions or {}).values()]
    sections = [SimpleNamespace(name=".rodata", data=data), SimpleNamespace(name=".data", data=data)]
    found: Any = SimpleNamespace(
        functions=functions,
        externs=externs,
        relocations=relocations,
        elf=SimpleNamespace(sections=sections, little=True),
    )
    places = live(found, functions[0], resolutions or {}, known or Known())
    starts = {insn.slot: 100 * at + insn.slot - each.start for at, each in enumerate(functions) for insn in each.code}
    return {starts[slot] for _section, slot in places}


def answer(slot: int, value: Optional[int]) -> dict[Place, Resolution]:
    """What a relocation gives an instruction."""
    relocation = CoreRelocation("xdp", slot, 2, "0", Access(1, (), 0, "s.a"))
    return {("xdp", slot): Resolution(relocation, MISSING if value is None else RESOLVED, value)}


GUARD = function((MOV, 1, 0, 0, 1), (JEQ, 1, 0, 1, 0), (CALL, 0, 0, 0, 9999), (MOV, 0), (EXIT,))
"""`if (r1) call 9999`"""


@pytest.mark.parametrize(
    ("value", "slots"), [(0, {0, 1, 3, 4}), (1, {0, 1, 2, 3, 4}), (None, {0, 1, 2, 3, 4}), (-1, {0, 1, 2, 3, 4})]
)
def test_a_relocation_decides(value: Optional[int], slots: set[int]) -> None:
    assert reached(GUARD, resolutions=answer(0, value)) == slots


def test_without_a_relocation_the_number_stands() -> None:
    assert reached(GUARD) == {0, 1, 2, 3, 4}
    own = function(
        (MOV, 1, 0, 0, 0), *((each.code, each.dst, each.src, each.offset, each.imm) for each in GUARD.code[1:])
    )
    assert reached(own) == {0, 1, 3, 4}


@pytest.mark.parametrize(("register", "ends"), [(1, {12, 13}), (2, {10, 11}), (3, {10, 11, 12, 13})])
def test_ways_that_meet(register: int, ends: set[int]) -> None:
    """r1 is 0 on both ways, r2 is 1 or 2, r3 is 0 or not known."""
    code = function(
        (LDX8, 6, 10, -8),
        (MOV, 3),
        (JEQ, 6, 0, 3, 5),
        *((MOV, 1), (MOV, 2, 0, 0, 1), (JA, 0, 0, 3)),
        *((MOV, 1), (MOV, 2, 0, 0, 2), (LDX8, 3, 6)),
        (JEQ, register, 0, 2, 0),
        *((MOV, 0), (EXIT,)),
        *((MOV, 0), (EXIT,)),
    )
    assert reached(code) == {*range(10), *ends}


def test_a_loop() -> None:
    """r1 counts, so that it isn't what it was at first; r2 stays."""
    loop = function((MOV, 1), (MOV, 2), (JEQ, 2, 0, 1, 0), (CALL, 0, 0, 0, 7), (ADD, 1, 0, 0, 1), (JGT, 1, 0, 1, 9),
                    (JA, 0, 0, -5), (EXIT,))  # fmt: skip
    assert reached(loop) == {0, 1, 2, 4, 5, 6, 7}


def test_a_comparison_tells() -> None:
    """What equals 0 is 0 behind the jump; of the lower half alone nothing is known."""
    for jump, expected in ((JEQ, {0, 1, 2, 4, 5}), (JEQ32, {0, 1, 2, 3, 4, 5})):
        code = function((LDX8, 1, 10, -8), (jump, 1, 0, 0, 0), (JEQ, 1, 0, 1, 0), (CALL, 0, 0, 0, 9), (MOV, 0), (EXIT,))
        apart = function((LDX8, 1, 10, -8), (jump, 1, 0, 1, 0), (EXIT,), (JEQ, 1, 0, 1, 0), (CALL, 0, 0, 0, 9), (EXIT,))
        assert reached(code) == {0, 1, 2, 3, 4, 5}
        assert (4 in reached(apart)) == (3 in expected)


def test_calls_leave_the_upper_registers() -> None:
    for register, expected in ((1, True), (0, True), (6, False)):
        code = function((MOV, register), (CALL, 0, 0, 0, 5), (JEQ, register, 0, 1, 0), (CALL, 0, 0, 0, 9), (EXIT,))
        assert (3 in reached(code)) is expected


def call(name: str, slot: int, section: str = "xdp") -> Reference:
    return Reference("call", name, 0, (section, slot))


def test_functions() -> None:
    """One that gives back the same number on all ways; it is reached only where its call is."""
    program = function((CALL, 0, 1), (JEQ, 0, 0, 1, 0), (CALL, 0, 0, 0, 9), (EXIT,), at0=call("g", 50))
    for number, expected in ((0, {0, 1, 3}), (1, {0, 1, 2, 3})):
        rows: list[Row] = [(JEQ, 1, 0, 2, 7), (MOV, 0, 0, 0, number), (EXIT,), (MOV, 0, 0, 0, number), (EXIT,)]
        static = function(*rows, start=50, static=True)
        assert reached(program, static) == expected | {100, 101, 102, 103, 104}
        shared = function(*rows, start=50)
        assert reached(program, shared) == {0, 1, 2, 3, 100, 101, 102, 103, 104}
        assert reached(program, shared, known=Known((5, 5))) == expected | {100, 101, 102, 103, 104}
    never = function((MOV, 1), (JEQ, 1, 0, 1, 0), (CALL, 0, 1), (EXIT,), at2=call("g", 50))
    shared = function((MOV, 0), (EXIT,), start=50)
    assert reached(never, shared) == {0, 1, 3}
    assert reached(never, shared, known=Known((6, 7))) == {0, 1, 3, 100, 101}
    assert reached(never, shared, known=Known((6, 8))) == {0, 1, 3}
    assert reached(never, function((MOV, 0), (EXIT,), start=50, static=True), known=Known((6, 7))) == {0, 1, 3}


def test_arguments_of_static_functions() -> None:
    """What all calls agree on."""
    inner: list[Row] = [(JEQ, 1, 0, 1, 0), (CALL, 0, 0, 0, 9), (MOV, 0), (EXIT,)]
    for second, expected in ((0, {100, 102, 103}), (1, {100, 101, 102, 103})):
        program = function((MOV, 1), (CALL, 0, 1), (MOV, 1, 0, 0, second), (CALL, 0, 1), (EXIT,),
                           at1=call("g", 50), at3=call("g", 50))  # fmt: skip
        found = reached(program, function(*inner, start=50, static=True))
        assert found == {0, 1, 2, 3, 4} | expected
        assert 101 in reached(program, function(*inner, start=50))


def test_a_function_without_end_is_not_left() -> None:
    program = function((CALL, 0, 1), (EXIT,), at0=call("g", 50))
    assert reached(program, function((JA, 0, 0, -1), start=50, static=True)) == {0, 100}


def test_callbacks() -> None:
    """A function whose address is taken is reached, and knows nothing of its arguments."""
    program = function(
        (MOV, 1), (LD_IMM64, 2), (CALL, 0, 0, 0, 181), (EXIT,), at1=Reference("function", "g", 0, ("xdp", 50))
    )
    callback = function((JEQ, 1, 0, 1, 0), (MOV, 0), (EXIT,), start=50, static=True)
    assert reached(program, callback) == {0, 1, 3, 4, 100, 101, 102}


def test_symbols_of_the_kernel() -> None:
    for kind in ("ksym", "kfunc"):
        code = function((LD_IMM64, 1), (JEQ, 1, 0, 1, 0), (MOV, 0), (EXIT,), at0=Reference(kind, "x"))
        for weak, there, expected in (
            (True, True, {0, 2, 3, 4}),
            (True, False, {0, 2, 4}),
            (True, None, {0, 2, 3, 4}),
            (False, None, {0, 2, 3, 4}),
            (False, False, {0, 2, 3, 4}),
        ):
            known = Known(ksyms={} if there is None else {"x": there})
            assert reached(code, known=known, externs=(Extern("x", kind, weak, ""),)) == expected
        missing = function((LD_IMM64, 1), (JNE, 1, 0, 1, 0), (MOV, 0), (EXIT,), at0=Reference(kind, "x"))
        assert reached(missing, known=Known(ksyms={"x": True}), externs=(Extern("x", kind, True, ""),)) == {0, 2, 4}


@pytest.mark.parametrize(
    ("name", "type", "load", "wanted"),
    [
        ("LINUX_KERNEL_VERSION", "int", LDX4, 0x60100),
        ("CONFIG_YES", "_Bool", LDX1, 1),
        ("CONFIG_NO", "_Bool", LDX1, 0),
        ("CONFIG_MODULE", "enum libbpf_tristate", LDX4, 2),
        ("CONFIG_CHAR", "char", LDX1, ord("m")),
    ],
)
def test_settings(name: str, type: str, load: int, wanted: int) -> None:  # noqa: A002
    settings: dict[str, Union[int, str]] = {
        "LINUX_KERNEL_VERSION": 0x60100,
        "CONFIG_YES": "y",
        "CONFIG_NO": "n",
        "CONFIG_MODULE": "m",
        "CONFIG_CHAR": "m",
    }
    reference = Reference("kconfig", name)
    code = function((LD_IMM64, 1), (load, 2, 1), (JEQ, 2, 0, 1, wanted), (MOV, 0), (EXIT,), at0=reference)
    externs = (Extern(name, "kconfig", False, type),)
    assert reached(code, known=Known(kconfig=settings), externs=externs) == {0, 2, 3, 5}
    assert reached(code, externs=externs) == {0, 2, 3, 4, 5}
    assert reached(code, known=Known((5, 4), kconfig=settings), externs=externs) == {0, 2, 3, 4, 5}


def test_constants_of_the_object() -> None:
    data = (7).to_bytes(4, "little") + b"\xff" * 4
    for section, known, expected in (
        (".rodata", Known(), {0, 2, 3, 5}),
        (".rodata", Known(constants=False), {0, 2, 3, 4, 5}),
        (".rodata", Known((5, 4)), {0, 2, 3, 4, 5}),
        (".data", Known(), {0, 2, 3, 4, 5}),
    ):
        place = Reference("data", "x", 0, (section, 4))
        code = function((LD_IMM64, 1), (LDX4, 2, 1, -4), (JEQ, 2, 0, 1, 7), (MOV, 0), (EXIT,), at0=place)
        assert reached(code, known=known, data=data) == expected
    beyond = function((LD_IMM64, 1), (LDX8, 2, 1, 4), (JEQ, 2, 0, 1, 7), (MOV, 0), (EXIT,), at0=place)
    assert reached(beyond, data=data) == {0, 2, 3, 4, 5}
    place = Reference("data", "x", 0, (".rodata", 0))
    moved = function(
        (LD_IMM64, 1), (MOVR, 2, 1), (ADD, 2, 0, 0, 4), (0x81, 3, 2), (JEQ, 3, 0, 1, -1), (MOV, 0), (EXIT,), at0=place
    )
    assert reached(moved, data=data) == {0, 2, 3, 4, 5, 7}


def test_xor_is_followed_from_5_10_on() -> None:
    code = function((MOV, 1, 0, 0, 1), (XOR, 1, 0, 0, 1), (JEQ, 1, 0, 1, 0), (MOV, 0), (EXIT,))
    assert reached(code) == {0, 1, 2, 4}
    assert reached(code, known=Known((5, 9))) == {0, 1, 2, 3, 4}


def test_what_writes_to_registers() -> None:
    """An atomic operation that gives back a value, a load, a packet's bytes."""
    for row in ((FETCH_ADD, 10, 1, -8, 1), (LDX8, 1, 10, -8), (0x30, 0, 0, 0, 0), (0x87, 1), (0xD4, 1, 0, 0, 16)):
        assert 3 in reached(function((MOV, 1), row, (JEQ, 1, 0, 1, 0), (MOV, 0), (EXIT,)))
    for row in ((STX8, 10, 1, -8), (0xDB, 10, 1, -8, 0), (MOV, 2), (0x62, 10, 0, -8, 4)):
        assert 3 not in reached(function((MOV, 1), row, (JEQ, 1, 0, 1, 0), (MOV, 0), (EXIT,)))


def kept(store: Row, load: Row, *before: Row) -> bool:
    """Whether r2, which is 0 if it is still known after it was on the stack, decides."""
    rows = [(MOV, 1), *before, store, (MOV, 2, 0, 0, 5), load, (JEQ, 2, 0, 1, 0), (CALL, 0, 0, 0, 9), (EXIT,)]
    return len(rows) - 2 not in reached(function(*rows))


def test_the_stack() -> None:
    """What is below all that the function takes the address of stays as it is."""
    load8, load4, store4 = (LDX8, 2, 10, -16), (LDX4, 2, 10, -16), (0x63, 10, 1, -16)
    assert kept((STX8, 10, 1, -16), load8)
    assert kept(store4, load4)
    assert kept((0x62, 10, 0, -16, 0), load4)
    assert not kept((0x62, 10, 0, -16, 3), load4)
    assert not kept((STX8, 10, 1, -16), load4)
    assert not kept((STX8, 10, 3, -16), load8)
    assert not kept(store4, load8, (STX8, 10, 1, -16))
    assert not kept((0x63, 10, 3, -12), load8, (STX8, 10, 1, -16))
    for lowest, expected in ((-8, True), (-16, False), (-24, False)):
        assert kept((STX8, 10, 1, -16), load8, (MOVR, 3, 10), (ADD, 3, 0, 0, lowest)) is expected
    assert not kept((STX8, 10, 1, -16), load8, (MOVR, 3, 10), (MOV, 4))


@pytest.mark.parametrize(
    ("version", "wide", "half"), [((5, 2), False, False), ((5, 3), True, False), ((5, 16), True, True)]
)
def test_numbers_on_the_stack_by_version(version: tuple[int, int], wide: bool, half: bool) -> None:
    for store, load, expected in ((STX8, LDX8, wide), (0x63, LDX4, half)):
        code = function((MOV, 1, 0, 0, 1), (store, 10, 1, -8), (load, 2, 10, -8), (JNE, 2, 0, 1, 0), (MOV, 0), (EXIT,))
        assert (4 not in reached(code, known=Known(version))) is expected


def test_jumps_of_unknown_targets() -> None:
    assert reached(function((MOV, 1), (JX, 1), (MOV, 0), (JCOND, 0, 0, 1), (MOV, 0), (EXIT,))) == {0, 1, 2, 3, 4, 5}
    with pytest.raises(Malformed, match="a jump of f leads out of it"):
        reached(function((JA, 0, 0, 9), (EXIT,)))
    assert reached(
        function(
            (MOV, 0),
        )
    ) == {0}


def test_a_flow_is_kept_for_many_kernels() -> None:
    found: Any = SimpleNamespace(
        functions=(GUARD,),
        externs=(),
        relocations=[answer(0, 0)["xdp", 0].relocation],
        elf=SimpleNamespace(sections=[], little=True),
    )
    flow = Flow(found)
    assert [len(flow.live(GUARD, answer(0, value), Known())) for value in (0, 1, 0)] == [4, 5, 4]


def test_without_types_of_a_kernel_an_answer_is_not_known() -> None:
    """What the compiler left in the instruction is no answer."""
    code = function((MOV, 1, 0, 0, 1), (JNE, 1, 0, 1, 0), (MOV, 0), (EXIT,))
    elf = SimpleNamespace(sections=[], little=True)
    for relocations, slots in (([answer(0, 1)["xdp", 0].relocation], 4), ([], 3)):
        found: Any = SimpleNamespace(functions=(code,), externs=(), relocations=relocations, elf=elf)
        assert len(live(found, code, {}, Known())) == slots


@pytest.mark.parametrize(
    ("code", "left", "right", "wide", "expected"),
    [
        (0x07, 2**64 - 1, 2, True, 1),
        (0x04, 2**32 - 1, 2, False, 1),
        (0x17, 1, 2, True, 2**64 - 1),
        (0x27, 3, 5, True, 15),
        (0x27, None, 0, True, 0),
        (0x57, NONZERO, 0, True, 0),
        (0x57, None, 1, True, Bits(0, 1)),
        (0x47, Bits(0, 1), 1, True, 1),
        (0x57, Bits(1, 6), 9, True, 1),
        (0xA7, Bits(1, 6), 1, True, Bits(0, 6)),
        (0x67, Bits(1, 6), 4, True, Bits(16, 96)),
        (0x47, 4, 1, True, 5),
        (0x67, 1, 40, True, 1 << 40),
        (0x64, 1, 40, False, Bits(0, 2**32 - 1)),
        (0x77, 1 << 40, 8, True, 1 << 32),
        (0xC7, 2**64 - 16, 2, True, 2**64 - 4),
        (0xC4, 2**32 - 16, 2, False, 2**32 - 4),
        (0xB4, 0, 2**64 - 1, False, 2**32 - 1),
        (0xBC, 0, NONZERO, False, Bits(0, 2**32 - 1)),
        (0xBF, 0, NONZERO, True, NONZERO),
        (0x37, 8, 2, True, None),
        (0x87, 8, 0, True, None),
        (0x07, Pointer("data", ".rodata", 4), 2**64 - 2, True, Pointer("data", ".rodata", 2)),
        (0x07, NONZERO, 4, True, None),
    ],
)
def test_arithmetic(code: int, left: Value, right: Value, wide: bool, expected: Value) -> None:
    assert arithmetic(Insn(0, code, 0, 0, 0, 0), left, right, wide) == expected


def test_moves_with_a_sign() -> None:
    assert arithmetic(Insn(0, 0xBF, 0, 0, 8, 0), None, 0x80, True) == 2**64 - 128
    assert arithmetic(Insn(0, 0xBC, 0, 0, 16, 0), None, 0x18000, False) == 0xFFFF8000
    assert arithmetic(Insn(0, 0xBF, 0, 0, 1, 0), None, 5, True) is None


@pytest.mark.parametrize(
    ("code", "left", "right", "wide", "expected"),
    [
        (0x10, 1, 1, True, True),
        (0x10, 2**32 + 1, 1, True, False),
        (0x10, 2**32 + 1, 1, False, True),
        (0x20, 2**64 - 1, 1, True, True),
        (0x60, 2**64 - 1, 1, True, False),
        (0x60, 2**32 - 1, 1, False, False),
        (0x30, 1, 1, True, True),
        (0x70, 2**64 - 1, 0, True, False),
        (0xA0, 1, 2, True, True),
        (0xB0, 2, 2, True, True),
        (0xC0, 2**64 - 1, 0, True, True),
        (0xD0, 0, 2**64 - 1, True, False),
        (0x40, 6, 2, True, True),
        (0x40, 6, 1, True, False),
        (0x50, 6, 1, True, True),
        (0x10, NONZERO, 0, True, False),
        (0x50, NONZERO, 0, True, True),
        (0x50, NONZERO, 0, False, None),
        (0x10, NONZERO, 5, True, None),
        (0x10, None, 0, True, None),
        (0xE0, 1, 1, True, None),
    ],
)
def test_comparisons(code: int, left: Value, right: Value, wide: bool, expected: Optional[bool]) -> None:
    assert taken(code | 5, left, right, wide) is expected


def test_joins() -> None:
    assert join(1, 1) == 1
    assert join(1, 2) == join(1, NONZERO) == join(Pointer("data", "x", 1), Pointer("data", "x", 2)) == NONZERO
    assert (join(0, 1), join(4, 5), join(Bits(4, 1), 6)) == (Bits(0, 1), Bits(4, 1), Bits(4, 3))
    assert join(None, 1) is join(0, NONZERO) is None


KNOWN = st.one_of(
    st.integers(0, 2**64 - 1),
    st.integers(0, 9),
    st.just(None),
    st.builds(from_bits, st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)),
    st.builds(from_bits, st.integers(0, 15), st.integers(0, 15)),
)
COMPUTED: dict[int, Callable[[int, int], int]] = {
    0x00: operator.add, 0x10: operator.sub, 0x20: operator.mul, 0x40: operator.or_, 0x50: operator.and_,
    0x60: lambda x, y: x << y if y < 64 else 0, 0x70: operator.rshift, 0xA0: operator.xor, 0xB0: lambda _, y: y,
}  # fmt: skip
COMPARED: dict[int, Callable[[int, int], bool]] = {
    0x10: operator.eq, 0x20: operator.gt, 0x30: operator.ge, 0x40: lambda x, y: bool(x & y), 0x50: operator.ne,
    0x60: operator.gt, 0x70: operator.ge, 0xA0: operator.lt, 0xB0: operator.le, 0xC0: operator.lt, 0xD0: operator.le,
}  # fmt: skip


def one_of(value: Value, number: int) -> int:
    """A number that a value may be."""
    found = bits_of(value)
    return found.value | number & found.mask


def may_be(value: Value, number: int) -> bool:
    return one_of(value, number) == number


@given(
    KNOWN, KNOWN, st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.booleans(), st.sampled_from(sorted(COMPUTED))
)
def test_any_number_that_is_computed_may_be(one: Value, other: Value, x: int, y: int, wide: bool, code: int) -> None:
    x, y, size = one_of(one, x), one_of(other, y), 64 if wide else 32
    mask = (1 << size) - 1
    result = arithmetic(Insn(0, code, 0, 0, 0, 0), one, other, wide)
    if code in (0x60, 0x70) and y & mask >= size:
        assert not isinstance(result, int)
    else:
        assert may_be(result, COMPUTED[code](x & mask, y & mask) & mask)
    assert may_be(join(one, other), x)
    assert may_be(join(one, other), y)


@given(
    KNOWN, KNOWN, st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.booleans(), st.sampled_from(sorted(COMPARED))
)
def test_no_jump_is_foretold_that_goes_elsewhere(
    one: Value, other: Value, x: int, y: int, wide: bool, code: int
) -> None:
    size = 64 if wide else 32
    x, y = (each & ((1 << size) - 1) for each in (one_of(one, x), one_of(other, y)))
    if code in SIGNED:
        x, y = signed(x, size), signed(y, size)
    assert taken(code, one, other, wide) in (None, COMPARED[code](x, y))
