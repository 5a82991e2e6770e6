"""Config and units → the Go files of `bindings = "bpf2go"`: what they are called, and which programs clash.

Pure; imported only where a project has such bindings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Optional

from bpfgen.catalog import arches, version
from bpfgen.config.checkgo import GO_KEYWORDS
from bpfgen.config.report import Report
from bpfgen.config.schema import Config, Go, ProgramGo
from bpfgen.frozen import frozen
from bpfgen.matrix import version_code
from bpfgen.outputs.bpf2go.constraints import constraint, serves
from bpfgen.outputs.bpf2go.identifiers import identifier, upper_first
from bpfgen.outputs.bpf2go.levels import LEVELS


@frozen
class Cell:
    """What bindings must know of a unit; also the names of these in `plan.json`."""

    id: str
    program: str
    table: str
    """The name of its program's table."""
    target: str
    """`bpfel`, `x86_bpfel`, …"""
    kernel: Optional[str]
    variant: str


@frozen
class Choice:
    """A kernel's object, for a program that has one for each."""

    kernel: str
    version: int
    """`LINUX_VERSION_CODE`"""
    id: str
    """The unit's."""
    stem: str
    """That of its own file."""


@frozen
class Binding:
    """The Go file of one unit, and the object beside it; or a selector, which is for all kernels of a program."""

    id: str
    """The unit's; a selector's without the kernel."""
    table: str
    """The name of the program's table."""
    base: str
    """The path of both files, relative to the project, without `.go` or `.o`."""
    stem: str
    """What its Go names begin with."""
    package: str
    constraint: str
    """The expression of `//go:build`, or empty."""
    arches: tuple[str, ...]
    """Go's architectures that the constraint admits."""
    tags: tuple[str, ...]
    settings: ProgramGo
    explain: str
    """The path of the file that explains errors, without `.go`; empty where none is wanted."""
    choices: tuple[Choice, ...] = ()
    """Of a selector, which has no object of its own, but one for each kernel: the newest kernel first."""


def bindings(config: Config, cells: Iterable[Cell]) -> tuple[Binding, ...]:
    """One for each cell, in their order, then selectors; none where the project has no such bindings."""
    if config.go is None or config.go.bindings != "bpf2go":
        return ()
    cells = tuple(cells)
    own = [_binding(config, config.go, cell, cell.kernel) for cell in cells]
    return (*own, *_selectors(config, config.go, cells, own))


def check(found: Sequence[Binding], report: Report) -> None:
    """Reports units that would have one file, or in one Go package one name; and packages of two names."""
    hint = "give one of them another  stem  or  dir  in its go table"
    files: dict[str, str] = {}
    names: dict[tuple[str, ...], str] = {}
    packages: dict[str, str] = {}
    for each in found:
        folder = each.base.rpartition("/")[0]
        path = ("program", each.table)
        package = packages.setdefault(folder, each.package.removesuffix("_test"))
        if package != each.package.removesuffix("_test"):
            message = f'the folder {folder or "."} would have two Go packages: "{package}" and "{each.package}"'
            report.add(path, message, "give one of them another  dir  in its go table", key=True)
        taken = [(files.setdefault(name.lower(), each.id), name) for name in (each.base, each.explain) if name]
        others = [(other, name) for other, name in taken if other != each.id]
        for other, name in others:
            report.add(path, f"{other} and {each.id} would both be {name}.go", hint, key=True)
        if others:
            continue
        scope = (folder, each.package, *each.tags, each.settings.suffix, upper_first(each.stem))
        keys = [(*scope, name) for name in each.arches]
        other = next((names[key] for key in keys if key in names), each.id)
        if other != each.id:
            message = f"{other} and {each.id} would both declare {each.stem}Objects in {folder or 'this folder'}"
            report.add(path, message, hint, key=True)
        names.update(dict.fromkeys(keys, each.id))


def _selectors(config: Config, go: Go, cells: Iterable[Cell], own: Iterable[Binding]) -> Iterator[Binding]:
    """One for the objects that differ only by the kernel, of kernels whose version is known."""
    groups: dict[tuple[str, str, str], list[tuple[Cell, Choice]]] = {}
    for cell, binding in zip(cells, own):
        upstream = config.kernel[cell.kernel].upstream if cell.kernel else None
        if cell.kernel and upstream:
            choice = Choice(cell.kernel, version_code(version(upstream)), cell.id, binding.stem)
            groups.setdefault((cell.program, cell.target, cell.variant), []).append((cell, choice))
    for members in groups.values():
        choices = sorted((choice for _, choice in members), key=lambda choice: -choice.version)
        yield _binding(config, go, members[0][0], None, tuple(choices))


def _binding(config: Config, go: Go, cell: Cell, kernel: Optional[str], choices: tuple[Choice, ...] = ()) -> Binding:
    program = config.program[cell.table]
    settings = program.go or ProgramGo()
    tags = go.tags if settings.tags is None else settings.tags
    kinds = [name for name in (kernel, cell.variant) if name]
    stem = settings.stem or _identifier(cell.program)
    everywhere = settings.target == "bpf"
    define, _, clang = cell.target.rpartition("_")
    served = serves(clang, None if program.portable else define, LEVELS[go.api])
    target = "bpf" if everywhere else cell.target
    folder = (settings.dir or go.dir or f"{config.project.out.rstrip('/')}/go").rstrip("/")
    place = "" if folder == "." else f"{folder}/"
    parts = (settings.output_stem or stem.lower(), *map(_plain, kinds))
    return Binding(
        id=f"{cell.program}/{cell.target}{f'@{cell.variant}' if cell.variant else ''}" if choices else cell.id,
        table=cell.table,
        base=f"{place}{'_'.join((*parts, target))}{settings.suffix}",
        stem=stem + "".join(map(identifier, kinds)),
        package=settings.package or go.package,
        constraint=constraint(() if everywhere else served, tags),
        arches=tuple(arches()) if everywhere else served,
        tags=tags,
        settings=settings,
        explain=f"{place}{'_'.join((*parts, 'explain', target))}{settings.suffix}" if go.explain else "",
        choices=choices,
    )


def _identifier(program: str) -> str:
    """A program's name as one of Go's: `tc-counter` → `tc_counter`; no `_` leads, for Go passes over such files."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", program)
    return f"bpf_{name.lstrip('_')}" if name[0] in "_0123456789" else f"{name}_" if name in GO_KEYWORDS else name


def _plain(name: str) -> str:
    """A kernel's or variant's name as a part of a file's."""
    return re.sub(r"[^A-Za-z0-9_]+", "_", name).lower()
