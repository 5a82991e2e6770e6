"""What the kernel's verifier knows of a register, as far as it decides which way a branch goes: a number, some of its
bits, that it isn't zero, or nothing. What not every verifier follows (byte swaps, divisions) is nothing here.
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
SIGNED = frozenset({SIGNED_GREATER, SIGNED_GREATER_EQUAL, SIGNED_LESS, SIGNED_LESS_EQUAL})
ORDERED = SIGNED | {GREATER, GREATER_EQUAL, LESS, LESS_EQUAL}


class Pointer(NamedTuple):
    """Something that isn't zero: a place in a section of the object or a setting of the kernel, or just that."""

    kind: str = ""
    """`data` of the object, `kconfig`; empty where it doesn't matter."""
    name: str = ""
    """Of a section, or of a setting."""
    offset: int = 0


class Bits(NamedTuple):
    """A number of which some bits are known, as the kernel's `struct tnum`."""

    value: int
    """Of bits that are known; others are 0."""
    mask: int
    """Bits that aren't known: some, but not all."""


NONZERO = Pointer()
Value = Union[None, int, Bits, Pointer]
"""None is not known; a number is unsigned, of 64 bits."""


def bits_of(value: Value) -> Bits:
    """Which bits of a value are known; here it may be all or none."""
    if isinstance(value, Bits):
        return value
    return Bits(value, 0) if isinstance(value, int) else Bits(0, WIDE)


def from_bits(value: int, mask: int) -> Value:
    """The value of which these bits are known; those of the mask are taken out."""
    if mask == 0:
        return value
    return None if mask & WIDE == WIDE else Bits(value & ~mask, mask)


def lower_bits(value: Value, bits: int) -> Value:
    """What is known of the lower bits, with zeros before them."""
    found, mask = bits_of(value), (1 << bits) - 1
    return from_bits(found.value & mask, found.mask & mask)


def is_nonzero(value: Value) -> bool:
    """Whether it is known that it isn't zero."""
    return isinstance(value, Pointer) or bits_of(value).value != 0


def join(one: Value, other: Value) -> Value:
    """What is known where two ways meet."""
    if one == other:
        return one
    mine, theirs = bits_of(one), bits_of(other)
    both = from_bits(mine.value, mine.mask | theirs.mask | (mine.value ^ theirs.value))
    return NONZERO if is_nonzero(one) and is_nonzero(other) and not is_nonzero(both) else both


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
    mask = WIDE if wide else HALF
    mine, theirs = (Bits(each.value & mask, each.mask & mask) for each in (bits_of(left), bits_of(right)))
    if code in (AND, OR, XOR):
        return _logic(code, mine, theirs)
    if theirs.mask == 0 and code in (LEFT, RIGHT):
        return _shift(code, mine, theirs.value, 64 if wide else 32)
    if mine.mask or theirs.mask:
        return 0 if code == MUL and Bits(0, 0) in (mine, theirs) else from_bits(0, mask)
    if code == ARITHMETIC_RIGHT:
        return (
            (signed(mine.value, 64 if wide else 32) >> theirs.value) & mask if theirs.value < 64 else from_bits(0, mask)
        )
    return _compute(code, mine.value, theirs.value, mask)


def _move(insn: Insn, right: Value, wide: bool) -> Value:
    mask = WIDE if wide else HALF
    if insn.offset and insn.code & REGISTER:
        known = isinstance(right, int) and insn.offset in (8, 16, 32)
        return signed(right, insn.offset) & mask if known and isinstance(right, int) else from_bits(0, mask)
    return right if wide else lower_bits(right, 32)


def _logic(code: int, left: Bits, right: Bits) -> Value:
    """tnum_and, tnum_or, tnum_xor"""
    if code == XOR:
        return from_bits(left.value ^ right.value, left.mask | right.mask)
    if code == OR:
        ones = left.value | right.value
        return from_bits(ones, (left.mask | right.mask) & ~ones)
    ones = left.value & right.value
    maybe = (left.value | left.mask) & (right.value | right.mask)
    return from_bits(ones, maybe & ~ones)


def _shift(code: int, left: Bits, by: int, size: int) -> Value:
    limit = (1 << size) - 1
    if by >= size:
        return from_bits(0, limit)
    if code == LEFT:
        return from_bits(left.value << by & limit, left.mask << by & limit)
    return from_bits(left.value >> by, left.mask >> by)


def _compute(code: int, left: int, right: int, mask: int) -> Value:
    if code == ADD:
        return (left + right) & mask
    if code == SUB:
        return (left - right) & mask
    return (left * right) & mask if code == MUL else from_bits(0, mask)


def taken(code: int, left: Value, right: Value, wide: bool) -> Optional[bool]:
    """Whether a conditional jump is taken; None where that isn't known. `code` is that of the instruction."""
    code &= 0xF0
    if right == 0 and wide and is_nonzero(left) and code in (EQUAL, NOT_EQUAL, GREATER, LESS_EQUAL):
        return code in (NOT_EQUAL, GREATER)
    size = 64 if wide else 32
    mask = (1 << size) - 1
    mine, theirs = (Bits(each.value & mask, each.mask & mask) for each in (bits_of(left), bits_of(right)))
    if code == SET:
        ones = bool(mine.value & theirs.value)
        return ones if ones or not (mine.value | mine.mask) & (theirs.value | theirs.mask) else None
    if code in (EQUAL, NOT_EQUAL):
        differ = bool((mine.value ^ theirs.value) & ~(mine.mask | theirs.mask))
        same = not mine.mask and not theirs.mask and not differ
        return differ == (code == NOT_EQUAL) if differ or same else None
    if code in SIGNED:
        if mine.mask or theirs.mask:
            return None
        mine, theirs = (Bits(signed(each.value, size), 0) for each in (mine, theirs))
    return _ordered(code, mine, theirs)


def _ordered(code: int, left: Bits, right: Bits) -> Optional[bool]:
    """Of a comparison for order: by the lowest and the highest number that each may be."""
    if code in (LESS, LESS_EQUAL, SIGNED_LESS, SIGNED_LESS_EQUAL):
        left, right = right, left
    equal = code in (GREATER_EQUAL, LESS_EQUAL, SIGNED_GREATER_EQUAL, SIGNED_LESS_EQUAL)
    if code not in ORDERED:
        return None
    low, high = left.value - (right.value | right.mask), (left.value | left.mask) - right.value
    if low > 0 or (equal and low == 0):
        return True
    return False if high < 0 or (not equal and high == 0) else None


def known_after(code: int, right: Value, wide: bool, jumped: bool) -> Optional[int]:
    """What the first operand then is, where a comparison tells."""
    if isinstance(right, int) and wide and (code & 0xF0) == (EQUAL if jumped else NOT_EQUAL):
        return right
    return None
