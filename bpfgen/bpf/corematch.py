"""Which type of a kernel fits what a CO-RE relocation asks for, by the rules of libbpf's relo_core.c."""

from __future__ import annotations

from collections.abc import Collection
from typing import Union

from bpfgen.bpf.btf import Kind, Type
from bpfgen.bpf.core import ENUM_KINDS, FIELD_KINDS, Access, essential_name
from bpfgen.bpf.coretypes import kinds_alike, types_compatible, types_match
from bpfgen.bpf.malformed import Malformed
from bpfgen.bpf.shapes import COMPOSITES, ENUMS, MAX_NESTED, Shapes, described
from bpfgen.frozen import frozen

TYPE_MATCHES = 12
"""`BPF_CORE_TYPE_MATCHES`"""


@frozen
class Match:
    """A type of the kernel that fits."""

    module: str
    """Whose type it is: empty for the kernel itself."""
    root: int
    """The type's id, as all ids here in the BTF of the kernel or that module."""
    steps: tuple[tuple[int, int], ...]
    """The way through it: a struct or union and the index of a member, members without a name too; an array and the
    index of an element; or an enum and the index of a value."""
    bits: int
    """Where that leads, from the beginning of the type; 0 where it is no field."""
    owner: int
    """The struct or union of the last member, the type of the element, or the enum."""
    index: int
    """Of the member, element or value in it."""
    member: bool
    """Whether the last step is a member."""


@frozen
class Miss:
    """Why a type of the kernel doesn't fit."""

    depth: int
    """Steps of the access that fit; of several candidates, the one that came furthest tells most."""
    reason: str
    """`this kernel's task_struct has no member state`"""
    empty: bool = False
    """Whether that is an array without elements which isn't the last member."""


def match(local: Shapes, access: Access, kind: int, target: Shapes, candidate: Type, module: str) -> Union[Match, Miss]:
    """Looks for what `access` of the type in the object means in a candidate of the kernel (bpf_core_spec_match).

    Raises Malformed where types are damaged, or too deep in each other for libbpf too.
    """
    if kind in ENUM_KINDS:
        return _match_value(access, target, candidate, module)
    if kind in FIELD_KINDS:
        return _match_field(local, access, target, candidate, module)
    fits = types_match if kind == TYPE_MATCHES else types_compatible
    if fits(local, access.root, target, candidate.id):
        return Match(module, candidate.id, (), 0, candidate.id, 0, member=False)
    return Miss(0, f"this kernel's {candidate.name} is another type")


def _match_value(access: Access, target: Shapes, candidate: Type, module: str) -> Union[Match, Miss]:
    found, wanted = target.plain(candidate.id), essential_name(access.steps[0].name)
    if found.kind not in ENUMS:
        return Miss(0, f"this kernel's {candidate.name} is {described(found)}")
    for index, value in enumerate(target.btf.values(found)):
        if essential_name(value.name) == wanted:
            return Match(module, candidate.id, ((found.id, index),), 0, found.id, index, member=False)
    return Miss(1, f"this kernel's {candidate.name} has no value {wanted}")


def _match_field(local: Shapes, access: Access, target: Shapes, candidate: Type, module: str) -> Union[Match, Miss]:
    first = access.steps[0]
    found = target.plain(candidate.id)
    steps: list[tuple[int, int]] = []
    bits, number, flexible = 8 * first.index * target.size(found.id), found.id, False
    owner, index, member = found.id, first.index, False
    name = candidate.name
    for depth, step in enumerate(access.steps[1:], 1):
        found = target.plain(number)
        if step.name:
            members = target.members(found) if found.kind in COMPOSITES else {}
            place = members.get(step.name)
            if place is None:
                return Miss(depth, _no_member(name, found, step.name, members))
            wanted = local.btf.member(local.btf.type(step.type), step.index).type
            if not fields_compatible(local, wanted, target, place.type):
                words = f"{described(target.plain(place.type))}, the program's {described(local.plain(wanted))}"
                return Miss(depth, f"this kernel's {name}.{step.name} is {words}")
            steps += place.steps
            bits, number, flexible = bits + place.bits, place.type, place.last
            (owner, index), member, name = place.steps[-1], True, f"{name}.{step.name}"
        else:
            if found.kind is not Kind.ARRAY:
                return Miss(depth, f"this kernel's {name} is {described(found)}")
            array = target.array(found)
            if step.index >= array.length and not (flexible and array.length == 0):
                return Miss(depth, f"this kernel's {name} has {array.length} elements", array.length == 0)
            steps.append((found.id, step.index))
            number, flexible = target.plain(array.type).id, False
            bits += 8 * step.index * target.size(number)
            owner, index, member, name = number, step.index, False, f"{name}[{step.index}]"
    if len(steps) >= MAX_NESTED:
        raise Malformed(f"its way through this kernel's {candidate.name} has more than {MAX_NESTED} steps")
    return Match(module, candidate.id, tuple(steps), bits, owner, index, member)


def _no_member(name: str, found: Type, member: str, members: Collection[str]) -> str:
    if found.kind in COMPOSITES:
        near = _near(member, members)
        return f"this kernel's {name} has no member {member}{f' (it has {near})' if near else ''}"
    return f"this kernel's {name} is {described(found)}"


def _near(member: str, members: Collection[str]) -> str:
    """Members whose names have that one in them, or the other way round: `__state` for `state`."""
    wanted = member.strip("_")
    found = [each for each in members if len(each) > 2 < len(wanted) and (wanted in each or each.strip("_") in wanted)]
    return " and ".join(sorted(found, key=lambda each: abs(len(each) - len(member)))[:2])


def fields_compatible(local: Shapes, mine: int, target: Shapes, theirs: int) -> bool:
    """Whether a member may stand for another (bpf_core_fields_are_compat): a struct for a union, an int for one of
    another size, any pointer for any other; enums by their names, arrays by their elements.
    """
    while True:
        here, there = local.plain(mine), target.plain(theirs)
        if here.kind in COMPOSITES and there.kind in COMPOSITES:
            return True
        if not kinds_alike(here, there):
            return False
        if here.kind is Kind.ARRAY:
            mine, theirs = local.array(here).type, target.array(there).type
        elif here.kind is Kind.INT:
            return local.int_offset(here) == target.int_offset(there) == 0
        elif here.kind is Kind.FWD or here.kind in ENUMS:
            return not here.name or not there.name or essential_name(here.name) == essential_name(there.name)
        else:
            return here.kind in (Kind.PTR, Kind.FLOAT)
