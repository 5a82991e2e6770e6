"""The instructions of a function as blocks, each of which runs from its beginning to its end."""

from __future__ import annotations

from bpfgen.bpf.code import Function
from bpfgen.bpf.insns import CALL, PSEUDO_CALL, Class, Insn
from bpfgen.frozen import frozen


@frozen
class Block:
    """Instructions without a jump between them."""

    code: tuple[Insn, ...]
    next: int
    """The slot after it."""

    @property
    def last(self) -> Insn:
        """Which may be a jump, an exit or a call of a function."""
        return self.code[-1]


def blocks(function: Function) -> dict[int, Block]:
    """By the slot that each begins at."""
    begins = {function.start}
    for insn in function.code:
        after = insn.slot + 1
        if ends_block(insn):
            begins.add(after)
            if insn.target is not None and insn.code != CALL:
                begins.add(insn.target)
    found: dict[int, Block] = {}
    own: list[Insn] = []
    for insn in function.code:
        if insn.slot in begins and own:
            found[own[0].slot] = Block(tuple(own), insn.slot)
            own = []
        own.append(insn)
    if own:
        found[own[0].slot] = Block(tuple(own), own[-1].slot + 1 + own[-1].wide)
    return found


def ends_block(insn: Insn) -> bool:
    """Whether what runs next may be something else than the next instruction, or is known later."""
    if insn.code == CALL:
        return insn.src == PSEUDO_CALL
    return insn.kind in (Class.JMP, Class.JMP32)
