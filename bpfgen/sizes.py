"""How large objects are, as data: what `bpfgen size` prints, and keeps as a baseline. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Optional

from bpfgen.bpf.info import MapInfo, ProgramInfo
from bpfgen.bpf.memory import memory
from bpfgen.bpf.object import BpfObject
from bpfgen.bpf.stack import stacks
from bpfgen.frozen import frozen


@frozen
class ProgramSize:
    """A program, or a function that programs call."""

    name: str
    instructions: int
    """8-byte slots."""
    bytes: int
    own: int
    """Bytes of its own stack frame."""
    stack: int
    """Bytes of stack of its deepest chain of calls, with the kernel's rounding."""
    chain: tuple[str, ...]
    """The functions of that chain."""
    subprogram: bool = False


@frozen
class MapSize:
    """A map."""

    name: str
    type: str
    memory: Optional[int]
    """Bytes when it is full, an estimate; None where the object doesn't say."""


@frozen
class ObjectSize:
    """An object."""

    object: str
    """Its id, or its file."""
    bytes: int
    programs: tuple[ProgramSize, ...]
    maps: tuple[MapSize, ...]

    @property
    def instructions(self) -> int:
        """Of all its functions."""
        return sum(each.instructions for each in self.programs)

    @property
    def memory(self) -> int:
        """Of all its maps that are known."""
        return sum(each.memory or 0 for each in self.maps)


@frozen
class Growth:
    """A number that isn't what the baseline has."""

    object: str
    what: str
    """`bytes`, `memory`; `instructions` and `stack` of a function."""
    name: str
    """The function's; empty for the object's own numbers."""
    before: int
    now: int

    @property
    def percent(self) -> float:
        """Infinite where there was nothing."""
        return 100 * (self.now - self.before) / self.before if self.before else float("inf")


def sizes(found: BpfObject, name: str, cpus: int) -> ObjectSize:
    """The sizes of an object; raises Malformed."""
    deep = {(function.section.removeprefix("?"), function.name): stack for function, stack in _stacks(found)}

    def program(each: ProgramInfo, is_sub: bool) -> ProgramSize:
        own, depth, chain = deep.get((each.section, each.name), (0, 0, ()))
        return ProgramSize(each.name, each.instructions, 8 * each.instructions, own, depth, chain, is_sub)

    programs = [program(each, False) for each in found.programs] + [program(each, True) for each in found.subprograms]
    return ObjectSize(name, len(found.data), tuple(programs), tuple(map_sizes(found.maps, cpus)))


def _stacks(found: BpfObject) -> Iterator[Any]:
    deep = stacks(found.functions)
    for function in found.functions:
        stack = deep[function.section, function.start]
        names = (each.name for each in stack.chain[1:])
        yield function, (stack.own, stack.depth, (function.name, *names))


def map_sizes(maps: Iterable[MapInfo], cpus: int) -> Iterator[MapSize]:
    """The maps' memory."""
    return (MapSize(each.name, each.type, memory(each, cpus)) for each in maps)


def to_json(found: Iterable[ObjectSize], cpus: int) -> dict[str, Any]:
    """As JSON's values, which are a baseline, too."""
    return {"format": 1, "cpus": cpus, "objects": [dataclasses.asdict(each) for each in found]}


def from_json(value: Any) -> tuple[list[ObjectSize], int]:
    """What `to_json` made, and its CPUs; raises TypeError, ValueError, LookupError where it is something else."""
    if value["format"] != 1:
        raise ValueError(value["format"])
    return [_object(each) for each in value["objects"]], int(value["cpus"])


def _object(value: Mapping[str, Any]) -> ObjectSize:
    programs = tuple(ProgramSize(**{**each, "chain": tuple(each["chain"])}) for each in value["programs"])
    found = ObjectSize(str(value["object"]), int(value["bytes"]), programs, tuple(MapSize(**m) for m in value["maps"]))
    for number in (*(n for p in programs for n in (p.instructions, p.stack)), found.memory):
        if not isinstance(number, int):
            raise TypeError(number)
    return found


def growths(before: Iterable[ObjectSize], now: Iterable[ObjectSize]) -> Iterator[Growth]:
    """Every number that changed, of objects and functions that both have; what is new or gone is `bpfgen diff`'s."""
    old = {each.object: each for each in before}
    for each in now:
        if each.object in old:
            yield from _growths(old[each.object], each)


def _growths(before: ObjectSize, now: ObjectSize) -> Iterator[Growth]:
    rows = [("bytes", "", before.bytes, now.bytes), ("memory", "", before.memory, now.memory)]
    old = {each.name: each for each in before.programs}
    for each in now.programs:
        if each.name in old:
            rows.append(("instructions", each.name, old[each.name].instructions, each.instructions))
            rows.append(("stack", each.name, old[each.name].stack, each.stack))
    return (Growth(now.object, *row) for row in rows if row[2] != row[3])
