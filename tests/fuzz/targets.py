"""What is done with an input: everything that bpfgen reads of an object or of a kernel's types."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from bpfgen.bpf.btf import Btf, Kind
from bpfgen.bpf.btfwords import contrast, title
from bpfgen.bpf.compare import differences
from bpfgen.bpf.container import read_container
from bpfgen.bpf.details import read_details
from bpfgen.bpf.elf import object_info
from bpfgen.bpf.flow import Known, live
from bpfgen.bpf.kernel import KernelTypes, enum_value, field
from bpfgen.bpf.layout import Alignments, c_name, size_of
from bpfgen.bpf.listing import listing
from bpfgen.bpf.malformed import Malformed
from bpfgen.bpf.object import BpfObject
from bpfgen.bpf.resolve import Resolver
from bpfgen.bpf.show import render
from bpfgen.verdicts.judge import judge
from bpfgen.verdicts.subject import Subject
from bpfgen.verdicts.target import Known as VerdictKnown
from bpfgen.verdicts.target import Target

HERE = Path(__file__).parent
OBJECTS = HERE.parent / "data" / "objects"
CORPUS = HERE / "corpus"
"""Inputs that failed once, or would take for ever if they were read without care; `*.o` are objects, `*.btf` types."""


@cache
def objects(folder: Path = OBJECTS) -> tuple[bytes, ...]:
    """Sound objects."""
    return tuple(path.read_bytes() for path in sorted(folder.rglob("*.o")))


def types(folder: Path = OBJECTS) -> tuple[bytes, ...]:
    """The types of these objects."""
    sections = (read_container(data).section(".BTF") for data in objects(folder))
    return tuple(section.data for section in sections if section is not None)


def read_all_of_an_object(data: bytes) -> None:
    """As `bpfgen inspect` does, each way; raises Malformed."""
    found = BpfObject(data)
    info = object_info(found)
    details = read_details(found)
    json.dumps([dataclasses.asdict(info), dataclasses.asdict(details)])
    render(info, details, "x.o", verbose=True).encode()
    "".join(listing(found)).encode()


def compare_objects(data: bytes) -> None:
    """As `bpfgen check` does, with the sound object that is nearest in size; raises Malformed."""
    differences(min(objects(), key=lambda each: abs(len(each) - len(data))), data)


def read_all_types(data: bytes) -> None:
    """Every type, by id and by name, alone and as a module of itself; raises Malformed."""
    btf = Btf(data)
    alignments = Alignments(btf)
    for found in btf:
        reads: list[Callable[[], object]] = [
            lambda number=found.id: c_name(btf, number),  # type: ignore[misc]
            lambda number=found.id: size_of(btf, number),  # type: ignore[misc]
            lambda number=found.id: alignments.of(number),  # type: ignore[misc]
            lambda number=found.id: title(btf, number),  # type: ignore[misc]
            lambda number=found.id: contrast((btf, 1), (btf, number)),  # type: ignore[misc]
            lambda number=found.id: field(btf, number, "owner.nodes[1].low"),  # type: ignore[misc]
            lambda number=found.id: enum_value(btf, number, "PLUS"),  # type: ignore[misc]
        ]
        for read in reads:
            with suppress(Malformed):
                read()
    kernel = KernelTypes(data, {"module": lambda: data})
    for name in ("tree", "node___old", "int", "missing"):
        kernel.find(name, Kind.STRUCT)
        kernel.candidates(name)
        kernel.function(name)


def resolve_object(data: bytes) -> None:
    """Its relocations against the types of a sound object and against its own, as both loaders, and which of its
    instructions are then reached; raises Malformed.
    """
    found = BpfObject(data)
    section = found.elf.section(".BTF")
    for kernel in (types()[0], section.data if section is not None else types()[0]):
        for loader in ("libbpf", "cilium"):
            resolutions = Resolver(found, loader).resolve(KernelTypes(kernel))
        for program in found.functions:
            live(found, program, resolutions, Known(version=(6, 1)))


def judge_object(data: bytes) -> None:
    """On a kernel whose types are known, and on one of which only the version is; raises Malformed."""
    subject = Subject(data)
    judge(subject, Target(VerdictKnown("typed", "amd64"), KernelTypes(types()[0])))
    judge(subject, Target(VerdictKnown("old", "arm64", "5.4")))


TARGETS: dict[str, tuple[Callable[..., tuple[bytes, ...]], Callable[[bytes], None]]] = {
    "types": (types, read_all_types),
    "object": (objects, read_all_of_an_object),
    "compare": (objects, compare_objects),
    "resolve": (objects, resolve_object),
    "judge": (objects, judge_object),
}
"""What inputs are made of, and what is done with them."""
