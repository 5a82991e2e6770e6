"""Which C types a program's bindings declare, and under which Go names (bpf2go's main.go and gen/types.go)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bpfgen.bpf.btf import MAX_DEPTH, MODIFIERS, Btf, Kind
from bpfgen.bpf.maptypes import MapTypes
from bpfgen.bpf.variables import Variable
from bpfgen.frozen import frozen
from bpfgen.outputs.bpf2go.layout import unqualified

_COMPOSITE = (Kind.STRUCT, Kind.UNION, Kind.ENUM, Kind.ENUM64)
_NAMED = (*_COMPOSITE, Kind.TYPEDEF, Kind.INT, Kind.FLOAT)
"""Kinds that a name of C can mean, the likelier ones first: `typedef struct x { … } x` makes two types of one name."""


@frozen
class Chosen:
    """A type to declare."""

    name: str
    """In C."""
    type: int
    """Its id in BTF."""
    shared: bool
    """Whether other declarations refer to it by its Go name. cilium/ebpf copies the types of each variable, so bpf2go
    takes what a map has as well for another type, and repeats it there."""


def wanted(btf: Btf, names: Sequence[str]) -> tuple[dict[str, Chosen], list[str]]:
    """The types that the user named, and the names that the object has no type for."""
    found: dict[str, Chosen] = {}
    ranks: dict[str, int] = {}
    for each in btf if names else ():
        if each.name in names and each.kind in _NAMED:
            rank = _NAMED.index(each.kind)
            if rank < ranks.setdefault(each.name, len(_NAMED)):
                ranks[each.name] = rank
                found[each.name] = Chosen(each.name, each.id, True)
    return found, [name for name in names if name not in found]


def global_types(btf: Btf, maps: Mapping[str, MapTypes], variables: Iterable[Variable]) -> dict[str, Chosen]:
    """The structs, unions and enums of map keys, of map values and of global variables, by their C names."""
    found: dict[str, Chosen] = {}
    for _name, types in sorted(maps.items()):
        for number in (types.key, types.value):
            # What the map's definition names itself: not `const struct x`, and no array.
            if number is not None and btf.type(number).name and btf.type(number).kind not in MODIFIERS:
                _add(btf, number, found, shared=True)
    for variable in sorted(variables, key=lambda variable: variable.name):
        if variable.type is not None:
            _add(btf, variable.type, found, shared=False)
    return found


def _add(btf: Btf, number: int, found: dict[str, Chosen], *, shared: bool) -> None:
    number = _element(btf, number)
    chosen = unqualified(btf, number)
    if chosen.name and btf.plain(number).kind in _COMPOSITE:
        found.setdefault(chosen.name, Chosen(chosen.name, chosen.id, shared))


def _element(btf: Btf, number: int) -> int:
    """What an array is made of, through arrays of arrays; another type as it is."""
    for _ in range(MAX_DEPTH):
        found = btf.plain(number)
        if found.kind is not Kind.ARRAY:
            break
        number = btf.array(found).type
    return number
