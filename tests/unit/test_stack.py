"""Stack depth by instructions and calls, and maps' memory by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpfgen.bpf.code import Function, Reference
from bpfgen.bpf.info import MapInfo
from bpfgen.bpf.insns import Insn
from bpfgen.bpf.memory import memory
from bpfgen.bpf.object import BpfObject
from bpfgen.bpf.stack import LOOSE, own_depth, stacks

OBJECTS = Path(__file__).parent.parent / "data" / "objects"
STORE, STORE_IMM, LOAD, MOVE, MOVE_IMM, ADD, JUMP, EXIT, CALL = 0x7B, 0x7A, 0x79, 0xBF, 0xB7, 0x07, 0x15, 0x95, 0x85


def function(name: str, *code: Insn, calls: tuple[str, ...] = (), kind: str = "call") -> Function:
    """One whose place is a section of its own."""
    references = {100 + index: Reference(kind, each, place=(each, 0)) for index, each in enumerate(calls)}
    return Function(name, name, 0, (*code, Insn(len(code), EXIT, 0, 0, 0, 0)), references)


def frame(size: int) -> Insn:
    """A store at the deepest place."""
    return Insn(0, STORE, 10, 1, -size, 0)


@pytest.mark.parametrize(
    ("code", "depth"),
    [
        ([], 0),
        ([(STORE, 10, 1, -24, 0)], 24),
        ([(STORE_IMM, 10, 0, -9, 0)], 16),
        # below another pointer
        ([(LOAD, 1, 1, -16, 0), (STORE, 2, 10, 0, 0)], 0),
        ([(LOAD, 1, 10, -16, 0)], 16),
        ([(MOVE, 2, 10, 0, 0), (ADD, 2, 0, 0, -40)], 40),
        ([(MOVE, 2, 10, 0, 0), (ADD, 2, 0, 0, -40), (STORE, 2, 1, -8, 0)], 48),
        ([(MOVE, 6, 10, 0, 0), (MOVE, 2, 6, 0, 0), (ADD, 2, 0, 0, -8)], 8),
        # a register that holds something else by then
        ([(MOVE, 2, 10, 0, 0), (MOVE_IMM, 2, 0, 0, 5), (STORE, 2, 1, -400, 0)], 0),
        ([(MOVE, 2, 10, 0, 0), (CALL, 0, 0, 0, 1), (STORE, 2, 1, -400, 0)], 0),
        ([(MOVE, 6, 10, 0, 0), (CALL, 0, 0, 0, 1), (STORE, 6, 1, -8, 0)], 8),
        # behind a jump's target, where one way brings it
        ([(JUMP, 1, 0, 1, 0), (MOVE, 2, 10, 0, 0), (STORE, 2, 1, -400, 0)], 400),
    ],
)
def test_own_depth(code: list[tuple[int, int, int, int, int]], depth: int) -> None:
    assert own_depth(function("f", *(Insn(slot, *each) for slot, each in enumerate(code)))) == depth


def test_chains() -> None:
    """The deepest chain, rounded frame by frame; callbacks count, those of timers don't, and recursion ends."""
    timer = {0: Reference("helper", "timer_set_callback"), 1: Reference("function", "deep", place=("deep", 0))}
    functions = [
        function("a", frame(8), calls=("b", "deep")),
        function("b", calls=("c",)),
        function("c", frame(33)),
        function("deep", frame(500)),
        function("callback", calls=("deep",), kind="function"),
        Function("timed", "timed", 0, (), timer),
        function("self", frame(1), calls=("self",)),
    ]
    found = {place[0]: stack for place, stack in stacks(functions).items()}
    chains = {name: tuple(each.name for each in stack.chain) for name, stack in found.items()}
    assert (found["a"].own, found["a"].depth, chains["a"]) == (8, 32 + 512, ("a", "deep"))
    assert (found["b"].depth, chains["b"]) == (32 + 64, ("b", "c"))
    assert found["callback"].depth == 32 + 512
    assert found["timed"].depth == 32
    assert (found["self"].depth, len(found["self"].chain)) == (8 * 32, 8)
    assert stacks(functions, LOOSE)["b", 0].depth == 48


@pytest.mark.parametrize("target", ["bpfel", "bpfeb"])
def test_stack_of_real_objects(target: str) -> None:
    """needs.c has a buffer of 16 bytes in `twice`, which `enter` calls."""
    functions = BpfObject((OBJECTS / f"needs.{target}.o").read_bytes()).functions
    found = {stack.chain[0].name: stack for stack in stacks(functions).values()}
    assert found["twice"].own == 16
    assert found["enter"].depth == 64


def test_memory() -> None:
    """By hand, from the kernel's rules; tests/real/test_map_memory.py asks a kernel."""
    assert memory(MapInfo("m", "array", 4, 12, 100, 0)) == 1600
    assert memory(MapInfo("m", "array", 4, 12, 100, 0x400)) == 2 * 4096
    assert memory(MapInfo("m", "percpu_array", 4, 12, 100, 0), 4) == 100 * (8 + 4 * 16)
    assert memory(MapInfo("m", "hash", 4, 8, 100, 0), 2) == 128 * 16 + 2 * 32 + 2 * 8 + 102 * (48 + 8 + 8)
    assert memory(MapInfo("m", "ringbuf", 0, 0, 4096, 0)) == 4 * 4096
    assert memory(MapInfo("m", "hash", 4, 8, 0, 0)) is None
    assert memory(MapInfo("m", "sk_storage", 4, 8, 1, 0)) is None
