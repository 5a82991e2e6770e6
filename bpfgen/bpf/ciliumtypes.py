"""Whether a whole type of a program and one of the kernel are alike to cilium/ebpf (coreTypesMatch of btf/core.go)."""

from __future__ import annotations

from bpfgen.bpf.btf import Kind, Type
from bpfgen.bpf.core import essential_name
from bpfgen.bpf.shapes import COMPOSITES, ENUMS, Shapes

Pair = tuple[int, int]


def types_match(local: Shapes, mine: int, target: Shapes, theirs: int, seen: set[Pair]) -> bool:
    """By name, size and sign, and by all that they are made of, behind pointers too. `seen` are pairs under way."""
    here, there = local.plain(mine), target.plain(theirs)
    if not _names_match(here, there) or not (here.kind is there.kind or (here.kind in ENUMS and there.kind in ENUMS)):
        return False
    if (here.id, there.id) in seen:
        return True
    seen.add((here.id, there.id))
    if here.kind in COMPOSITES:
        return _members_match(local, here, target, there, seen)
    if here.kind is Kind.PTR:
        one, other = local.plain(here.target), target.plain(there.target)
        return _declares(one, other) or _declares(other, one) or types_match(local, one.id, target, other.id, seen)
    if here.kind is Kind.ARRAY:
        mine_of, theirs_of = local.array(here), target.array(there)
        same = mine_of.length == theirs_of.length
        return same and types_match(local, mine_of.type, target, theirs_of.type, seen)
    if here.kind is Kind.FUNC_PROTO:
        return _functions_match(local, here, target, there, seen)
    return _leaves_match(local, here, target, there)


def _leaves_match(local: Shapes, here: Type, target: Shapes, there: Type) -> bool:
    if here.kind in ENUMS:
        names = {essential_name(each.name) for each in target.btf.values(there)}
        wanted = [essential_name(each.name) for each in local.btf.values(here)]
        return here.size == there.size and len(wanted) <= there.items and names.issuperset(wanted)
    if here.kind is Kind.INT:
        return here.size == there.size and local.is_signed(here) == target.is_signed(there)
    return here.kind is Kind.VOID or (here.kind is Kind.FWD and here.flag == there.flag)


def _members_match(local: Shapes, here: Type, target: Shapes, there: Type, seen: set[Pair]) -> bool:
    theirs = {each.name: each for each in target.btf.members(there)}
    return here.items <= there.items and all(
        each.name in theirs and types_match(local, each.type, target, theirs[each.name].type, seen)
        for each in local.btf.members(here)
    )


def _functions_match(local: Shapes, here: Type, target: Shapes, there: Type, seen: set[Pair]) -> bool:
    pairs = zip(local.btf.parameters(here), target.btf.parameters(there))
    return (
        here.items == there.items
        and all(types_match(local, one.type, target, other.type, seen) for one, other in pairs)
        and types_match(local, here.target, target, there.target, seen)
    )


def _declares(declared: Type, whole: Type) -> bool:
    return declared.kind is Kind.FWD and whole.kind is (Kind.UNION if declared.flag else Kind.STRUCT)


def _names_match(here: Type, there: Type) -> bool:
    """One without a name matches any."""
    mine, theirs = ("" if each.kind is Kind.VOID else each.name for each in (here, there))
    return not mine or not theirs or essential_name(mine) == essential_name(theirs)
