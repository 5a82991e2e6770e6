"""BTF types in words, for messages: what a type is called, and what tells two types of one name apart."""

from __future__ import annotations

from contextlib import suppress
from itertools import zip_longest

from bpfgen.bpf.btf import Btf, Kind, Type
from bpfgen.bpf.layout import c_name
from bpfgen.bpf.malformed import Malformed

_KEYWORDS = {Kind.STRUCT: "struct", Kind.UNION: "union", Kind.ENUM: "enum", Kind.ENUM64: "enum64"}
_LINKAGE = ("static", "global", "extern")
SHOWN = 3
"""Members by which a type without a name is shown."""


def title(btf: Btf, number: int) -> str:
    """`struct "flow"`, `FWD "flow"`, `PTR "const char *"`, `struct {x, y, …}`; raises Malformed on a missing string."""
    found = btf.type(number)
    word = _KEYWORDS.get(found.kind, found.kind.name)
    if found.name:
        return f'{word} "{found.name}"'
    if found.kind in _KEYWORDS or found.kind is Kind.FUNC_PROTO:
        names = [item.partition(" ")[0] for item in _items(btf, found)[: SHOWN + 1]]
        return f"{word} {{{', '.join(names[:SHOWN])}{', …' if len(names) > SHOWN else ''}}}"
    name = _c_name(btf, number)
    return f'{word} "{name}"' if name else f"{word} of {_target(btf, found)}"


def contrast(ours: tuple[Btf, int], theirs: tuple[Btf, int]) -> str:
    """The first thing that two types say differently of themselves; empty where it is only in what they refer to."""
    first, second = (_sayings(btf, btf.type(number)) for btf, number in (ours, theirs))
    for mine, other in zip_longest(first, second, fillvalue="nothing"):
        if mine != other:
            return f"{mine} in ours, {other} in theirs"
    return ""


def _sayings(btf: Btf, found: Type) -> list[str]:
    said = [f"{found.size} bytes"]
    if found.kind is Kind.FUNC:
        said.append(_linkage(found.items))
    elif found.kind is Kind.FWD:
        said.append("union" if found.flag else "struct")
    elif found.kind in (Kind.ENUM, Kind.ENUM64):
        said.append("signed" if found.flag else "unsigned")
    words = btf.own_words(found)
    if found.kind is Kind.INT:
        said.append(f"encoding {words[0]:#x}")
    elif found.kind is Kind.ARRAY:
        said.append(f"{words[2]} elements, index {_name(btf, words[1])}")
        said.append(_name(btf, words[0]))
    elif found.kind is Kind.VAR:
        said.append(_linkage(words[0]))
    elif found.kind is Kind.DECL_TAG:
        said.append(f"component {words[0]:#x}")
    if found.target:
        said.append(f"of {_name(btf, found.target)}")
    return said + _items(btf, found)


def _items(btf: Btf, found: Type) -> list[str]:
    """Members, values, parameters or variables; the first word of each is its name."""
    if found.kind in (Kind.STRUCT, Kind.UNION):
        members = btf.members(found)
        return [f"{m.name or '-'} at bit {m.offset}:{m.size} of {_name(btf, m.type)}" for m in members]
    if found.kind in (Kind.ENUM, Kind.ENUM64):
        return [f"{value.name} = {value.number:#x}" for value in btf.values(found)]
    if found.kind is Kind.FUNC_PROTO:
        return [f"{each.name or '-'} of {_name(btf, each.type)}" for each in btf.parameters(found)]
    if found.kind is Kind.DATASEC:
        rows = sorted(btf.entries(found), key=lambda entry: (entry.offset, entry.size, entry.type.id))
        return [f"{each.type.name} at {each.offset} of {each.size} bytes" for each in rows]
    return []


def _linkage(number: int) -> str:
    return _LINKAGE[number] if number < len(_LINKAGE) else f"linkage {number}"


def _name(btf: Btf, number: int) -> str:
    return _c_name(btf, number) or btf.type(number).kind.name


def _target(btf: Btf, found: Type) -> str:
    number = btf.array(found).type if found.kind is Kind.ARRAY else found.target
    return _name(btf, number)


def _c_name(btf: Btf, number: int) -> str:
    with suppress(Malformed):  # a type made of itself has no name in C
        return c_name(btf, number)
    return ""
