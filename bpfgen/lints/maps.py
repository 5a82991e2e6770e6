"""Maps: how they are declared, and whether anything uses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bpfgen.bpf.container import STT_OBJECT, STT_SECTION
from bpfgen.bpf.maps import is_legacy, is_map_section
from bpfgen.bpf.relocations import relocations
from bpfgen.catalog import features, version
from bpfgen.lints.case import Case
from bpfgen.lints.model import Found

_HASH, _ARRAY = ("hash", "percpu_hash", "lru_hash", "lru_percpu_hash"), ("array", "percpu_array")
_STORAGE = ("sk_storage", "inode_storage", "task_storage", "cgrp_storage")
TYPED = frozenset((*_HASH, *_ARRAY, *_STORAGE, "lpm_trie"))
"""Maps that hold what a program makes of them. Of others, loaders leave the types out (libbpf's
bpf_object__create_map)."""


def map_types(case: Case) -> Iterator[Found]:
    """Maps with sizes in the place of types."""
    legacy = _in_section(case, is_legacy)
    for each in case.subject.found.maps:
        if each.type in TYPED and not each.name.startswith(".") and each.name not in legacy:
            for part, type_, size in (("key", each.key, each.key_size), ("value", each.value, each.value_size)):
                if size and not type_:
                    message = f"the map {each.name} has no type for its {part}: write __type({part}, …)"
                    yield Found(message, case.declared(each.name, f"{part}_size"))


def map_legacy(case: Case) -> Iterator[Found]:
    """Maps as before BTF."""
    for name in sorted(_in_section(case, is_legacy)):
        message = f'the map {name} is declared in SEC("maps"), which libbpf refuses from 1.0 on'
        yield Found(message, case.declared(name))


def dead_map(case: Case) -> Iterator[Found]:
    """Maps that neither a program, nor another map, nor a variable refers to, and that no other object can find."""
    found = case.subject.found
    used = {each.name for function in found.functions for each in function.references.values() if each.kind == "map"}
    for each in relocations(found.elf):
        if not found.elf.sections[each.section].executable:
            if each.symbol.kind == STT_SECTION:
                return  # of one of the maps in there
            used.add(each.symbol.name)
    declared = _in_section(case, is_map_section)
    for row in found.maps:
        if row.name in declared - used and not row.pinning:
            yield Found(f"no program uses the map {row.name}", case.declared(row.name))


def perf_buffer(case: Case) -> Iterator[Found]:
    """Perf buffers, where every kernel target is known to have ring buffers."""
    since = version(features("map_type")["BPF_MAP_TYPE_RINGBUF"]["since"])
    known = [version(each) for each in case.versions if each is not None]
    if known and len(known) == len(case.versions) and min(known) >= since:
        for each in case.subject.found.maps:
            if each.type == "perf_event_array" and _is_written(case, each.name):
                message = f"{each.name} is a perf buffer, and every kernel target has ring buffers"
                yield Found(message, case.declared(each.name))


def _is_written(case: Case, name: str) -> bool:
    """Whether a function that writes to perf buffers refers to a map: others read counters by such a map."""
    for function in case.subject.found.functions:
        references = function.references.values()
        writes = any(each.kind == "helper" and str(each).endswith("perf_event_output") for each in references)
        if writes and any(each.kind == "map" and each.name == name for each in references):
            return True
    return False


def _in_section(case: Case, wanted: Callable[[str], bool]) -> set[str]:
    """The names of what is in sections of a name."""
    elf = case.subject.found.elf
    places = ((each.name, elf.section_of(each)) for each in elf.symbols if each.name and each.kind == STT_OBJECT)
    return {name for name, section in places if section is not None and wanted(section.name)}
