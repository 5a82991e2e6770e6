"""Reads one BPF object into an `ObjectInfo`."""

from __future__ import annotations

from hashlib import sha256

from bpfgen.bpf.info import ObjectInfo
from bpfgen.bpf.malformed import Malformed
from bpfgen.bpf.object import BpfObject
from bpfgen.errors import Failure, Location, Problem

_HINT = "compile it with `clang -target bpf -g -c`; strip it with `-g`, which keeps the symbols"


def read_object(data: bytes, name: str) -> ObjectInfo:
    """What the bytes of one relocatable BPF object declare; `name` is the file that messages point to.

    Raises Failure where a loader would refuse the file as no sound BPF object; time and memory are bounded by
    the size of `data`.
    """
    try:
        return object_info(BpfObject(data))
    except Malformed as error:
        raise unsound(error, name) from error


def unsound(error: Malformed, name: str) -> Failure:
    """What is said of a file that is no sound BPF object."""
    return Failure([Problem(Location(name), f"no sound BPF object: {error}", _HINT)])


def object_info(found: BpfObject) -> ObjectInfo:
    """What an object declares; raises Malformed."""
    types = found.elf.section(".BTF")
    return ObjectInfo(
        endian="little" if found.elf.little else "big",
        size=len(found.data),
        sha256=sha256(found.data).hexdigest(),
        license=found.license,
        has_btf=found.btf is not None,
        has_dwarf=any(section.name.startswith(".debug_") for section in found.elf.sections),
        btf_size=types.size if types is not None else 0,
        programs=found.programs,
        maps=found.maps,
        subprograms=found.subprograms,
    )
