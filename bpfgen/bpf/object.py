"""A BPF object whose parts are read when they are first asked for.

What a manifest needs is cheap: the ELF file, the types' index, programs and maps. Instructions, line information and
relocations are for those who look closer.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from bpfgen.bpf.btf import Btf
from bpfgen.bpf.container import read_container
from bpfgen.bpf.maps import read_maps
from bpfgen.bpf.programs import read_programs

if TYPE_CHECKING:
    from bpfgen.bpf.btfext import BtfExt
    from bpfgen.bpf.code import Function
    from bpfgen.bpf.core import CoreRelocation
    from bpfgen.bpf.externs import Extern
    from bpfgen.bpf.globaldata import DataVariable
    from bpfgen.bpf.info import MapInfo, ProgramInfo
    from bpfgen.bpf.lines import Lines


class BpfObject:
    """One relocatable BPF object; each attribute raises Malformed where its part is damaged."""

    def __init__(self, data: bytes) -> None:
        """Raises Malformed where the bytes are no relocatable BPF object."""
        self.data = data
        self.elf = read_container(data)

    @cached_property
    def btf(self) -> Btf | None:
        """The types; None where it has no `.BTF`."""
        section = self.elf.section(".BTF")
        return Btf(section.data) if section is not None else None

    @cached_property
    def ext(self) -> BtfExt | None:
        """Lines and relocations; None where it has no `.BTF.ext`, or no types that it could be about."""
        from bpfgen.bpf.btfext import read_btf_ext

        section = self.elf.section(".BTF.ext")
        return read_btf_ext(section.data, self.btf.order) if section is not None and self.btf is not None else None

    @cached_property
    def programs(self) -> tuple[ProgramInfo, ...]:
        """What a loader attaches."""
        return self._programs[0]

    @cached_property
    def subprograms(self) -> tuple[ProgramInfo, ...]:
        """The functions in `.text`."""
        return self._programs[1]

    @cached_property
    def _programs(self) -> tuple[tuple[ProgramInfo, ...], tuple[ProgramInfo, ...]]:
        return read_programs(self.elf)

    @cached_property
    def maps(self) -> tuple[MapInfo, ...]:
        """What a loader creates."""
        return read_maps(self.elf, self.btf)

    @cached_property
    def license(self) -> str:
        """Empty where it declares none."""
        section = self.elf.section("license")
        return section.data.partition(b"\0")[0].decode(errors="backslashreplace") if section is not None else ""

    @cached_property
    def externs(self) -> tuple[Extern, ...]:
        """What it expects of the kernel: configuration, symbols, functions."""
        from bpfgen.bpf.externs import read_externs

        return read_externs(self.elf, self.btf)

    @cached_property
    def variables(self) -> tuple[DataVariable, ...]:
        """Its global and static variables."""
        from bpfgen.bpf.globaldata import read_data

        return read_data(self.elf, self.btf)

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Its functions with their instructions, by section and place."""
        from bpfgen.bpf.code import read_functions

        return read_functions(self.elf, self.externs)

    @cached_property
    def relocations(self) -> tuple[CoreRelocation, ...]:
        """What its instructions ask of the kernel's types (CO-RE)."""
        from bpfgen.bpf.core import core_relocations

        return tuple(core_relocations(self.btf, self.ext)) if self.btf is not None and self.ext is not None else ()

    @cached_property
    def lines(self) -> Lines | None:
        """Where its instructions come from; None where it doesn't say."""
        from bpfgen.bpf.lines import Lines

        return Lines(self.btf, self.ext) if self.btf is not None and self.ext is not None else None
