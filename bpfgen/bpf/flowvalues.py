"""What the kernel's verifier knows of a register, as far as it decides which way a branch goes: a number, that it isn't
zero, or nothing. What some kernel's verifier doesn't follow (byte swaps, divisions) is nothing here.
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Union

from bpfgen.bpf.insns import END, MOV, NEG, REGISTER, Insn

WIDE = (1 << 64) - 1
HALF = (1 << 32) - 1
ADD, SUB, MUL, OR, AND, LEFT, RIGHT, XOR, ARITHMETIC_RIGHT = 0x00, 0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0xA0, 0xC0
EQUAL, GREATER, GREATER_EQUAL, SET, NOT_EQUAL = 0x10, 0x20, 0x30, 0x40, 0x50
SIGNED_GREATER, SIGNED_GREATER_EQUAL, LESS, LESS_EQUAL, SIGNED_LESS, SIGNED_LESS_EQUAL = (
    0x60,
    0x70,
    0xA0,
    0xB0,
    0xC0,
    0xD0,
)


class Pointer(NamedTuple):
    """Something that isn't zero: a place in a section of the object or a setting of the kernel, or just that."""

    kind: str = ""
    """`data` of the object, `kconfig`; empty where it doesn't matter."""
    name: str = ""
    """Of a section, or of a setting."""
    offset: int = 0


NONZERO = Pointer()
Value = Union[None, int, Pointer]
"""None is not known; a number is unsigned, of 64 bits."""


def join(one: Value, other: Value) -> Value:
    """What is known where two ways meet."""
    if one == other:
        return one
    if one and other:
        return NONZERO
    return None


def signed(number: int, bits: int = 64) -> int:
    """The number as one of that many bits with a sign."""
    number &= (1 << bits) - 1
    return number - (1 << bits) if number >> (bits - 1) else number


def arithmetic(insn: Insn, left: Value, right: Value, wide: bool) -> Value:
    """The result of an instruction of the classes ALU and ALU64."""
    code = insn.code & 0xF0
    if code in (NEG, END):
        return None
    if code == MOV:
        return _move(insn, right, wide)
    if isinstance(left, Pointer) and isinstance(right, int) and code in (ADD, SUB) and wide:
        return left._replace(offset=left.offset + signed(right if code == ADD else -right)) if left.kind else None
    if code in (AND, MUL) and 0 in (left, right):
        return 0
    if not isinstance(left, int) or not isinstance(right, int):
        return None
    bits = 64 if wide else 32
    mask = WIDE if wide else HALF
    if code in (LEFT, RIGHT, ARITHMETIC_RIGHT):
        return _shift(code, left & mask, right & mask, bits)
    return _compute(code, left & mask, right & mask, mask)


def _move(insn: Insn, right: Value, wide: bool) -> Value:
    if insn.offset and insn.code & REGISTER:
        if insn.offset not in (8, 16, 32) or not isinstance(right, int):
            return None
        return signed(right, insn.offset) & (WIDE if wide else HALF)
    if wide or right is None:
        return right
    return right & HALF if isinstance(right, int) else None


def _shift(code: int, left: int, right: int, bits: int) -> Value:
    if right >= bits:
        return None
    if code == LEFT:
        return left << right & ((1 << bits) - 1)
    return left >> right if code == RIGHT else (signed(left, bits) >> right) & ((1 << bits) - 1)


def _compute(code: int, left: int, right: int, mask: int) -> Value:
    if code == ADD:
        return (left + right) & mask
    if code == SUB:
        return (left - right) & mask
    if code == MUL:
        return (left * right) & mask
    if code == OR:
        return left | right
    if code == AND:
        return left & right
    return left ^ right if code == XOR else None


def taken(code: int, left: Value, right: Value, wide: bool) -> Optional[bool]:
    """Whether a conditional jump is taken; None where that isn't known. `code` is that of the instruction."""
    code &= 0xF0
    if isinstance(left, Pointer) and right == 0 and wide:
        return {EQUAL: False, NOT_EQUAL: True, GREATER: True, LESS_EQUAL: False}.get(code)
    if not isinstance(left, int) or not isinstance(right, int):
        return None
    bits = 64 if wide else 32
    left, right = left & ((1 << bits) - 1), right & ((1 << bits) - 1)
    if code in (SIGNED_GREATER, SIGNED_GREATER_EQUAL, SIGNED_LESS, SIGNED_LESS_EQUAL):
        left, right = signed(left, bits), signed(right, bits)
    return {
        EQUAL: left == right,
        NOT_EQUAL: left != right,
        GREATER: left > right,
        GREATER_EQUAL: left >= right,
        LESS: left < right,
        LESS_EQUAL: left <= right,
        SET: bool(left & right),
        SIGNED_GREATER: left > right,
        SIGNED_GREATER_EQUAL: left >= right,
        SIGNED_LESS: left < right,
        SIGNED_LESS_EQUAL: left <= right,
    }.get(code)


def known_after(code: int, right: Value, wide: bool, jumped: bool) -> Optional[int]:
    """What the first operand then is, where a comparison tells."""
    if isinstance(right, int) and wide and (code & 0xF0) == (EQUAL if jumped else NOT_EQUAL):
        return right
    return None
