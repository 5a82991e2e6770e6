"""An object's code as text for people, with names for numbers and the source's lines between."""

from __future__ import annotations

from collections.abc import Iterator

from bpfgen.bpf.code import Function
from bpfgen.bpf.disasm import text
from bpfgen.bpf.object import BpfObject


def listing(found: BpfObject) -> Iterator[str]:
    """Lines, function by function; raises Malformed."""
    relocations = {(each.section, each.index): each for each in found.relocations}
    for function in found.functions:
        yield f"{function.name} in {function.section}:"
        last = None
        for insn in function.code:
            line = found.lines.at(function.section, insn.index, function.start) if found.lines is not None else None
            if line is not None and line != last:
                yield f"  ; {line}  {line.text}".rstrip()
                last = line
            asked = relocations.get((function.section, insn.index))
            note = f"  ; {asked.kind_name} of {asked.access.path}" if asked is not None else ""
            yield f"  {insn.index:>5}  {text(insn, _operand(function, insn.index))}{note}"


def _operand(function: Function, index: int) -> str:
    reference = function.references.get(index)
    return str(reference) if reference is not None else ""
