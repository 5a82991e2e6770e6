"""What must hold in `[go]` and in the `go` tables of programs: pure checks."""

from __future__ import annotations

from typing import Optional

from bpfgen.catalog import arches
from bpfgen.config.checkplaces import folder
from bpfgen.config.report import Path, Report
from bpfgen.config.schema import Config, Program, ProgramGo

_KEYWORDS = """
break case chan const continue default defer else fallthrough for func go goto if import interface map package range
return select struct switch type var"""
GO_KEYWORDS = frozenset(_KEYWORDS.split())
"""https://go.dev/ref/spec#Keywords"""


def go(config: Config, report: Report) -> None:
    """Reports what contradicts itself; what two programs' files are called is looked at when the units are known."""
    typed = config.go is not None and config.go.bindings == "bpf2go"
    if config.go is not None:
        _package(config.go.package, ("go", "package"), report)
        given = {"tags": config.go.tags, "files": config.go.files != "embed", "explain": config.go.explain}
        for key in (key for key, value in given.items() if value and not typed):
            report.add(("go", key), f'"{key}" is for bindings alone', 'add  bindings = "bpf2go"', key=True)
    for name, program in config.program.items():
        if program.go is not None:
            _program(config, program, program.go, ("program", name, "go"), report)
            if not typed:
                hint = 'write  bindings = "bpf2go"  in [go]'
                report.add(
                    ("program", name, "go"), "a program has Go files of its own only as bindings", hint, key=True
                )


def _program(config: Config, program: Program, table: ProgramGo, path: Path, report: Report) -> None:
    _package(table.package, (*path, "package"), report)
    folder(config, table.dir, (*path, "dir"), report)
    if table.stem in GO_KEYWORDS:
        report.add((*path, "stem"), f'"{table.stem}" is a keyword of Go', f'such as "{table.stem}_"')
    for index, name in enumerate(table.types):
        if name in table.types[:index]:
            report.add((*path, "types", index), f'"{name}" is named twice', "remove one")
    if table.target == "bpf":
        _host_endian(config, program, (*path, "target"), report)


def _host_endian(config: Config, program: Program, path: Path, report: Report) -> None:
    if not program.portable:
        report.add(path, "an object for all hosts must be portable", "add  portable = true  to the program")
    names = program.arches or config.targets.arches
    orders = {arches()[name].target for name in names if name in arches()}
    if len(orders) > 1:
        hint = "name architectures of one byte order in the program's  arches"
        report.add(path, "one file can't have the objects of two byte orders", hint)


def _package(name: Optional[str], path: Path, report: Report) -> None:
    if name in GO_KEYWORDS:
        report.add(path, f'"{name}" is a keyword of Go', 'such as "programs"')
