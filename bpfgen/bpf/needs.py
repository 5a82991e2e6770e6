"""What a program needs of the kernel that loads it, by its instructions and those of the functions that it calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bpfgen.bpf.code import Function, Reference
from bpfgen.bpf.isa import feature, newest_cpu
from bpfgen.bpf.malformed import Malformed
from bpfgen.frozen import frozen

MAX_FUNCTIONS = 256
"""Of one program: the kernel's BPF_MAX_SUBPROGS."""

FEATURE = "feature"
Place = tuple[str, int]
Fact = tuple[str, str]
"""The kind of a reference and what it is of; or `FEATURE` and a feature of the instruction set."""


@frozen
class Needs:
    """Of one program."""

    program: str
    section: str
    """As the ELF file has it, with a leading `?`."""
    functions: tuple[str, ...]
    """The functions of the object that it calls or takes the address of, and those that they call."""
    helpers: tuple[str, ...]
    """With `bpf_`; the number of one that the catalogue doesn't have."""
    kfuncs: tuple[str, ...]
    ksyms: tuple[str, ...]
    kconfig: tuple[str, ...]
    maps: tuple[str, ...]
    variables: tuple[str, ...]
    """Variables, and sections of constants without a name."""
    features: tuple[str, ...]
    """Rows of `catalog/isa.toml`; `unknown` for an opcode that no kernel has."""
    cpu: str
    """The `-mcpu` that has these: `v1` to `v4`."""


class Reader:
    """Finds what the programs of an object need; what a function has itself is found once."""

    def __init__(self, functions: Iterable[Function]) -> None:
        self._functions = {(each.section, each.start): each for each in functions}
        self._facts: dict[Place, set[Fact]] = {}

    def needs(self, program: Function) -> Needs:
        """Of a program; raises Malformed."""
        reached = tuple(self.reachable(program))
        facts = set().union(*map(self._own, reached))
        names: dict[str, list[str]] = {}
        for kind, name in sorted(facts):
            names.setdefault(kind, []).append(name)

        def of(*kinds: str) -> tuple[str, ...]:
            return tuple(name for kind in kinds for name in names.get(kind, ()))

        return Needs(
            program=program.name,
            section=program.section,
            functions=tuple(each.name for each in reached[1:]),
            helpers=of("helper"),
            kfuncs=of("kfunc"),
            ksyms=of("ksym", "extern"),
            kconfig=of("kconfig"),
            maps=of("map"),
            variables=of("data"),
            features=tuple(name for name in of(FEATURE) if name != "base"),
            cpu=newest_cpu(frozenset(of(FEATURE))),
        )

    def reachable(self, program: Function) -> Iterator[Function]:
        """A program, and the functions that it calls or takes the address of, each once; raises Malformed."""
        seen, waiting = {(program.section, program.start)}, [program]
        while waiting:
            if len(seen) > MAX_FUNCTIONS:
                raise Malformed(f"{program.name} calls more than {MAX_FUNCTIONS} functions, which no kernel takes")
            current = waiting.pop(0)
            yield current
            for reference in current.references.values():
                called = self._functions.get(reference.place) if reference.kind in ("call", "function") else None
                if called is not None and reference.place not in seen:
                    seen.add(reference.place)
                    waiting.append(called)

    def _own(self, function: Function) -> set[Fact]:
        place = (function.section, function.start)
        if place not in self._facts:
            found = {(each.kind, _name(each)) for each in function.references.values()}
            self._facts[place] = found.union((FEATURE, feature(insn)) for insn in function.code)
        return self._facts[place]


def _name(reference: Reference) -> str:
    return str(reference) if reference.kind == "helper" else reference.name
