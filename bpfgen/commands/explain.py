"""`bpfgen explain`: the resolved settings of a program, and where each came from."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any, TextIO

from bpfgen.compile import OWN_FLAGS, Layout
from bpfgen.config.report import did_you_mean
from bpfgen.config.source import Document
from bpfgen.errors import Failure, Problem
from bpfgen.frozen import frozen
from bpfgen.matrix import Unit
from bpfgen.project import Project, load
from bpfgen.sources import NamedProgram
from bpfgen.text import columns

HELP = "print the settings of a program and where each comes from"
EPILOG = """examples:
  bpfgen explain xdp_blocklist
  bpfgen explain xdp_blocklist --format json"""


@frozen
class Setting:
    """One resolved value."""

    name: str
    value: str
    origin: str
    """`build.toml:LINE:COL`, `default`, or `bpfgen` for what can't be changed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen explain`."""
    parser.add_argument("program", metavar="PROGRAM")
    parser.add_argument("--format", choices=("table", "json"), default="table")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Prints the settings, then the objects that they make; raises `Failure` for an unknown program."""
    project = load(args)
    named = _find(project, args.program)
    units = [unit for unit in project.units if unit.program == named.name]
    settings = list(explain(project, named, units))
    if args.format == "json":
        rows: list[Any] = [{"setting": s.name, "value": s.value, "from": s.origin} for s in settings]
        print(
            json.dumps({"program": named.name, "settings": rows, "objects": [u.id for u in units]}, indent=1), file=out
        )
        return 0
    print(columns([("SETTING", "VALUE", "FROM"), *((s.name, s.value, s.origin) for s in settings)]), file=out)
    layout = Layout(project.config.project.out.rstrip("/"))
    print("\n" + columns([("OBJECT", "MCPU"), *((layout.object(u), u.settings.mcpu) for u in units)]), file=out)
    return 0


def _find(project: Project, name: str) -> NamedProgram:
    for program in project.sources.programs:
        if program.name == name:
            return program
    names = [program.name for program in project.sources.programs]
    raise Failure([Problem(None, f'there is no program "{name}"', did_you_mean(name, names))])


def explain(project: Project, named: NamedProgram, units: list[Unit]) -> Iterator[Setting]:
    """Every setting of a program, in the order in which the compile line has them."""
    document, path = project.document, ("program", named.key)
    for file in named.files:
        yield Setting("source", file, _first(document, (*path, "source"), (*path, "sources")))
    yield Setting("arches", " ".join(dict.fromkeys(a for u in units for a in u.target.arches)),
                  _first(document, (*path, "arches"), ("targets", "arches")))  # fmt: skip
    kernels = " ".join(dict.fromkeys(k for u in units for k in u.kernels))
    yield Setting("kernels", kernels or "-", _first(document, (*path, "kernels"), ("targets", "kernels"), ("kernel",)))
    for name in ("portable", "per_kernel"):
        value = getattr(project.config.program[named.key], name)
        yield Setting(name, str(value).lower(), _first(document, (*path, name)))
    yield from (Setting("flag", flag, "bpfgen") for flag in OWN_FLAGS)
    yield from _lists(project, named, "cflags")
    yield from _defines(project, named)
    yield from _lists(project, named, "include")
    mcpu = " ".join(dict.fromkeys(unit.settings.mcpu for unit in units if not unit.variant))
    yield Setting("mcpu", mcpu or "-", _first(document, (*path, "mcpu"), ("compile", "mcpu"), ("kernel",)))
    header = " ".join(dict.fromkeys(str(unit.vmlinux) for unit in units if unit.vmlinux))
    yield Setting("vmlinux", header or "-", _first(document, (*path, "vmlinux"), ("compile", "vmlinux"), ("kernel",)))
    for name in project.config.program[named.key].variants:
        yield Setting("variant", name, _first(document, (*path, "variants", name)))


def _lists(project: Project, named: NamedProgram, key: str) -> Iterator[Setting]:
    """The items of a list that a program adds to, each with its own place."""
    tables = [(("compile",), project.config.compile), (("program", named.key), project.config.program[named.key])]
    for table, settings in tables if key == "cflags" else reversed(tables):
        for index, value in enumerate(getattr(settings, key)):
            yield Setting(key, value, _first(project.document, (*table, key, index)))


def _defines(project: Project, named: NamedProgram) -> Iterator[Setting]:
    program, base = project.config.program[named.key].define, project.config.compile.define
    for name, value in {**base, **program}.items():
        table = ("program", named.key) if name in program else ("compile",)
        text = str(value).lower() if isinstance(value, bool) else str(value)
        yield Setting("define", f"{name} = {text}", _first(project.document, (*table, "define", name)))


def _first(document: Document, *paths: tuple[Any, ...]) -> str:
    """The place of the first path that the file has."""
    for path in paths:
        value: Any = document.values
        try:
            for part in path:
                value = value[part]
        except (LookupError, TypeError):
            continue
        return str(document.where(path))
    return "default"
