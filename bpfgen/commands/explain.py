"""`bpfgen explain`: the resolved settings of a program, and where each came from."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any, Optional, TextIO

from bpfgen.catalog import version
from bpfgen.cc import HOW
from bpfgen.compile import OWN_FLAGS, Layout, layout_of
from bpfgen.config.report import did_you_mean
from bpfgen.config.source import Document
from bpfgen.config.values import MacroValue
from bpfgen.errors import EXIT_USAGE, Failure, Problem
from bpfgen.frozen import frozen
from bpfgen.matrix import Unit, expand
from bpfgen.project import Project, load
from bpfgen.sources import NamedProgram, matches
from bpfgen.text import columns

HELP = "print the settings of a program and where each comes from"
EPILOG = """examples:
  bpfgen explain xdp_blocklist
  bpfgen explain xdp_blocklist --format json
  bpfgen explain --builder"""


@frozen
class Setting:
    """One resolved value."""

    name: str
    value: str
    origin: str
    """`build.toml:LINE:COL`, `default`, or `bpfgen` for what can't be changed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen explain`."""
    parser.add_argument("program", metavar="PROGRAM", nargs="?")
    parser.add_argument(
        "--builder", action="store_true", help="print where the compiler runs, and what it may do there"
    )
    parser.add_argument("--format", choices=("table", "json"), default="table")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Prints the settings, then the objects that they make; raises `Failure` for an unknown program."""
    if args.builder:
        return _builder(args, out)
    project = load(args)
    named = _find(project, args.program)
    # All of them, whatever --only and --skip say: an explanation is of the file, not of this run.
    units = expand(project.config, [named])
    settings = list(explain(project, named, units))
    if args.format == "json":
        rows: list[Any] = [{"setting": s.name, "value": s.value, "from": s.origin} for s in settings]
        layout = layout_of(project.config)
        headers = {unit.id: header_of(unit, layout, project.root) for unit in units if unit.vmlinux}
        whole = {"program": named.name, "settings": rows, "objects": [u.id for u in units], "vmlinux.h": headers}
        print(json.dumps(whole, indent=1, ensure_ascii=False), file=out)
        return 0
    print(columns([("SETTING", "VALUE", "FROM"), *((s.name, s.value, s.origin) for s in settings)]), file=out)
    layout = layout_of(project.config)
    objects = [(layout.object(unit), _kernels(unit), unit.vmlinux or "-", unit.settings.mcpu) for unit in units]
    print("\n" + columns([("OBJECT", "KERNELS", "VMLINUX", "MCPU"), *objects]), file=out)
    read = [(layout.object(unit), header_of(unit, layout, project.root)) for unit in units if unit.vmlinux]
    if read:
        print("\n" + columns([("OBJECT", "VMLINUX.H"), *read]), file=out)
    return 0


def _builder(args: argparse.Namespace, out: TextIO) -> int:
    from bpfgen.builders.settings import facts
    from bpfgen.commands.generate import prepare

    _, host, _ = prepare(args)
    rows = [("compiler", f"{host.clang.text}, {' '.join(host.clang.command)}"), *facts(host.builder)]
    if args.format == "json":
        print(json.dumps(dict(rows), indent=1, ensure_ascii=False), file=out)
    else:
        print(columns(rows), file=out)
    return 0


def _kernels(unit: Unit) -> str:
    return unit.kernel or " ".join(unit.kernels) or "-"


def header_of(unit: Unit, layout: Layout, root: str) -> str:
    """How much of `vmlinux.h` a unit was compiled with the last time, and why."""
    if not unit.settings.fast:
        return "whole: fast is false"
    if len(unit.files) > 1:
        return "whole: there are several sources"
    path = os.path.join(root, layout.reduced(layout.object(unit)), HOW)
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return "not known: not built here yet, or by a cache"


def _find(project: Project, name: Optional[str]) -> NamedProgram:
    for program in project.sources.programs:
        if program.name == name:
            return program
    names = [program.name for program in project.sources.programs]
    if name is None:
        raise Failure([Problem(None, "say which program, or --builder", did_you_mean("", names))], EXIT_USAGE)
    raise Failure([Problem(None, f'there is no program "{name}"', did_you_mean(name, names))])


def explain(project: Project, named: NamedProgram, units: Sequence[Unit]) -> Iterator[Setting]:
    """Every setting of a program, in the order in which the compile line has them."""
    document, path = project.document, ("program", named.key)
    for file in named.files:
        yield Setting("source", file, _source_place(project, named, file))
    yield Setting("arches", " ".join(dict.fromkeys(a for u in units for a in u.target.arches)),
                  _first(document, (*path, "arches"), ("targets", "arches")))  # fmt: skip
    kernels = " ".join(dict.fromkeys(k for u in units for k in u.kernels))
    yield Setting("kernels", kernels or "-", _first(document, (*path, "kernels"), ("targets", "kernels"), ("kernel",)))
    for name in ("portable", "per_kernel"):
        value = getattr(project.config.program[named.key], name)
        yield Setting(name, str(value).lower(), _first(document, (*path, name)))
    for name in ("fast", "strip"):
        value = getattr(units[0].settings, name)
        yield Setting(name, str(value).lower(), _first(document, (*path, name), ("compile", name)))
    yield from (Setting("flag", flag, "bpfgen") for flag in OWN_FLAGS)
    yield from _lists(project, named, "cflags")
    yield from _defines(project, named)
    yield from _lists(project, named, "include")
    for unit in {unit.kernel: unit for unit in units if not unit.variant}.values():
        yield from _by_kernel(project, named, unit)
    yield from _variants(project, named)


def _source_place(project: Project, named: NamedProgram, file: str) -> str:
    """The string that names the file: a glob where it was found by one."""
    path = ("program", named.key)
    for index, pattern in enumerate(project.config.program[named.key].sources):
        if os.path.normpath(pattern) == file or matches(file, os.path.normpath(pattern)):
            return _first(project.document, (*path, "sources", index))
    return _first(project.document, (*path, "source"), (*path, "sources"))


def _by_kernel(project: Project, named: NamedProgram, unit: Unit) -> Iterator[Setting]:
    """What follows from the kernels that an object serves; `per_kernel` has it once for each."""
    document, path = project.document, ("program", named.key)
    prefix = f"{unit.kernel}: " if unit.kernel else ""
    versions = {name: project.config.kernel[name].upstream for name in unit.kernels}
    oldest = min((name for name, text in versions.items() if text), key=lambda name: version(str(versions[name])),
                 default="")  # fmt: skip
    code = dict(unit.settings.define).get("LINUX_VERSION_CODE")
    if unit.kernel and code is not None and "LINUX_VERSION_CODE" not in _written_defines(project, named):
        origin = _first(document, ("kernel", oldest, "upstream"))
        yield Setting(f"{prefix}define", f"LINUX_VERSION_CODE = {code}", origin)
    origin = _first(document, (*path, "mcpu"), ("compile", "mcpu"), ("kernel", oldest, "upstream"))
    yield Setting(f"{prefix}mcpu", unit.settings.mcpu, origin)
    places = ((*path, "vmlinux"), ("compile", "vmlinux"))
    origin = _first(document, *(() if unit.kernel else places), ("kernel", str(unit.vmlinux), "btf"))
    yield Setting(f"{prefix}vmlinux", unit.vmlinux or "-", origin)


def _written_defines(project: Project, named: NamedProgram) -> dict[str, MacroValue]:
    return {**project.config.compile.define, **project.config.program[named.key].define}


def _variants(project: Project, named: NamedProgram) -> Iterator[Setting]:
    """What each variant changes; the rest is the program's."""
    for name, variant in project.config.program[named.key].variants.items():
        path = ("program", named.key, "variants", name)
        values: list[tuple[str, Any, str]] = []
        for key in ("cflags", "include"):
            values += [(key, index, value) for index, value in enumerate(getattr(variant, key))]
        values += [("define", macro, f"{macro} = {_text(value)}") for macro, value in variant.define.items()]
        for key, index, value in values:
            yield Setting(f"{name}: {key}", value, _first(project.document, (*path, key, index)))
        if variant.mcpu:
            yield Setting(f"{name}: mcpu", variant.mcpu, _first(project.document, (*path, "mcpu")))
        if not values and not variant.mcpu:
            yield Setting(f"{name}:", "nothing of its own", _first(project.document, path))


def _lists(project: Project, named: NamedProgram, key: str) -> Iterator[Setting]:
    """The items of a list that a program adds to, each with its own place."""
    tables = [(("compile",), project.config.compile), (("program", named.key), project.config.program[named.key])]
    for table, settings in tables if key == "cflags" else reversed(tables):
        for index, value in enumerate(getattr(settings, key)):
            yield Setting(key, value, _first(project.document, (*table, key, index)))


def _defines(project: Project, named: NamedProgram) -> Iterator[Setting]:
    program = project.config.program[named.key].define
    for name, value in _written_defines(project, named).items():
        table = ("program", named.key) if name in program else ("compile",)
        yield Setting("define", f"{name} = {_text(value)}", _first(project.document, (*table, "define", name)))


def _text(value: MacroValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


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
