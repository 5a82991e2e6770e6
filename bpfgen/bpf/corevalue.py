"""What a CO-RE relocation puts into its instruction, by the rules of libbpf's relo_core.c."""

from __future__ import annotations

from bpfgen.bpf.btf import Kind
from bpfgen.bpf.core import ENUM_KINDS, EXISTENCE_KINDS, FIELD_KINDS
from bpfgen.bpf.insns import LD_IMM64, REGISTER, SIZES, Class, Insn
from bpfgen.bpf.shapes import Shapes
from bpfgen.frozen import frozen

BYTE_OFFSET, BYTE_SIZE, SIGNED, LEFT_SHIFT, RIGHT_SHIFT = 0, 1, 3, 4, 5
TYPE_SIZE = 9
"""`enum bpf_core_relo_kind` of linux/bpf.h."""
MAX_OFFSET = (1 << 15) - 1
"""Of a load or store."""
UNSURE = frozenset({6, 7})
"""Kinds whose number a linker may have changed, so that what the instruction has says nothing."""


@frozen
class Spot:
    """Where an access leads, in the types of a program or of a kernel."""

    root: int
    bits: int
    owner: int
    index: int
    member: bool
    """As in `corematch.Match`."""


@frozen
class Value:
    """What one side says."""

    number: int
    size: int = 0
    """Bytes of the field, where a load or store is of all of it; else 0."""
    type: int = 0
    """The field's type, where there is a size."""
    sure: bool = True
    """Whether the compiler must have come to the same number: it may read a bitfield in another way."""


class Refused(Exception):
    """What libbpf stops at; the whole object doesn't load. Its text says why."""


def value(shapes: Shapes, kind: int, spot: Spot) -> Value:
    """The number for a relocation of that kind that fits; raises Refused, Malformed."""
    if kind in EXISTENCE_KINDS:
        return Value(1)
    if kind in FIELD_KINDS:
        return _member(shapes, kind, spot) if spot.member else _element(shapes, kind, spot)
    if kind in ENUM_KINDS:
        return Value(_enum_value(shapes, spot))
    if kind == TYPE_SIZE:
        return Value(shapes.size(spot.root))
    if kind in UNSURE:
        return Value(spot.root, sure=False)
    raise Refused(f"libbpf knows no relocation of kind {kind}")


def _enum_value(shapes: Shapes, spot: Spot) -> int:
    owner = shapes.btf.type(spot.owner)
    number = shapes.btf.value(owner, spot.index).number
    # libbpf reads every value of 32 bits as signed (struct btf_enum).
    return number - (1 << 32) if owner.kind is Kind.ENUM and number >> 31 == 1 else number


def _element(shapes: Shapes, kind: int, spot: Spot) -> Value:
    if kind == BYTE_OFFSET:
        return Value(spot.bits // 8, _load_size(shapes, spot.owner), spot.owner)
    if kind == BYTE_SIZE:
        return Value(shapes.size(spot.owner))
    raise Refused("a relocation of a bitfield is of no member")


def _member(shapes: Shapes, kind: int, spot: Spot) -> Value:
    member = shapes.btf.member(shapes.btf.type(spot.owner), spot.index)
    found = shapes.plain(member.type)
    if kind == SIGNED:
        return Value(shapes.is_signed(found))
    if member.size:
        size, at = _window(found.size, spot.bits, member.size)
    else:
        size, at = shapes.size(found.id), spot.bits // 8
    width = member.size or 8 * size
    if kind == RIGHT_SHIFT:
        return Value(64 - width)
    whole = not member.size
    if kind == BYTE_SIZE:
        return Value(size, sure=whole)
    if kind == LEFT_SHIFT:
        before = spot.bits - 8 * at
        little = shapes.btf.order == "<"
        return Value(64 - before - width if little else 64 - 8 * size + before, sure=whole)
    return Value(at, _load_size(shapes, found.id), found.id) if whole else Value(at, sure=False)


def _window(size: int, bits: int, width: int) -> tuple[int, int]:
    """Bytes of the smallest load, at least `size`, that has a bitfield in it, and where that load is."""
    if size == 0:
        raise Refused("a bitfield has a type without a size")
    while True:
        at = bits // 8 // size * size
        if bits + width - 8 * at <= 8 * size:
            return size, at
        if size >= 8:
            raise Refused("a bitfield isn't within one load")
        size *= 2


def _load_size(shapes: Shapes, number: int) -> int:
    """Bytes of a field, of one element where it is an array."""
    found = shapes.plain(number)
    while found.kind is Kind.ARRAY:
        found = shapes.plain(shapes.array(found).type)
    return shapes.size(found.id)


def same_size(local: Shapes, mine: Value, target: Shapes, theirs: Value) -> bool:
    """Whether a load or store of the program's field may become one of the kernel's: its size may change where that
    can't change what is read, so of pointers and of unsigned ints.
    """
    if mine.size == theirs.size:
        return True
    here, there = local.btf.type(mine.type), target.btf.type(theirs.type)
    if here.kind is there.kind is Kind.INT:
        return not local.is_signed(here) and not target.is_signed(there)
    return here.kind is there.kind is Kind.PTR


def check(insn: Insn, mine: Value, theirs: Value) -> None:
    """Raises Refused where libbpf can't write a number into an instruction (bpf_core_patch_insn)."""
    if insn.kind in (Class.ALU, Class.ALU64):
        fits, has = not insn.code & REGISTER, insn.imm
    elif insn.kind in (Class.LDX, Class.ST, Class.STX):
        fits, has = True, insn.offset
        if theirs.number > MAX_OFFSET:
            raise Refused(f"its offset {theirs.number} is beyond what a load or store can have, {MAX_OFFSET}")
        if theirs.size != mine.size and (SIZES[insn.code & 0x18] != mine.size or theirs.size not in SIZES.values()):
            raise Refused(f"it has {theirs.size} bytes, which no load or store has")
    else:
        fits, has = insn.code == LD_IMM64 and insn.src == 0 and insn.offset == 0, insn.imm64
    if not fits:
        raise Refused("its instruction takes no such number")
    if mine.sure and (has - mine.number) % (1 << 64):
        raise Refused(f"its instruction has {has}, where the program's types say {mine.number}")
