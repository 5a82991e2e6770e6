"""Registers on the way through a block, and where numbers that are known come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional, Union

from bpfgen.bpf.code import Function, Reference
from bpfgen.bpf.externs import Extern
from bpfgen.bpf.flowvalues import NONZERO, WIDE, Pointer, Value, arithmetic, join, signed
from bpfgen.bpf.insns import (
    CALL,
    CALLX,
    FETCH,
    LD_IMM64,
    LOAD_ACQUIRE,
    MODE_ATOMIC,
    MODE_MEM,
    MODE_MEMSX,
    REGISTER,
    SIZES,
    Class,
    Insn,
)
from bpfgen.bpf.object import BpfObject
from bpfgen.bpf.resolution import RESOLVED, Place, Resolution
from bpfgen.frozen import field, frozen

State = tuple[Value, ...]
"""Of r0 to r10, and to r15, which an instruction may name that no kernel takes."""
CONSTANT_MAPS = (5, 5)
"""The first kernel whose verifier reads maps that nothing can change (commit a23740ec43ba)."""
XOR_FOLLOWED = (5, 10)
"""The first that follows XOR (commit 2921c90d4718)."""
CMPXCHG = 0xF1
XOR = 0xA0
TRISTATE = {"n": 0, "y": 1, "m": 2}
"""`enum libbpf_tristate`"""


@frozen
class Known:
    """What is known of a kernel and of an object's settings."""

    version: Optional[tuple[int, int]] = None
    """Upstream's, of the verifier; None for a new one."""
    ksyms: Mapping[str, bool] = field(default_factory=dict)
    """Whether the kernel has an extern symbol or function; what isn't here may be there or not."""
    kconfig: Mapping[str, Union[int, str]] = field(default_factory=dict)
    """Settings (`CONFIG_HZ`, `LINUX_KERNEL_VERSION`) as numbers, or `y`, `n`, `m`."""
    constants: bool = True
    """Whether `const volatile` variables stay as the object has them."""


class Constants:
    """Numbers that one kernel and one object give."""

    def __init__(self, found: BpfObject, resolutions: Mapping[Place, Resolution], known: Known) -> None:
        version = known.version
        self.resolutions = resolutions
        self.xor = version is None or version >= XOR_FOLLOWED
        self._known = known
        self._elf = found.elf
        self._externs: dict[str, Extern] = {each.name: each for each in found.externs}
        self._maps = version is None or version >= CONSTANT_MAPS
        self._sections = {each.name: each.data for each in found.elf.sections if each.name.startswith(".rodata")}

    def address(self, reference: Reference) -> Value:
        """What a 64-bit load of something gives."""
        if reference.kind == "data":
            return Pointer("data", *reference.place)
        if reference.kind == "kconfig":
            return Pointer("kconfig", reference.name, reference.offset)
        extern = self._externs.get(reference.name)
        if extern is None or reference.kind not in ("ksym", "kfunc", "extern"):
            return NONZERO
        there = self._known.ksyms.get(reference.name)
        if there is None:
            return None if extern.weak else NONZERO
        return NONZERO if there or not extern.weak else 0

    def load(self, pointer: Pointer, size: int) -> Optional[int]:
        """What is at a place in memory that nothing changes; None where that isn't known."""
        if not self._maps:
            return None
        if pointer.kind == "kconfig":
            return self._setting(pointer.name, size) if pointer.offset == 0 else None
        data = self._sections.get(pointer.name) if self._known.constants else None
        if data is None or not 0 <= pointer.offset <= len(data) - size:
            return None
        order = "little" if self._elf.little else "big"
        return int.from_bytes(data[pointer.offset : pointer.offset + size], order)  # type: ignore[arg-type]

    def _setting(self, name: str, size: int) -> Optional[int]:
        """As libbpf puts it into `.kconfig` (set_kcfg_value_tri); a weak one that the kernel doesn't have is 0."""
        value, extern = self._known.kconfig.get(name), self._externs.get(name)
        if isinstance(value, str):
            is_char = extern is not None and extern.type.endswith("char")
            value = ord(value) if is_char and len(value) == 1 else TRISTATE.get(value)
        return None if value is None else value & ((1 << 8 * size) - 1)


def entry(arguments: Optional[State]) -> State:
    """Registers at a function's first instruction; of `arguments`, the caller's registers, r1 to r5 come along."""
    given = arguments[1:6] if arguments is not None else (None,) * 5
    return (None, *given, *(None,) * 4, NONZERO, *(None,) * 5)


def meet(one: State, other: State) -> State:
    """Registers where two ways meet."""
    return tuple(map(join, one, other))


def run(code: tuple[Insn, ...], function: Function, state: State, constants: Constants) -> tuple[State, list[Place]]:
    """Registers after the instructions of a block, and the functions whose addresses were taken.

    A jump or a call of a function of the object, with which it may end, changes nothing here.
    """
    registers = list(state)
    addresses: list[Place] = []
    for insn in code:
        kind = insn.code & 7
        if kind in (Class.ALU, Class.ALU64):
            registers[insn.dst] = _arithmetic(insn, registers, function.section, constants)
        elif kind == Class.LDX:
            registers[insn.dst] = _load(insn, registers[insn.src], constants)
        elif insn.code == LD_IMM64:
            reference = function.references.get(insn.slot)
            if reference is not None and reference.kind == "function":
                addresses.append(reference.place)
            registers[insn.dst] = _wide(insn, reference, function.section, constants)
        elif kind == Class.LD or insn.code in (CALL, CALLX):
            reference = function.references.get(insn.slot)
            if reference is None or reference.kind != "call":
                registers[:6] = (None,) * 6
        elif kind == Class.STX and insn.code & 0xE0 == MODE_ATOMIC:
            _atomic(insn, registers)
    return tuple(registers), addresses


def _wide(insn: Insn, reference: Optional[Reference], section: str, constants: Constants) -> Value:
    if reference is not None:
        return constants.address(reference)
    return _number(insn.imm64, constants.resolutions.get((section, insn.slot)))


def _number(plain: int, patched: Optional[Resolution]) -> Value:
    """The immediate of an instruction, which a relocation may have set."""
    if patched is None:
        return plain
    return patched.value & WIDE if patched.state == RESOLVED and patched.value is not None else None


def _arithmetic(insn: Insn, registers: list[Value], section: str, constants: Constants) -> Value:
    if insn.code & 0xF0 == XOR and not constants.xor:
        return None
    if insn.code & REGISTER:
        right = registers[insn.src]
    else:
        right = _number(insn.imm, constants.resolutions.get((section, insn.slot)))
        right = signed(right, 32) & WIDE if isinstance(right, int) else right
    return arithmetic(insn, registers[insn.dst], right, insn.code & 7 == Class.ALU64)


def _load(insn: Insn, pointer: Value, constants: Constants) -> Value:
    if not isinstance(pointer, Pointer) or not pointer.kind or insn.code & 0xE0 not in (MODE_MEM, MODE_MEMSX):
        return None
    size = SIZES[insn.code & 0x18]
    number = constants.load(pointer._replace(offset=pointer.offset + insn.offset), size)
    if number is None or insn.code & 0xE0 == MODE_MEM:
        return number
    return signed(number, 8 * size) & WIDE


def _atomic(insn: Insn, registers: list[Value]) -> None:
    if insn.imm == CMPXCHG:
        registers[0] = None
    elif insn.imm == LOAD_ACQUIRE:
        registers[insn.dst] = None
    elif insn.imm & FETCH:
        registers[insn.src] = None
