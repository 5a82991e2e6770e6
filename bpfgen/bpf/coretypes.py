"""Whether a whole type of a program and one of the kernel are alike, by the two rules of libbpf's relo_core.c."""

from __future__ import annotations

from bpfgen.bpf.btf import Kind, Type
from bpfgen.bpf.core import essential_name
from bpfgen.bpf.malformed import Malformed
from bpfgen.bpf.shapes import COMPOSITES, ENUMS, Shapes

MAX_LEVEL = 32
"""Types in each other; libbpf refuses more."""


def types_compatible(local: Shapes, mine: int, target: Shapes, theirs: int, level: int = MAX_LEVEL) -> bool:
    """__bpf_core_types_are_compat: structs, unions, enums and ints by their kind alone, pointers, arrays and functions
    by what they are made of. Raises Malformed where that doesn't end.
    """
    if not kinds_alike(local.btf.type(mine), target.btf.type(theirs)):
        return False
    for _ in range(MAX_LEVEL):
        here, there = local.plain(mine), target.plain(theirs)
        if not kinds_alike(here, there):
            return False
        if here.kind is Kind.PTR:
            mine, theirs = here.target, there.target
        elif here.kind is Kind.ARRAY:
            mine, theirs = local.array(here).type, target.array(there).type
        elif here.kind is Kind.FUNC_PROTO:
            if not _parameters_compatible(local, here, target, there, level):
                return False
            mine, theirs = here.target, there.target
        elif here.kind is Kind.INT:
            return local.int_offset(here) == target.int_offset(there) == 0
        else:
            return here.kind in (Kind.VOID, Kind.FWD, *COMPOSITES, *ENUMS)
    raise _endless(local.btf.type(mine))


def _parameters_compatible(local: Shapes, here: Type, target: Shapes, there: Type, level: int) -> bool:
    if here.items != there.items:
        return False
    if here.items and level <= 0:
        raise _endless(here)
    pairs = zip(local.btf.parameters(here), target.btf.parameters(there))
    plain = ((local.plain(one.type).id, target.plain(other.type).id) for one, other in pairs)
    return all(types_compatible(local, mine, target, theirs, level - 1) for mine, theirs in plain)


def types_match(
    local: Shapes, mine: int, target: Shapes, theirs: int, behind: bool = False, level: int = MAX_LEVEL
) -> bool:
    """__bpf_core_types_match: names, sizes, signs and lengths too, and every member of the program's type; of a struct
    `behind` a pointer only its name. Raises Malformed where that doesn't end.
    """
    if level <= 0:
        raise _endless(local.btf.type(mine))
    for _ in range(MAX_LEVEL):
        here, there = local.plain(mine), target.plain(theirs)
        if not _names_match(_name(here), _name(there)):
            return False
        if here.kind is Kind.PTR and there.kind is Kind.PTR:
            mine, theirs, behind = here.target, there.target, True
        elif here.kind is Kind.ARRAY and there.kind is Kind.ARRAY:
            one, other = local.array(here), target.array(there)
            if one.length != other.length:
                return False
            mine, theirs = one.type, other.type
        elif here.kind is Kind.FUNC_PROTO and there.kind is Kind.FUNC_PROTO:
            if here.items != there.items:
                return False
            pairs = zip(local.btf.parameters(here), target.btf.parameters(there))
            if not all(types_match(local, one.type, target, other.type, behind, level - 1) for one, other in pairs):
                return False
            mine, theirs = here.target, there.target
        else:
            return _leaves_match(local, here, target, there, behind, level)
    raise _endless(local.btf.type(mine))


def _leaves_match(local: Shapes, here: Type, target: Shapes, there: Type, behind: bool, level: int) -> bool:
    if here.kind in ENUMS:
        return there.kind in ENUMS and _values_match(local, here, target, there)
    if here.kind is Kind.FWD or (behind and here.kind in COMPOSITES):
        return _declarations_match(here, there, behind)
    if here.kind is not there.kind:
        return False
    if here.kind in COMPOSITES:
        return _members_match(local, here, target, there, behind, level)
    if here.kind is Kind.INT:
        return here.size == there.size and local.is_signed(here) == target.is_signed(there)
    return here.kind is Kind.VOID


def _declarations_match(here: Type, there: Type, behind: bool) -> bool:
    """A struct and a declaration of one are the same behind a pointer."""
    if here.kind is there.kind:
        return here.kind in COMPOSITES or here.flag == there.flag
    if not behind or Kind.FWD not in (here.kind, there.kind):
        return False
    declared, whole = (here, there) if here.kind is Kind.FWD else (there, here)
    return whole.kind is (Kind.UNION if declared.flag else Kind.STRUCT)


def _members_match(local: Shapes, here: Type, target: Shapes, there: Type, behind: bool, level: int) -> bool:
    if here.items > there.items:
        return False
    theirs = target.btf.members(there)
    return all(
        any(
            _names_match(mine.name, each.name) and types_match(local, mine.type, target, each.type, behind, level - 1)
            for each in theirs
        )
        for mine in local.btf.members(here)
    )


def _values_match(local: Shapes, here: Type, target: Shapes, there: Type) -> bool:
    if here.size != there.size or here.items > there.items:
        return False
    names = {essential_name(each.name) for each in target.btf.values(there)}
    return all(essential_name(each.name) in names for each in local.btf.values(here))


def _names_match(mine: str, theirs: str) -> bool:
    """bpf_core_names_match"""
    return essential_name(mine) == essential_name(theirs)


def _name(found: Type) -> str:
    return "" if found.kind is Kind.VOID else found.name


def kinds_alike(here: Type, there: Type) -> bool:
    """btf_kind_core_compat"""
    return here.kind is there.kind or (here.kind in ENUMS and there.kind in ENUMS)


def _endless(found: Type) -> Malformed:
    return Malformed(f"BTF: type {found.id} has more than {MAX_LEVEL} types in each other")
