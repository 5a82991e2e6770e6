"""An object's code as text for people, with names for numbers and the source's lines between."""

from __future__ import annotations

from collections.abc import Iterator

from bpfgen.bpf.code import Function
from bpfgen.bpf.disasm import text
from bpfgen.bpf.object import BpfObject


def listing(found: BpfObject) -> Iterator[str]:
    """Lines, function by function; raises Malformed."""
    relocations = {(each.section, each.slot): each for each in found.relocations}
    for function in found.functions:
        yield f"{function.name} in {function.section}:"
        last = ("", 0)
        for insn in function.code:
            line = found.lines.at(function.section, insn.slot, function.start) if found.lines is not None else None
            if line is not None and (line.file, line.number) != last:
                yield f"  ; {line.file}:{line.number}  {line.text}".rstrip()
                last = (line.file, line.number)
            asked = relocations.get((function.section, insn.slot))
            note = f"  ; {asked.kind_name} of {asked.access.path}" if asked is not None else ""
            yield f"  {insn.slot:>5}  {text(insn, _operand(function, insn.slot))}{note}"


def _operand(function: Function, index: int) -> str:
    reference = function.references.get(index)
    return str(reference) if reference is not None else ""
