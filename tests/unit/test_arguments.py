"""Arguments that go on to helpers, in instructions that are made here."""

from __future__ import annotations

import pytest

from bpfgen.bpf.arguments import passed
from bpfgen.bpf.code import Function, Reference
from bpfgen.bpf.insns import Insn

LOOKUP = Reference("helper", "map_lookup_elem")


def move(dst: int, src: int) -> tuple[int, ...]:
    """rDST = rSRC"""
    return 0xBF, dst, src, 0, 0


CALL = (0x85, 0, 0, 0, 1)
EXIT = (0x95, 0, 0, 0, 0)
ADD = (0x07, 2, 0, 0, 8)
"""r2 += 8"""
SKIP = (0x15, 0, 0, 1, 0)
"""if r0 == 0, the next instruction is left out"""
LOAD = (0x79, 6, 10, -8, 0)
"""r6 = *(u64 *)(r10 - 8)"""


def function(*words: tuple[int, ...]) -> Function:
    """One whose calls are all of one helper."""
    code = tuple(Insn(slot, *each) for slot, each in enumerate(words))
    return Function("f", ".text", 0, code, {insn.slot: LOOKUP for insn in code if insn.code == CALL[0]})


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ((CALL, EXIT), {(0, number, number) for number in range(1, 6)}),
        ((move(2, 1), CALL, EXIT), {(1, 1, 1), (1, 2, 1), (1, 3, 3), (1, 4, 4), (1, 5, 5)}),
        ((CALL, CALL, EXIT), {(0, number, number) for number in range(1, 6)}),
        # Kept over a call, and over a jump.
        ((move(6, 3), *[(0xB7, r, 0, 0, 0) for r in range(1, 6)], CALL, move(2, 6), CALL, EXIT), {(8, 2, 3)}),
        ((SKIP, CALL, move(3, 2), CALL, EXIT), {(1, number, number) for number in range(1, 6)}),
        ((move(6, 1), SKIP, CALL, move(2, 6), CALL, EXIT), {(2, n, n) for n in range(1, 6)} | {(4, 2, 1)}),
        # No longer what was given.
        ((move(6, 3), SKIP, LOAD, move(2, 6), CALL, EXIT), {(4, n, n) for n in (1, 3, 4, 5)}),
        ((SKIP, ADD, CALL, EXIT), {(2, n, n) for n in (1, 3, 4, 5)}),
        ((), set()),
    ],
)
def test_passed(words: tuple[tuple[int, ...], ...], wanted: set[tuple[int, int, int]]) -> None:
    """Slot of the call, register and argument."""
    found = list(passed(function(*words)))
    assert {(each.slot, each.register, each.argument) for each in found} == wanted
    assert {each.helper for each in found} <= {"bpf_map_lookup_elem"}
