"""Maps: a loader creates all of them, whatever the programs do with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from bpfgen.bpf.btf import Kind
from bpfgen.bpf.core import essential_name
from bpfgen.bpf.info import MapInfo
from bpfgen.bpf.structops import read_operations
from bpfgen.catalog import table
from bpfgen.verdicts.case import Case
from bpfgen.verdicts.model import CONDITIONAL, FAILS, OK, UNKNOWN, Reason
from bpfgen.verdicts.subject import CILIUM, Loaded, Site
from bpfgen.verdicts.target import BTF

SIZELESS = frozenset({"perf_event_array", "struct_ops"})
"""Maps that loaders give a size: an entry for each processor; and those that have one."""
UNSIZED = frozenset({"ringbuf", "arena", "perf_event_array"})
"""Maps whose values cilium/ebpf gives no size by their type."""
LEFT_OUT = "?.struct_ops"
"""What the sections begin with whose maps libbpf doesn't create unasked."""


def types(case: Case) -> Iterator[Reason]:
    """Map types that the kernel doesn't know."""
    for each in _created(case):
        for one in (each, each.inner):
            if one is None:
                continue
            answer = case.target.has("map_type", one.type)
            reason = case.missing(answer, "map_type", one.type, f"maps of the type {one.type}, such as {one.name}")
            if reason is not None:
                yield _placed(case, reason, each)


def flags(case: Case) -> Iterator[Reason]:
    """Flags of declared maps; those of global data are left out by loaders where the kernel lacks them."""
    for each in _created(case):
        for bit in range(32):
            if not each.flags >> bit & 1 or each.name.startswith("."):
                continue
            name = _flag_name(bit)
            answer = case.target.has("map_flag", name)
            reason = case.missing(answer, "map_flags", name, f"{name}, which the map {each.name} has")
            if reason is not None:
                yield _placed(case, reason, each)


def sizes(case: Case) -> Iterator[Reason]:
    """Sizes that the object leaves to who loads it, which is no fault of a kernel's."""
    for each in _created(case):
        if each.type in SIZELESS or each.type.endswith("_storage"):
            continue
        sized = {"max_entries": each.max_entries}
        if each.type in ("hash", "array", "stack_trace"):
            sized["value_size"] = each.value_size
        left = [field for field, size in sized.items() if not size]
        if left:
            message = f"the map {each.name} has no {' and no '.join(left)}: your program must set it"
            yield _placed(case, Reason(OK, "map_size", each.name, message), each)


def fixed_sizes(case: Case) -> Iterator[Reason]:
    """Sizes that no kernel takes, such as that of a ring buffer's records; one that isn't given may be mended."""
    rows = table("kernels")["map_entry"]
    for each in _created(case):
        for field, size in (("key", each.key_size), ("value", each.value_size)):
            wanted = rows.get(each.type, {}).get(field, size)
            if not size or size == wanted or (field == "value" and _is_left_out(case, each)):
                continue
            rule = f"takes {wanted} bytes" if wanted else "takes none"
            message = f"the map {each.name} has {field}s of {size} bytes, and the type {each.type} {rule}"
            yield _placed(case, Reason(FAILS, "map_entry", each.name, message), each)


def _is_left_out(case: Case, each: MapInfo) -> bool:
    """Whether cilium/ebpf keeps the type of the values to itself (MapType.canHaveValueSize)."""
    return case.subject.loader == CILIUM and bool(each.value) and each.type in UNSIZED


def struct_ops(case: Case) -> Iterator[Reason]:
    """The kernel's struct that a `struct_ops` map implements."""
    types = case.target.types
    for each in _created(case):
        if each.type != "struct_ops":
            continue
        name = essential_name(each.value.removeprefix("struct "))
        if types is None:
            message = f"the kernel's types aren't known, so whether programs can implement its {name} isn't"
            yield case.reason(UNKNOWN, "attach_target", name, message)
        elif not types.find(f"bpf_struct_ops_{name}", Kind.STRUCT):
            module = module_of(name)
            message = f"the kernel has no {name} that programs could implement (the map {each.name})"
            yield case.reason(FAILS, "attach_target", name, message + in_module(module), source=BTF)


def operations(case: Case) -> Iterator[Reason]:
    """Functions of that struct that programs implement, and the kernel's struct doesn't have."""
    types, found = case.target.types, case.subject.found
    if types is None:
        return
    values = {each.name: essential_name(each.value.removeprefix("struct ")) for each in _created(case)}
    for each in read_operations(found.elf, found.btf):
        owner = next(iter(types.find(values.get(each.map, ""), Kind.STRUCT)), None)
        if owner is not None and all(each.member != member.name for member in owner.btf.members(owner.type)):
            name = f"{owner.type.name}.{each.member}"
            message = f"the kernel has no {name}, which {each.program} implements"
            yield case.reason(FAILS, "attach_target", name, message, source=BTF)


def _created(case: Case) -> tuple[MapInfo, ...]:
    btf = case.subject.found.btf
    left = set[str]()
    for section in (LEFT_OUT, f"{LEFT_OUT}.link"):
        types = btf.data_section(section) if btf is not None else None
        left.update(each.name for each in (btf.variables(types) if btf is not None and types is not None else ()))
    return tuple(each for each in case.subject.found.maps if each.name not in left)


def _flag_name(bit: int) -> str:
    rows = table("kernels")["map_flag"]
    return next((name for name, row in rows.items() if row["bit"] == bit), f"bit {bit}")


def _placed(case: Case, reason: Reason, each: MapInfo) -> Reason:
    """With the line of the first instruction that uses the map: declarations have no lines in an object."""
    site = first_use(case, "map", each.name)
    return case.reason(
        reason.verdict, reason.kind, reason.name, reason.message, site=site and site[1], source=reason.source
    )


def first_use(case: Case, kind: str, name: str) -> Optional[tuple[Loaded, Site]]:
    """The first instruction that refers to something by name."""
    for program in case.subject.programs:
        for site in program.of(kind).get(name, ()):
            return program, site
    return None


def module_of(name: str) -> str:
    """The module that brings a function or type, where `kernels.toml` knows it."""
    rows = table("kernels")["module"]
    found = [prefix for prefix in rows if name == prefix or (prefix.endswith("_") and name.startswith(prefix))]
    return str(rows[max(found, key=len)]) if found else ""


def without(case: Case, name: str, feature: str) -> tuple[str, str]:
    """What it makes of an object that the kernel itself lacks something: the verdict, and the end of a sentence on it.
    A module may bring it where the kernel has a feature.
    """
    module, answer = module_of(name), case.target.has("feature", feature)
    if answer.has is False:
        text = table("kernels")["feature"][feature]["text"]
        return FAILS, f"; even where a module has it, the kernel lacks {text}{answer.lately}"
    return CONDITIONAL if module else FAILS, in_module(module)


def in_module(module: str) -> str:
    """The end of a sentence on something that the kernel itself doesn't have."""
    return f": the module {module} has it" if module else ", unless a module has it"
