"""Reads one BPF object into an `ObjectInfo`."""

from __future__ import annotations

from hashlib import sha256

from bpfgen.bpf.btf import Btf
from bpfgen.bpf.container import Container, read_container
from bpfgen.bpf.info import ObjectInfo
from bpfgen.bpf.malformed import Malformed
from bpfgen.bpf.maps import read_maps
from bpfgen.bpf.programs import read_programs
from bpfgen.errors import Failure, Location, Problem

_HINT = "compile it with `clang -target bpf -g -c`; strip it with `-g`, which keeps the symbols"


def read_object(data: bytes, name: str) -> ObjectInfo:
    """What the bytes of one relocatable BPF object declare; `name` is the file that messages point to.

    Raises Failure where a loader would refuse the file as no sound BPF object; time and memory are bounded by
    the size of `data`.
    """
    try:
        elf = read_container(data)
        return _info(elf, data)
    except Malformed as error:
        raise Failure([Problem(Location(name), f"no sound BPF object: {error}", _HINT)]) from error


def _info(elf: Container, data: bytes) -> ObjectInfo:
    types = elf.section(".BTF")
    btf = Btf(types.data) if types is not None else None
    programs, subprograms = read_programs(elf)
    return ObjectInfo(
        endian="little" if elf.little else "big",
        size=len(data),
        sha256=sha256(data).hexdigest(),
        license=_license(elf),
        has_btf=btf is not None,
        has_dwarf=any(section.name.startswith(".debug_") for section in elf.sections),
        btf_size=types.size if types is not None else 0,
        programs=programs,
        maps=read_maps(elf, btf),
        subprograms=subprograms,
    )


def _license(elf: Container) -> str:
    section = elf.section("license")
    return section.data.partition(b"\0")[0].decode(errors="backslashreplace") if section is not None else ""
