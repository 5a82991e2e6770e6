"""Which instruction set an instruction is of: what clang's `-mcpu` must allow, and what kernels must know."""

from __future__ import annotations

from bpfgen.bpf.insns import (
    ADDR_SPACE_CAST,
    CALL,
    CALLX,
    DIV,
    END,
    EXIT,
    FETCH,
    JA,
    JA32,
    JCOND,
    JX,
    LD_IMM64,
    LOAD_ACQUIRE,
    MOD,
    MODE_ABS,
    MODE_ATOMIC,
    MODE_IND,
    MODE_MEM,
    MODE_MEMSX,
    MOV,
    NEG,
    STORE_RELEASE,
    Class,
    Insn,
)
from bpfgen.catalog import table

UNKNOWN = "unknown"
"""The feature of an opcode that no kernel knows."""
LAST_REGISTER = 10
_SIZE_DW = 0x18
_ATOMICS = frozenset({0x00, 0x40, 0x50, 0xA0, 0x01, 0x41, 0x51, 0xA1, 0xE1, 0xF1})
"""ADD, OR, AND, XOR without and with FETCH; XCHG and CMPXCHG."""
_EXTENDED_JUMPS = frozenset({0xA0, 0xB0, 0xC0, 0xD0})
"""JLT, JLE, JSLT, JSLE"""
_LAST_JUMP = 0xD0


def feature(insn: Insn) -> str:
    """The row of `catalog/isa.toml` that an instruction is of; `base` is every kernel's, `unknown` none's."""
    kind = insn.kind
    if max(insn.dst, insn.src) > LAST_REGISTER:
        return UNKNOWN
    if kind in (Class.ALU, Class.ALU64):
        return _arithmetic(insn)
    if kind in (Class.JMP, Class.JMP32):
        return _jump(insn)
    return _memory(insn)


def newest_cpu(features: frozenset[str]) -> str:
    """The `-mcpu` that has all of them: `v1` to `v4`."""
    rows = table("isa")["feature"]
    return max((str(rows[name]["cpu"]) for name in features if name in rows), default="v1")


def _arithmetic(insn: Insn) -> str:
    code, wide = insn.code & 0xF0, insn.kind is Class.ALU64
    if code > END:
        return UNKNOWN
    if code == END:
        if insn.imm not in (16, 32, 64) or (wide and insn.code & 8):
            return UNKNOWN
        return "bswap" if wide else "base"
    if code == NEG and insn.code & 8:
        return UNKNOWN
    if insn.offset:
        return _offset_arithmetic(insn, code, wide)
    return "base" if wide else "alu32"


def _offset_arithmetic(insn: Insn, code: int, wide: bool) -> str:
    if code in (DIV, MOD) and insn.offset == 1:
        return "sdiv_smod"
    if code == MOV and insn.code & 8:
        if insn.offset in ((8, 16, 32) if wide else (8, 16)):
            return "movsx"
        if wide and insn.offset == ADDR_SPACE_CAST:
            return "addr_space_cast"
    return UNKNOWN


def _jump(insn: Insn) -> str:
    special = {JA32: "gotol", JX: "gotox", JCOND: "may_goto", JA: "base", CALL: "base", EXIT: "base", CALLX: "callx"}
    if insn.code in special:
        return special[insn.code]
    code = insn.code & 0xF0
    if code in (0x00, CALL & 0xF0, EXIT & 0xF0) or code > _LAST_JUMP:
        return UNKNOWN
    if insn.kind is Class.JMP32:
        return "jmp32"
    return "jmp_ext" if code in _EXTENDED_JUMPS else "base"


def _memory(insn: Insn) -> str:
    mode, kind, double = insn.code & 0xE0, insn.kind, insn.code & 0x18 == _SIZE_DW
    if kind is Class.LD:
        known = insn.code == LD_IMM64 or (mode in (MODE_ABS, MODE_IND) and not double)
        return "base" if known else UNKNOWN
    if mode == MODE_MEM:
        return "store_imm" if kind is Class.ST else "base"
    if mode == MODE_MEMSX and kind is Class.LDX and not double:
        return "ldsx"
    if mode == MODE_ATOMIC and kind is Class.STX:
        return _atomic(insn, double)
    return UNKNOWN


def _atomic(insn: Insn, double: bool) -> str:
    if insn.imm in (LOAD_ACQUIRE, STORE_RELEASE):
        return "load_acquire_store_release"
    if insn.imm not in _ATOMICS or not (double or insn.code & 0x18 == 0):
        return UNKNOWN
    if insn.imm == 0:
        return "base"
    return "atomic_fetch" if insn.imm & FETCH else "atomic"
