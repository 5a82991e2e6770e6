"""An object as the rules see it: the programs that a loader loads, and where they ask for what."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property

from bpfgen.bpf.code import Function
from bpfgen.bpf.flow import Flow
from bpfgen.bpf.info import ProgramInfo
from bpfgen.bpf.insns import LD_IMM64
from bpfgen.bpf.isa import feature
from bpfgen.bpf.lines import Line
from bpfgen.bpf.needs import FEATURE, Reader
from bpfgen.bpf.object import BpfObject
from bpfgen.bpf.programs import SUBPROGRAMS
from bpfgen.bpf.resolve import Resolver
from bpfgen.frozen import frozen

LIBBPF, CILIUM = "libbpf", "cilium"
NOTHING: Mapping[str, str] = {}
Site = tuple[Function, int]
"""A function, and the slot of one of its instructions."""
Uses = Mapping[str, Mapping[str, tuple[Site, ...]]]
"""Kind of reference (`helper`, `kfunc`, …; `address` of a kfunc; `feature`) → name → who asks for it."""


@frozen
class Loaded:
    """A program that is loaded with the object."""

    info: ProgramInfo
    functions: tuple[Function, ...]
    """The program, and the functions that it calls or takes the address of."""
    uses: Uses

    @property
    def name(self) -> str:
        """Of the program."""
        return self.info.name

    def of(self, kind: str) -> Mapping[str, tuple[Site, ...]]:
        """What it asks for of a kind, by name."""
        return self.uses.get(kind, {})


class Subject:
    """One object, read once for all kernels; what isn't read yet raises Malformed where it is damaged."""

    def __init__(
        self,
        data: bytes,
        loader: str = LIBBPF,
        attach: Mapping[str, str] = NOTHING,
        optional: Collection[str] = (),
    ) -> None:
        """`attach` has what programs are attached to where their tool says it, `optional` those that may be refused.
        Raises Malformed where the bytes are no relocatable BPF object.
        """
        self.found = BpfObject(data)
        self.loader = loader
        self._attach, self._optional = attach, optional

    @cached_property
    def programs(self) -> tuple[Loaded, ...]:
        """The programs that the loader loads unasked, by section and place, but for optional ones; cilium/ebpf ignores
        a leading `?`.
        """
        reader = Reader(self.found.functions)
        functions = {(each.section, each.name): each for each in self.found.functions if each.section != SUBPROGRAMS}
        return tuple(self._loaded(each, functions, reader) for each in self.found.programs if self._is_loaded(each))

    @cached_property
    def resolver(self) -> Resolver:
        """Resolves its CO-RE relocations. Raises Malformed."""
        return Resolver(self.found, self.loader)

    @cached_property
    def flow(self) -> Flow:
        """Follows its guards."""
        return Flow(self.found)

    @property
    def left(self) -> tuple[ProgramInfo, ...]:
        """The programs that are left out."""
        return tuple(each for each in self.found.programs if not self._is_loaded(each))

    def line(self, site: Site) -> Line | None:
        """Where an instruction comes from."""
        function, slot = site
        lines = self.found.lines
        return lines.at(function.section, slot, function.start) if lines is not None else None

    def _is_loaded(self, info: ProgramInfo) -> bool:
        return (info.autoload or self.loader == CILIUM) and info.name not in self._optional

    def _loaded(self, info: ProgramInfo, functions: Mapping[tuple[str, str], Function], reader: Reader) -> Loaded:
        own = functions.get((info.section, info.name)) or functions.get((f"?{info.section}", info.name))
        reached = tuple(reader.reachable(own)) if own is not None else ()
        named = self._attach.get(info.name)
        return Loaded(dataclasses.replace(info, attach_to=named) if named else info, reached, self._merged(reached))

    def _merged(self, functions: Iterable[Function]) -> Uses:
        found: dict[str, dict[str, tuple[Site, ...]]] = {}
        for function in functions:
            for kind, names in self._own(function).items():
                into = found.setdefault(kind, {})
                for name, sites in names.items():
                    into[name] = into.get(name, ()) + sites
        return found

    def _own(self, function: Function) -> dict[str, dict[str, tuple[Site, ...]]]:
        """What a function asks for itself, found once: many programs call it."""
        place = (function.section, function.start)
        if place not in self._known:
            found: dict[str, dict[str, list[Site]]] = {}
            for kind, name, slot in _asked(function):
                found.setdefault(kind, {}).setdefault(name, []).append((function, slot))
            self._known[place] = {k: {n: tuple(s) for n, s in names.items()} for k, names in found.items()}
        return self._known[place]

    @cached_property
    def _known(self) -> dict[tuple[str, int], dict[str, dict[str, tuple[Site, ...]]]]:
        return {}


def _asked(function: Function) -> Iterator[tuple[str, str, int]]:
    for insn in function.code:
        each = function.references.get(insn.slot)
        if each is not None:
            # A program may ask whether a function is there by its address, and does no harm with it.
            kind = "address" if each.kind == "kfunc" and insn.code == LD_IMM64 else each.kind
            yield kind, str(each) if kind == "helper" else each.name, insn.slot
        name = feature(insn)
        if name != "base":
            yield FEATURE, name, insn.slot
