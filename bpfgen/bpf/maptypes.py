"""BTF types of the keys and values that maps declare."""

from __future__ import annotations

from typing import Optional

from bpfgen.bpf.btf import Btf, Kind
from bpfgen.bpf.malformed import Malformed
from bpfgen.frozen import frozen

STRUCT_OPS = ".struct_ops.link"


@frozen
class MapTypes:
    """Ids of BTF types; None where the map's definition names none."""

    key: Optional[int]
    value: Optional[int]


def read_map_types(btf: Btf) -> dict[str, MapTypes]:
    """The types of every map of `.maps` and `.struct_ops.link`, by the map's name; raises Malformed."""
    found = {}
    section = btf.data_section(".maps")
    for variable in btf.variables(section) if section is not None else ():
        members = {member.name: member.type for member in btf.members(btf.plain(variable.type))}
        found[variable.name] = MapTypes(*(_pointee(btf, members.get(name)) for name in ("key", "value")))
    section = btf.data_section(STRUCT_OPS)
    for variable in btf.variables(section) if section is not None else ():
        found[variable.name] = MapTypes(None, btf.plain(variable.type).id)
    return found


def _pointee(btf: Btf, member: Optional[int]) -> Optional[int]:
    """`__type(key, T)` is `T *key`."""
    if member is None:
        return None
    pointer = btf.plain(member)
    if pointer.kind is not Kind.PTR:
        raise Malformed("a map's key or value is no pointer")
    return pointer.target
