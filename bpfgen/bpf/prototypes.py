"""Functions as C declares them, by their BTF."""

from __future__ import annotations

from bpfgen.bpf.btf import Btf, Kind, Type
from bpfgen.bpf.layout import c_name

LONGEST = 1000
"""Letters of a prototype. The kernel's have five parameters; damage could make 50 bytes of an object a huge text."""


def prototype(btf: Btf, function: Type) -> str:
    """`struct task_struct *bpf_task_acquire(struct task_struct *p)`; `?` where a type has no name in C.

    Raises Malformed where a type or a string is missing.
    """
    found = btf.plain(function.target)
    if found.kind is not Kind.FUNC_PROTO:
        return f"{function.name}(?)"
    parameters = btf.parameters(found)
    words = [_declared(btf, each.type, each.name) for each in parameters[:LONGEST]]
    text = f"{_declared(btf, found.target, function.name)}({', '.join(words) or 'void'})"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _declared(btf: Btf, number: int, name: str) -> str:
    if not number and not name:
        return "..."
    kind = c_name(btf, number) or "?"
    return f"{kind}{'' if kind.endswith('*') or not name else ' '}{name}"
