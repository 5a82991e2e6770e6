"""CO-RE relocations of an object, resolved against a kernel's types as a loader does it.

resolver = Resolver(found, "libbpf")        # once for an object
resolver.resolve(types)                     # for each kernel: (section, slot) → Resolution
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Iterator
from typing import Optional

from bpfgen.bpf.code import Function
from bpfgen.bpf.corecilium import Cilium
from bpfgen.bpf.corelibbpf import Libbpf
from bpfgen.bpf.insns import Insn
from bpfgen.bpf.kernel import KernelTypes
from bpfgen.bpf.needs import Reader
from bpfgen.bpf.object import BpfObject
from bpfgen.bpf.programs import SUBPROGRAMS
from bpfgen.bpf.resolution import (
    AMBIGUOUS,
    MISSING,
    REFUSED,
    RESOLVED,
    STATES,
    Asked,
    Own,
    Place,
    Resolution,
)
from bpfgen.bpf.shapes import Shapes

__all__ = ["AMBIGUOUS", "MISSING", "REFUSED", "RESOLVED", "Place", "Resolution", "Resolver"]


class Resolver:
    """The relocations of one object."""

    def __init__(self, found: BpfObject, loader: str = "libbpf") -> None:
        """`loader` is `libbpf` or `cilium`. Raises Malformed where the object's types or relocations are damaged."""
        self.asked = tuple(_asked(found))
        self.own = Own(Shapes(found.btf)) if found.btf is not None else None
        self.programs = tuple(_programs(found, self.asked)) if loader == "cilium" else ()
        self._loader = loader

    def resolve(self, types: KernelTypes, skipped: Container[str] = ()) -> dict[Place, Resolution]:
        """By place; programs whose names are in `skipped` aren't loaded, so theirs aren't looked at.

        cilium/ebpf chooses types for each program. Where that gives a function of several programs several results,
        the worst one is here.
        """
        if self.own is None:
            return {}
        if self._loader != "cilium":
            run = Libbpf(self.own, types)
            return {each.place: run.resolution(each) for each in self.asked if each.function.name not in skipped}
        found: dict[Place, Resolution] = {}
        for program, asked in self.programs:
            if program.name not in skipped:
                for place, each in Cilium(self.own, types).resolutions(asked):
                    found[place] = max(found.get(place, each), each, key=lambda known: STATES.index(known.state))
        return found


def _programs(found: BpfObject, asked: tuple[Asked, ...]) -> Iterator[tuple[Function, tuple[Asked, ...]]]:
    """Programs with the relocations of all functions that they use."""
    reader = Reader(found.functions)
    for program in found.functions:
        if program.section != SUBPROGRAMS:
            own = {(each.section, each.start) for each in reader.reachable(program)}
            yield program, tuple(each for each in asked if (each.function.section, each.function.start) in own)


def _asked(found: BpfObject) -> Iterator[Asked]:
    """The relocations that are of a function; a linker leaves those of weak functions that it dropped."""
    by_section: dict[str, tuple[list[int], list[Function]]] = {}
    for function in found.functions:
        starts, functions = by_section.setdefault(function.section, ([], []))
        starts.append(function.start)
        functions.append(function)
    for relocation in found.relocations:
        starts, functions = by_section.get(relocation.section, ([], []))
        at = bisect_right(starts, relocation.slot) - 1
        insn = _instruction(functions[at], relocation.slot) if at >= 0 else None
        if insn is not None:
            yield Asked(relocation, insn, functions[at])


def _instruction(function: Function, slot: int) -> Optional[Insn]:
    """The instruction at a slot; None where none begins there. Instructions are at most as many as slots."""
    code = function.code
    at = bisect_right(code, (slot, 256)) - 1
    return code[at] if at >= 0 and code[at].slot == slot else None
