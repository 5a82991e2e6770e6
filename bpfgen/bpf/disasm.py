"""An instruction as text, in LLVM's notation (BPFInstrInfo.td, BPFInstPrinter.cpp), with names where there are some."""

from __future__ import annotations

from bpfgen.bpf.insns import (
    CALL,
    CALLX,
    END,
    EXIT,
    FETCH,
    JA,
    JA32,
    JCOND,
    JX,
    LD_IMM64,
    LOAD_ACQUIRE,
    MODE_ATOMIC,
    MODE_IND,
    MODE_MEMSX,
    MOV,
    NEG,
    SIZES,
    STORE_RELEASE,
    Class,
    Insn,
)
from bpfgen.bpf.isa import UNKNOWN, feature

_ARITHMETIC = {
    0x00: "+=",
    0x10: "-=",
    0x20: "*=",
    0x30: "/=",
    0x40: "|=",
    0x50: "&=",
    0x60: "<<=",
    0x70: ">>=",
    0x90: "%=",
    0xA0: "^=",
    0xB0: "=",
    0xC0: "s>>=",
}
_JUMPS = {
    0x10: "==",
    0x20: ">",
    0x30: ">=",
    0x40: "&",
    0x50: "!=",
    0x60: "s>",
    0x70: "s>=",
    0xA0: "<",
    0xB0: "<=",
    0xC0: "s<",
    0xD0: "s<=",
}
_ATOMICS = {0x00: "add", 0x40: "or", 0x50: "and", 0xA0: "xor"}


def text(insn: Insn, name: str = "") -> str:
    """One line, such as `r1 = *(u64 *)(r1 + 0x8)`; `name` stands for what a call or a 64-bit load refers to."""
    if feature(insn) == UNKNOWN:
        return f".insn {insn.code:#04x}, r{insn.dst}, r{insn.src}, {_hex(insn.offset)}, {_hex(insn.imm)}"
    kind = insn.kind
    if kind in (Class.ALU, Class.ALU64):
        return _arithmetic(insn)
    if kind in (Class.JMP, Class.JMP32):
        return _jump(insn, name)
    return _load(insn, name) if insn.code == LD_IMM64 else _memory(insn)


def _load(insn: Insn, name: str) -> str:
    number = insn.imm64 - (1 << 64) if insn.imm64 >> 63 else insn.imm64
    if insn.src and not name:  # a file descriptor, an index, an address: what the number is
        return f"ld_pseudo r{insn.dst}, {insn.src:#x}, {number:#x}"
    return f"r{insn.dst} = {name or _hex(number)} ll"


def _arithmetic(insn: Insn) -> str:
    letter = "r" if insn.kind is Class.ALU64 else "w"
    code, dst, src = insn.code & 0xF0, f"{letter}{insn.dst}", f"{letter}{insn.src}"
    if code == END:
        word = "bswap" if letter == "r" else "be" if insn.code & 8 else "le"
        return f"r{insn.dst} = {word}{insn.imm} r{insn.dst}"
    if code == NEG:
        return f"{dst} = -{dst}"
    if code == MOV and insn.offset == 1:
        return f"{dst} = addr_space_cast({src}, {insn.imm >> 16 & 0xFFFF:#x}, {insn.imm & 0xFFFF:#x})"
    if code == MOV and insn.offset:
        return f"{dst} = (s{insn.offset}){src}"
    sign = "s" if insn.offset else ""
    return f"{dst} {sign}{_ARITHMETIC[code]} {src if insn.code & 8 else _hex(insn.imm)}"


def _jump(insn: Insn, name: str) -> str:
    if insn.code == CALL:
        return f"call {name or _hex(insn.imm)}"
    if insn.code == EXIT:
        return "exit"
    if insn.code in (CALLX, JX):
        return f"{'callx' if insn.code == CALLX else 'gotox'} r{insn.dst}"
    if insn.code in (JA, JA32, JCOND):
        word = {JA: "goto", JA32: "gotol", JCOND: "may_goto"}[insn.code]
        return f"{word} {_signed(insn.imm if insn.code == JA32 else insn.offset)}"
    letter = "r" if insn.kind is Class.JMP else "w"
    other = f"{letter}{insn.src}" if insn.code & 8 else _hex(insn.imm)
    return f"if {letter}{insn.dst} {_JUMPS[insn.code & 0xF0]} {other} goto {_signed(insn.offset)}"


def _memory(insn: Insn) -> str:
    mode, size = insn.code & 0xE0, SIZES[insn.code & 0x18]
    kind = insn.kind
    if kind is Class.LD:
        return f"r0 = *(u{8 * size} *)skb[{f'r{insn.src}' if mode == MODE_IND else _hex(insn.imm)}]"
    letter = "r" if size == 8 else "w"
    if kind is Class.LDX:
        sign, letter = ("s", "r") if mode == MODE_MEMSX else ("u", letter)
        return f"{letter}{insn.dst} = *({sign}{8 * size} *)({_place(insn.src, insn.offset)})"
    place = f"(u{8 * size} *)({_place(insn.dst, insn.offset)})"
    if mode == MODE_ATOMIC:
        return _atomic(insn, letter, place, size)
    return f"*{place} = {_hex(insn.imm) if kind is Class.ST else f'{letter}{insn.src}'}"


def _atomic(insn: Insn, letter: str, place: str, size: int) -> str:
    source = f"{letter}{insn.src}"
    if insn.imm == LOAD_ACQUIRE:
        return f"{letter}{insn.dst} = load_acquire((u{8 * size} *)({_place(insn.src, insn.offset)}))"
    if insn.imm == STORE_RELEASE:
        return f"store_release({place}, {source})"
    if insn.imm in _ATOMICS:
        return f"lock *{place} {_ARITHMETIC[insn.imm]} {source}"
    width = "64" if size == 8 else "32_32"
    where = _place(insn.dst, insn.offset)
    if insn.imm & 0xF0 == 0xE0:
        return f"{source} = xchg{'_' if size == 8 else ''}{width}({where}, {source})"
    if insn.imm & 0xF0 == 0xF0:
        return f"{letter}0 = cmpxchg{'_' if size == 8 else ''}{width}({where}, {letter}0, {source})"
    return f"{source} = atomic_fetch_{_ATOMICS[insn.imm & ~FETCH]}({place}, {source})"


def _place(register: int, offset: int) -> str:
    return f"r{register} {'-' if offset < 0 else '+'} {abs(offset):#x}"


def _hex(number: int) -> str:
    return f"{number:#x}"


def _signed(number: int) -> str:
    return f"{number:+#x}"
