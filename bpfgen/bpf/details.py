"""What `bpfgen inspect` says of an object beyond its manifest: plain data, ready for JSON."""

from __future__ import annotations

from collections.abc import Iterator

from bpfgen.bpf.externs import Extern
from bpfgen.bpf.globaldata import DataVariable
from bpfgen.bpf.isa import UNKNOWN
from bpfgen.bpf.maps import PINNING, is_legacy
from bpfgen.bpf.needs import Needs, Reader
from bpfgen.bpf.object import BpfObject
from bpfgen.bpf.programs import SUBPROGRAMS, section_rule
from bpfgen.bpf.structops import Operation, read_operations
from bpfgen.frozen import frozen


@frozen
class Asked:
    """A CO-RE relocation: what an instruction asks of the kernel's types."""

    function: str
    """Empty where the instruction is in none."""
    section: str
    instruction: int
    """Slot in the section."""
    kind: str
    path: str
    """`task_struct.mm.owner`"""
    access: str
    """The same by numbers."""
    line: str
    """FILE:LINE:COLUMN; empty where the object doesn't say."""


@frozen
class Details:
    """Of one object."""

    needs: tuple[Needs, ...]
    externs: tuple[Extern, ...]
    variables: tuple[DataVariable, ...]
    operations: tuple[Operation, ...]
    relocations: tuple[Asked, ...]
    notes: tuple[str, ...]
    """What loaders will refuse, in words."""


def read_details(found: BpfObject) -> Details:
    """Everything that is known of an object; raises Malformed."""
    reader = Reader(found.functions)
    programs = [each for each in found.functions if each.section != SUBPROGRAMS]
    needs = tuple(map(reader.needs, programs))
    return Details(
        needs=needs,
        externs=found.externs,
        variables=found.variables,
        operations=read_operations(found.elf, found.btf),
        relocations=tuple(_asked(found)),
        notes=(*_notes(found), *_unknown(needs)),
    )


def _asked(found: BpfObject) -> Iterator[Asked]:
    owners = {}
    for function in found.functions:
        owners.update(dict.fromkeys([(function.section, insn.slot) for insn in function.code], function))
    for each in found.relocations:
        owner = owners.get((each.section, each.slot))
        name, start = (owner.name, owner.start) if owner is not None else ("", 0)
        line = found.lines.at(each.section, each.slot, start) if found.lines is not None else None
        words = (each.kind_name, each.access.path, each.string, str(line or ""))
        yield Asked(name, each.section, each.slot, *words)


def _notes(found: BpfObject) -> Iterator[str]:
    legacy = sorted({section.name for section in found.elf.sections if is_legacy(section.name)})
    for section in legacy:
        yield (
            f"its section {section} declares maps as before BTF, which libbpf 1.0 and newer refuse: "
            f'declare them in SEC(".maps")'
        )
    for each in found.maps:
        if each.pinning not in PINNING:
            yield f"the map {each.name} has the pinning {each.pinning}, which libbpf refuses: it knows 0 and 1"
    for name in sorted({program.section for program in found.programs}):
        if section_rule(name).type == "unspec":
            yield f'SEC("{name}") is none that libbpf knows, so its programs get no type by themselves'
    for extern in found.externs:
        if not extern.kind:
            yield (
                f"the extern {extern.name} is neither __ksym nor __kconfig: libbpf refuses it, unless this object is "
                f"linked with the one that has it"
            )


def _unknown(needs: tuple[Needs, ...]) -> Iterator[str]:
    for each in needs:
        if UNKNOWN in each.features:
            yield f"{each.program} has an instruction that no kernel knows"
