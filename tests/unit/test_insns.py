"""Instructions: decoded in both byte orders, written as LLVM writes them, and known by their instruction set."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpfgen.bpf.disasm import text
from bpfgen.bpf.insns import Insn, decode
from bpfgen.bpf.isa import feature, newest_cpu
from bpfgen.bpf.malformed import Malformed
from bpfgen.catalog import table

ORDERS = [True, False]


def encoded(little: bool, *slots: tuple[int, int, int, int, int]) -> bytes:
    """Slots of opcode, destination, source, offset, immediate."""
    data = b""
    for code, dst, src, offset, imm in slots:
        registers = src << 4 | dst if little else dst << 4 | src
        data += struct.pack("<BBhi" if little else ">BBhi", code, registers, offset, imm)
    return data


# Encodings by Documentation/bpf/standardization/instruction-set.rst and linux/bpf.h; texts by LLVM's BPFInstrInfo.td.
FORMS = [
    ((0x07, 1, 0, 0, 5), "r1 += 0x5", "base"),
    ((0x0F, 1, 2, 0, 0), "r1 += r2", "base"),
    ((0xBF, 0, 15, 0, 0), ".insn 0xbf, r0, r15, 0x0, 0x0", "unknown"),
    ((0x04, 1, 0, 0, -1), "w1 += -0x1", "alu32"),
    ((0xCC, 3, 4, 0, 0), "w3 s>>= w4", "alu32"),
    ((0x37, 1, 0, 0, 2), "r1 /= 0x2", "base"),
    ((0x37, 1, 0, 1, 2), "r1 s/= 0x2", "sdiv_smod"),
    ((0x9C, 1, 2, 1, 0), "w1 s%= w2", "sdiv_smod"),
    ((0x87, 7, 0, 0, 0), "r7 = -r7", "base"),
    ((0x84, 7, 0, 0, 0), "w7 = -w7", "alu32"),
    ((0x8F, 7, 0, 0, 0), ".insn 0x8f, r7, r0, 0x0, 0x0", "unknown"),
    ((0xB7, 0, 0, 0, -2), "r0 = -0x2", "base"),
    ((0xBF, 6, 1, 0, 0), "r6 = r1", "base"),
    ((0xBF, 6, 1, 8, 0), "r6 = (s8)r1", "movsx"),
    ((0xBF, 6, 1, 32, 0), "r6 = (s32)r1", "movsx"),
    ((0xBC, 6, 1, 16, 0), "w6 = (s16)w1", "movsx"),
    ((0xBC, 6, 1, 32, 0), ".insn 0xbc, r6, r1, 0x20, 0x0", "unknown"),
    ((0xBF, 1, 2, 1, 0x10000), "r1 = addr_space_cast(r2, 0x1, 0x0)", "addr_space_cast"),
    ((0xDC, 1, 0, 0, 16), "r1 = be16 r1", "base"),
    ((0xD4, 1, 0, 0, 64), "r1 = le64 r1", "base"),
    ((0xD7, 1, 0, 0, 32), "r1 = bswap32 r1", "bswap"),
    ((0xD7, 1, 0, 0, 8), ".insn 0xd7, r1, r0, 0x0, 0x8", "unknown"),
    ((0x05, 0, 0, -3, 0), "goto -0x3", "base"),
    ((0x06, 0, 0, 0, 70000), "gotol +0x11170", "gotol"),
    ((0x0D, 2, 0, 0, 0), "gotox r2", "gotox"),
    ((0xE5, 0, 0, 4, 0), "may_goto +0x4", "may_goto"),
    ((0x15, 1, 0, 3, 0), "if r1 == 0x0 goto +0x3", "base"),
    ((0x1D, 1, 2, 3, 0), "if r1 == r2 goto +0x3", "base"),
    ((0x45, 1, 0, 3, 4), "if r1 & 0x4 goto +0x3", "base"),
    ((0xA5, 1, 0, 3, 9), "if r1 < 0x9 goto +0x3", "jmp_ext"),
    ((0xDD, 1, 2, -1, 0), "if r1 s<= r2 goto -0x1", "jmp_ext"),
    ((0x16, 1, 0, 3, 0), "if w1 == 0x0 goto +0x3", "jmp32"),
    ((0x85, 0, 0, 0, 1), "call 0x1", "base"),
    ((0x8D, 3, 0, 0, 0), "callx r3", "callx"),
    ((0x95, 0, 0, 0, 0), "exit", "base"),
    ((0x61, 1, 2, -4, 0), "w1 = *(u32 *)(r2 - 0x4)", "base"),
    ((0x79, 1, 2, 8, 0), "r1 = *(u64 *)(r2 + 0x8)", "base"),
    ((0x91, 1, 2, 0, 0), "r1 = *(s8 *)(r2 + 0x0)", "ldsx"),
    ((0x99, 1, 2, 0, 0), ".insn 0x99, r1, r2, 0x0, 0x0", "unknown"),
    ((0x6B, 10, 3, -8, 0), "*(u16 *)(r10 - 0x8) = w3", "base"),
    ((0x7A, 10, 0, -8, 7), "*(u64 *)(r10 - 0x8) = 0x7", "store_imm"),
    ((0x30, 0, 0, 0, 23), "r0 = *(u8 *)skb[0x17]", "base"),
    ((0x48, 0, 7, 0, 0), "r0 = *(u16 *)skb[r7]", "base"),
    ((0xDB, 1, 2, 0, 0x00), "lock *(u64 *)(r1 + 0x0) += r2", "base"),
    ((0xC3, 1, 2, 0, 0x50), "lock *(u32 *)(r1 + 0x0) &= w2", "atomic"),
    ((0xDB, 1, 2, 8, 0x01), "r2 = atomic_fetch_add((u64 *)(r1 + 0x8), r2)", "atomic_fetch"),
    ((0xC3, 1, 2, 0, 0xE1), "w2 = xchg32_32(r1 + 0x0, w2)", "atomic_fetch"),
    ((0xDB, 1, 2, 0, 0xE1), "r2 = xchg_64(r1 + 0x0, r2)", "atomic_fetch"),
    ((0xDB, 1, 2, 0, 0xF1), "r0 = cmpxchg_64(r1 + 0x0, r0, r2)", "atomic_fetch"),
    ((0xC3, 1, 2, 0, 0xF1), "w0 = cmpxchg32_32(r1 + 0x0, w0, w2)", "atomic_fetch"),
    ((0xDB, 1, 2, 0, 0x100), "r1 = load_acquire((u64 *)(r2 + 0x0))", "load_acquire_store_release"),
    ((0xD3, 1, 2, 0, 0x110), "store_release((u8 *)(r1 + 0x0), w2)", "load_acquire_store_release"),
    ((0xDB, 1, 2, 0, 0x30), ".insn 0xdb, r1, r2, 0x0, 0x30", "unknown"),
    ((0xD3, 1, 2, 0, 0x00), ".insn 0xd3, r1, r2, 0x0, 0x0", "unknown"),
]


@pytest.mark.parametrize("little", ORDERS)
@pytest.mark.parametrize(("slot", "words", "of"), FORMS, ids=[words for _slot, words, _of in FORMS])
def test_forms(little: bool, slot: tuple[int, int, int, int, int], words: str, of: str) -> None:
    (insn,) = decode(encoded(little, slot), little)
    assert insn == (0, *slot, 0)
    assert text(insn) == words
    assert feature(insn) == of


@pytest.mark.parametrize("little", ORDERS)
def test_a_64_bit_load_has_two_slots(little: bool) -> None:
    code = encoded(little, (0x18, 3, 0, 0, -1), (0, 0, 0, 0, 0x7F), (0x95, 0, 0, 0, 0))
    load, end = decode(code, little, start=10)
    assert (load.wide, load.imm64, end.slot) == (True, 0x7F_FFFF_FFFF, 12)
    assert text(load) == "r3 = 0x7fffffffff ll"
    assert text(load, "counters") == "r3 = counters ll"
    assert text(load._replace(high=1 << 31, imm=0)) == "r3 = -0x8000000000000000 ll"
    assert text(load._replace(src=1, high=0, imm=7)) == "ld_pseudo r3, 0x1, 0x7"


def test_half_a_load_is_malformed() -> None:
    with pytest.raises(Malformed, match="instruction 1 has no second half"):
        list(decode(encoded(True, (0x95, 0, 0, 0, 0), (0x18, 1, 0, 0, 0)), True))
    with pytest.raises(Malformed, match="no second half"):
        list(decode(encoded(True, (0x18, 1, 0, 0, 0), (0x95, 0, 0, 0, 0)), True))
    with pytest.raises(Malformed, match="within an instruction"):
        list(decode(bytes(12), True))


def test_targets() -> None:
    rows = [
        ((0x05, 0, 0, 2, 0), 8),
        ((0x15, 1, 0, -6, 0), 0),
        ((0x06, 0, 0, 0, 100), 106),
        ((0x85, 0, 1, 0, -3), 3),
        ((0x85, 0, 0, 0, 1), None),
        ((0x95, 0, 0, 0, 0), None),
        ((0x0D, 1, 0, 0, 0), None),
        ((0xB7, 1, 0, 0, 1), None),
    ]
    assert [Insn(5, *slot).target for slot, _target in rows] == [target for _slot, target in rows]


def test_the_newest_instruction_set_counts() -> None:
    assert newest_cpu(frozenset({"base"})) == "v1"
    assert newest_cpu(frozenset({"base", "jmp_ext", "unknown"})) == "v2"
    assert newest_cpu(frozenset({"jmp32", "bswap", "jmp_ext"})) == "v4"
    names = {of for _slot, _text, of in FORMS} - {"unknown"}
    assert names == set(table("isa")["feature"])


@given(st.binary(max_size=200).map(lambda data: data[: len(data) // 8 * 8]), st.booleans())
def test_any_bytes_have_a_text(data: bytes, little: bool) -> None:
    try:
        code = list(decode(data, little))
    except Malformed:
        return
    assert all(text(insn) and feature(insn) for insn in code)
    assert sum(2 if insn.wide else 1 for insn in code) == len(data) // 8
