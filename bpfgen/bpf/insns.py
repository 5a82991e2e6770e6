"""Instructions (kernel: Documentation/bpf/standardization/instruction-set.rst): eight bytes each, sixteen for a 64-bit
immediate, in either byte order.

What that document leaves to the platform is in linux/bpf.h: `may_goto`, `addr_space_cast`, acquiring and releasing
atomics; and in LLVM's BPFInstrInfo.td: `gotox`, `callx`.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

from bpfgen.bpf.malformed import Malformed

INSTRUCTION_SIZE = 8
"""Bytes of a slot."""


class Class(IntEnum):
    """The lowest three bits of an opcode."""

    LD = 0
    LDX = 1
    ST = 2
    STX = 3
    ALU = 4
    JMP = 5
    JMP32 = 6
    ALU64 = 7


CLASSES = tuple(Class)
MODE_ABS, MODE_IND, MODE_MEM, MODE_MEMSX, MODE_ATOMIC = 0x20, 0x40, 0x60, 0x80, 0xC0
"""The upper three bits of a load or store."""
SIZES = {0x00: 4, 0x08: 2, 0x10: 1, 0x18: 8}
"""The two bits between mode and class → bytes."""
LD_IMM64, CALL, CALLX, EXIT = 0x18, 0x85, 0x8D, 0x95
JA, JA32, JX, JCOND = 0x05, 0x06, 0x0D, 0xE5
"""`goto`, `gotol`, `gotox`, `may_goto`."""
DIV, NEG, MOD, MOV, END = 0x30, 0x80, 0x90, 0xB0, 0xD0
"""Codes of arithmetic that have forms of their own."""
REGISTER = 0x08
"""The bit of arithmetic and jumps that makes a register of the second operand, which else is the immediate."""
FETCH = 0x01
LOAD_ACQUIRE, STORE_RELEASE = 0x100, 0x110
PSEUDO_CALL, PSEUDO_KFUNC_CALL = 1, 2
"""What the source register says of a call: of a function of the object, of one of the kernel by its BTF id."""
ADDR_SPACE_CAST = 1
"""The offset of such a MOV."""


class Insn(NamedTuple):
    """One instruction; a tuple, since objects have thousands."""

    slot: int
    """Its first slot, from the section's beginning."""
    code: int
    """The opcode's eight bits."""
    dst: int
    src: int
    offset: int
    """Signed, 16 bits."""
    imm: int
    """Signed, 32 bits."""
    high: int = 0
    """The second immediate of a 64-bit load: the upper 32 bits, unsigned."""

    @property
    def kind(self) -> Class:
        """The class of instructions that it is of."""
        return CLASSES[self.code & 7]

    @property
    def wide(self) -> bool:
        """Whether it takes two slots."""
        return self.code == LD_IMM64

    @property
    def imm64(self) -> int:
        """The immediate of a 64-bit load, unsigned."""
        return self.high << 32 | self.imm & 0xFFFFFFFF

    @property
    def target(self) -> int | None:
        """The slot that a jump or a call of a function goes to; None for all others."""
        if self.code == JA32 or (self.code == CALL and self.src == PSEUDO_CALL):
            return self.slot + 1 + self.imm
        jumps = self.kind in (Class.JMP, Class.JMP32) and self.code not in (CALL, CALLX, EXIT, JX)
        return self.slot + 1 + self.offset if jumps else None


def decode(code: bytes, little: bool, start: int = 0) -> Iterator[Insn]:
    """The instructions of a section, or of a function whose first slot is `start`; raises Malformed.

    Opcodes aren't judged: `isa.feature` names what is known of them.
    """
    if len(code) % INSTRUCTION_SIZE:
        raise Malformed("the code ends within an instruction")
    rows = enumerate(Struct("<BBhi" if little else ">BBhi").iter_unpack(code), start)
    for index, (opcode, registers, offset, imm) in rows:
        low, upper = registers & 0xF, registers >> 4
        dst, src = (low, upper) if little else (upper, low)
        high = 0
        if opcode == LD_IMM64:
            second = next(rows, None)
            if second is None or second[1][0]:
                raise Malformed(f"the 64-bit load at instruction {index} has no second half")
            high = second[1][3] & 0xFFFFFFFF
        yield Insn(index, opcode, dst, src, offset, imm, high)
