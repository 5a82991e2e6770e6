"""What can keep a kernel from loading an object: a function for each, in one table.

A rule takes a `Case` and gives reasons. Needs that dead code saves are soft: helpers, kfuncs, what CO-RE asks for.
Others are hard, wherever they stand: opcodes, maps, the types of programs (`docs/kernels.md`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bpfgen.verdicts.case import Case
from bpfgen.verdicts.model import Reason
from bpfgen.verdicts.rules import attach, code, core, data, functions, maps, programs

Rule = Callable[[Case], Iterator[Reason]]

RULES: tuple[Rule, ...] = (
    programs.types,
    programs.attach_types,
    programs.sleepable,
    programs.frags,
    programs.limits,
    attach.targets,
    maps.types,
    maps.flags,
    maps.sizes,
    maps.fixed_sizes,
    maps.struct_ops,
    maps.operations,
    code.helpers,
    code.allowed,
    code.licence,
    code.instructions,
    code.calls,
    code.loops,
    functions.pointers,
    functions.elements,
    data.kfuncs,
    data.ksyms,
    data.undeclared,
    data.kconfig,
    data.versions,
    data.variables,
    data.kinds,
    core.types,
    core.refused,
    core.missing,
)
