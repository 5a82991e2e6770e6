"""Registers on the way through a block, and where numbers that are known come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Optional, Union

from bpfgen.bpf.code import Function, Reference
from bpfgen.bpf.externs import Extern
from bpfgen.bpf.flowvalues import NONZERO, WIDE, Pointer, Value, arithmetic, join, lower_bits, signed
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
from bpfgen.bpf.resolution import Place, Resolution
from bpfgen.frozen import field, frozen

SPILLS = (5, 3)
"""The first that knows a number again after it was kept on the stack (commit f7cf25b2026d); zeros were before …"""
HALF_SPILLS = (5, 16)
"""… and one of 32 bits (commit 354e8f1970f8)."""
FRAME = 10
"""The register that points to the end of a function's stack."""
CONSTANT_MAPS = (5, 5)
"""The first kernel whose verifier reads maps that nothing can change (commit a23740ec43ba)."""
XOR_FOLLOWED = (5, 10)
"""The first that follows XOR (commit 2921c90d4718)."""
CMPXCHG = 0xF1
ADD64, MOV64_REGISTER = 0x07, 0xBF
XOR = 0xA0
TRISTATE = {"n": 0, "y": 1, "m": 2}
"""`enum libbpf_tristate`"""


class State(NamedTuple):
    """What is known at a place in a function."""

    registers: tuple[Value, ...]
    """Of r0 to r10, and to r15, which an instruction may name that no kernel takes."""
    stack: Mapping[int, tuple[int, Value]]
    """Of what was put there, by the offset from the stack's end: bytes, and the value."""


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

    def __init__(
        self, found: BpfObject, asked: frozenset[Place], resolutions: Mapping[Place, Resolution], known: Known
    ) -> None:
        """`asked` are the places of all relocations: one without a resolution isn't known."""
        version = known.version
        self._resolutions = resolutions
        self._asked = asked
        self.xor = version is None or version >= XOR_FOLLOWED
        self.spills = {8: version is None or version >= SPILLS, 4: version is None or version >= HALF_SPILLS}
        self._known = known
        self._elf = found.elf
        self._externs: dict[str, Extern] = {each.name: each for each in found.externs}
        self._maps = version is None or version >= CONSTANT_MAPS
        self._sections = {each.name: each.data for each in found.elf.sections if each.name.startswith(".rodata")}

    def immediate(self, place: Place, plain: int) -> Value:
        """What an instruction has as a number; `plain` where no relocation sets it."""
        if place not in self._asked:
            return plain
        known = self._resolutions.get(place)
        return known.value & WIDE if known is not None and known.value is not None else None

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
    """At a function's first instruction; of `arguments`, what the caller knows, r1 to r5 come along."""
    given = arguments.registers[1:6] if arguments is not None else (None,) * 5
    return State((None, *given, *(None,) * 4, NONZERO, *(None,) * 5), {})


def meet(one: State, other: State) -> State:
    """Where two ways meet."""
    stack = {}
    for at in one.stack.keys() & other.stack.keys():
        (size, mine), (as_well, theirs) = one.stack[at], other.stack[at]
        if size == as_well and join(mine, theirs) is not None:
            stack[at] = (size, join(mine, theirs))
    return State(tuple(map(join, one.registers, other.registers)), stack)


def with_register(state: State, number: int, value: Value) -> State:
    """The same, but for a register."""
    registers = state.registers
    return State((*registers[:number], value, *registers[number + 1 :]), state.stack)


def returned(state: State, result: Value) -> State:
    """After a call that gave back `result`."""
    return State((result, *(None,) * 5, *state.registers[6:]), state.stack)


def lowest_address(function: Function) -> int:
    """The lowest place on its stack that a function takes the address of: it may be written to from there on upwards.

    What is below is only what clang keeps there for itself, and reads with an offset from r10.
    """
    lowest = 0
    for at, insn in enumerate(function.code):
        if insn.code == MOV64_REGISTER and insn.src == FRAME:
            after = function.code[at + 1] if at + 1 < len(function.code) else insn
            if after.code != ADD64 or after.dst != insn.dst:
                return -(1 << 31)
            lowest = min(lowest, after.imm)
    return lowest


class Run:
    """A block of instructions; `registers` and `stack` are as they are so far."""

    def __init__(self, function: Function, lowest: int, constants: Constants) -> None:
        self._function = function
        self._lowest = lowest
        self._constants = constants
        self.addresses: list[Place] = []
        """Functions whose addresses were taken."""
        self.registers: list[Value] = []
        self.stack: dict[int, tuple[int, Value]] = {}

    def through(self, code: tuple[Insn, ...], state: State) -> State:
        """What is known after the instructions of a block.

        A jump or a call of a function of the object, with which it may end, changes nothing here.
        """
        self.registers, self.stack = list(state.registers), dict(state.stack)
        for insn in code:
            kind = insn.code & 7
            if kind in (Class.ALU, Class.ALU64):
                self.registers[insn.dst] = _arithmetic(insn, self.registers, self._function.section, self._constants)
            elif kind == Class.LDX:
                self.registers[insn.dst] = self._load(insn)
            elif insn.code == LD_IMM64:
                self.registers[insn.dst] = self._wide(insn)
            elif kind == Class.LD or insn.code in (CALL, CALLX):
                reference = self._function.references.get(insn.slot)
                if reference is None or reference.kind != "call":
                    self.registers[:6] = (None,) * 6
            elif kind in (Class.ST, Class.STX):
                self._store(insn)
        return State(tuple(self.registers), self.stack)

    def _wide(self, insn: Insn) -> Value:
        reference = self._function.references.get(insn.slot)
        if reference is None:
            return self._constants.immediate((self._function.section, insn.slot), insn.imm64)
        if reference.kind == "function":
            self.addresses.append(reference.place)
        return self._constants.address(reference)

    def _load(self, insn: Insn) -> Value:
        if insn.src != FRAME:
            return _load(insn, self.registers[insn.src], self._constants)
        size, value = self.stack.get(insn.offset, (0, None))
        return value if insn.code & 0xE0 == MODE_MEM and size == SIZES[insn.code & 0x18] else None

    def _store(self, insn: Insn) -> None:
        is_atomic = insn.code & 0xE0 == MODE_ATOMIC
        if is_atomic:
            _atomic(insn, self.registers)
        if insn.dst != FRAME:
            return
        size = SIZES[insn.code & 0x18]
        for at, (length, _value) in list(self.stack.items()):
            if at < insn.offset + size and insn.offset < at + length:
                del self.stack[at]
        value: Value = self.registers[insn.src] if insn.code & 7 == Class.STX else 0 if insn.imm == 0 else None
        if not is_atomic and insn.offset < self._lowest and value is not None and self._kept(value, size):
            self.stack[insn.offset] = (size, value if size == 8 else lower_bits(value, 8 * size))

    def _kept(self, value: Value, size: int) -> bool:
        """Whether a verifier knows a value again after it was on the stack."""
        if isinstance(value, Pointer):
            return size == 8
        return value == 0 or self._constants.spills.get(size, False)


def _arithmetic(insn: Insn, registers: list[Value], section: str, constants: Constants) -> Value:
    if insn.code & 0xF0 == XOR and not constants.xor:
        return None
    if insn.code & REGISTER:
        right = registers[insn.src]
    else:
        right = constants.immediate((section, insn.slot), insn.imm)
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
