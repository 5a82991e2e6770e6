"""For kernels without BTF of their own: those of their types that the objects ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from bpfgen.headers import types_path
from bpfgen.outputs import PLAN, Basis, Made, Plan, Tools, read_notes

if TYPE_CHECKING:
    from bpfgen.config.schema import Config
    from bpfgen.matrix import Unit


def served(config: Config, units: Sequence[Unit]) -> Mapping[tuple[str, str], Sequence[int]]:
    """Kernel target with `min_btf` and architecture → which of the units must load there."""
    names = [name for name, kernel in config.kernel.items() if kernel.min_btf]
    cells: dict[tuple[str, str], list[int]] = {}
    for index, unit in enumerate(units):
        for kernel in (name for name in names if name in unit.kernels):
            for arch in unit.target.arches:
                cells.setdefault((kernel, arch), []).append(index)
    return cells


def section(basis: Basis) -> Sequence[Plan]:
    """For each kernel and architecture the file, what it is made of, and the objects that it is for."""
    rows = served(basis.config, basis.units).items()
    return [_cell(basis, kernel, arch, found) for (kernel, arch), found in sorted(rows)]


def _cell(basis: Basis, kernel: str, arch: str, found: Iterable[int]) -> Plan:
    return {
        "kernel": kernel,
        "arch": arch,
        "types": types_path(basis.config, basis.out, kernel, arch),
        "file": f"{basis.out}/min_btf/{kernel}/{arch}.btf",
        "objects": [basis.objects[index]["path"] for index in found],
    }


def made(plan: Plan, tools: Tools) -> Iterator[Made]:
    """Each file by a run of its own, from types and objects alone."""
    for each in plan["minbtf"]:
        words = (tools.plan, each["kernel"], each["arch"])
        yield Made(words, (each["file"],), (each["types"], *each["objects"]), (tools.plan,))


def step(plan: str, kernel: str, arch: str) -> None:
    """Writes the file of a kernel target for an architecture; `plan` is the path of `plan.json`. Raises `Failure` and
    `OSError`.
    """
    cells = read_notes(plan, (*PLAN, "minbtf"))["minbtf"]
    write(next(each for each in cells if (each["kernel"], each["arch"]) == (kernel, arch)))


def write(cell: Plan) -> None:
    """Writes the file of a cell of the plan."""
    from pathlib import Path

    from bpfgen.bpf.kernel import KernelTypes
    from bpfgen.bpf.malformed import Malformed
    from bpfgen.bpf.object import BpfObject
    from bpfgen.errors import Failure, Location, Problem
    from bpfgen.files import write_if_changed
    from bpfgen.kernels.mincore import Marks

    place = cell["types"]
    try:
        marks = Marks(KernelTypes(Path(place).read_bytes()))
        for place in cell["objects"]:
            marks.record(BpfObject(Path(place).read_bytes()))
        write_if_changed(cell["file"], marks.written())
    except Malformed as error:
        raise Failure([Problem(Location(place), str(error))]) from error
