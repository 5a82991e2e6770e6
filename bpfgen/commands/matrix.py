"""`bpfgen matrix`: the cells that are built."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any, TextIO

from bpfgen.compile import layout_of
from bpfgen.matrix import Unit
from bpfgen.project import Project, load
from bpfgen.text import columns

HELP = "list the objects that are built"
EPILOG = """examples:
  bpfgen matrix                             a table
  bpfgen matrix --only arm64                the part for one architecture
  bpfgen matrix --format json               for programs
  bpfgen matrix --format ids | grep debug   names alone"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen matrix`."""
    parser.add_argument("--format", choices=("table", "json", "ids"), default="table")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Prints the selected cells."""
    project = load(args)
    if args.format == "json":
        print(json.dumps([_cell(project, unit) for unit in project.units], indent=1, ensure_ascii=False), file=out)
    elif args.format == "ids":
        print("\n".join(unit.id for unit in project.units), file=out)
    else:
        print(_table(project.units), file=out)
    return 0


def _cell(project: Project, unit: Unit) -> dict[str, Any]:
    return {
        "id": unit.id,
        "program": unit.program,
        "target": unit.target.name,
        "arches": list(unit.target.arches),
        "kernels": list(unit.kernels),
        "kernel": unit.kernel,
        "variant": unit.variant,
        "mcpu": unit.settings.mcpu,
        "sources": list(unit.files),
        "object": layout_of(project.config).object(unit),
    }


def _table(units: Sequence[Unit]) -> str:
    head = ("OBJECT", "ARCHITECTURES", "KERNELS", "MCPU", "SOURCES")
    rows = [
        (u.id, " ".join(u.target.arches), " ".join(u.kernels) or "-", u.settings.mcpu, " ".join(u.files)) for u in units
    ]
    return columns([head, *rows])
