"""Config and units → the Go files of `bindings = "bpf2go"`: their names, and all that they are made of but the objects.

Pure; imported only where a project has such bindings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Optional

from bpfgen import __version__
from bpfgen.catalog import arches, version
from bpfgen.config.checkgo import GO_KEYWORDS
from bpfgen.config.report import Report
from bpfgen.config.schema import Config, Go, ProgramGo
from bpfgen.frozen import frozen
from bpfgen.matrix import Unit, version_code
from bpfgen.outputs import Basis
from bpfgen.outputs.bpf2go.constraints import constraint, serves
from bpfgen.outputs.bpf2go.identifiers import identifier, upper_first
from bpfgen.outputs.bpf2go.levels import LEVELS


@frozen
class Choice:
    """A kernel's object, for a program that has one for each."""

    kernel: str
    version: int
    """`LINUX_VERSION_CODE`"""
    unit: Unit
    stem: str
    """That of its own file."""


@frozen
class Binding:
    """The Go file of one unit, and the object beside it; or a selector, which is for all kernels of a program."""

    unit: Unit
    """Whose object stands beside it; of a selector, the first one."""
    id: str
    """The unit's; a selector's without the kernel."""
    base: str
    """The path of both, relative to the project, without `.go` or `.o`."""
    stem: str
    """What its Go names begin with."""
    package: str
    constraint: str
    """The expression of `//go:build`, or empty."""
    arches: tuple[str, ...]
    """Go's architectures that the constraint admits."""
    tags: tuple[str, ...]
    table: ProgramGo
    explain: str
    """The path of the file that explains errors, without `.go`; empty where none is wanted."""
    choices: tuple[Choice, ...] = ()
    """Of a selector, which has no object of its own, but one for each kernel: the newest kernel first."""


def bindings(config: Config, units: Sequence[Unit]) -> tuple[Binding, ...]:
    """One for each unit, in their order, then selectors; none where the project has no such bindings."""
    if config.go is None or config.go.bindings != "bpf2go":
        return ()
    own = [_binding(config, config.go, unit, unit.kernel) for unit in units]
    return (*own, *_selectors(config, config.go, own))


def check(found: Sequence[Binding], report: Report) -> None:
    """Reports units that would have one file, or in one Go package one name; and packages of two names."""
    hint = "give one of them another  stem  or  dir  in its go table"
    files: dict[str, str] = {}
    names: dict[tuple[str, ...], str] = {}
    packages: dict[str, str] = {}
    for each in found:
        folder = each.base.rpartition("/")[0]
        path = ("program", each.unit.key)
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
        scope = (folder, each.package, *each.tags, each.table.suffix, upper_first(each.stem))
        keys = [(*scope, name) for name in each.arches]
        other = next((names[key] for key in keys if key in names), each.id)
        if other != each.id:
            message = f"{other} and {each.id} would both declare {each.stem}Objects in {folder or 'this folder'}"
            report.add(path, message, hint, key=True)
        names.update(dict.fromkeys(keys, each.id))


def section(basis: Basis) -> dict[str, Any]:
    """The bindings' part of `plan.json`."""
    table = basis.config.go
    assert table is not None
    found = bindings(basis.config, basis.units)
    objects = {entry["id"]: entry["path"] for entry in basis.objects}
    made_by = f"bpfgen {__version__} from clang {basis.clang}"
    return {
        "api": table.api,
        "from": table.files,
        "files": [{**_entry(e, made_by), "object": objects[e.unit.id]} for e in found if not e.choices],
        "selectors": [{**_entry(e, made_by), "choices": _choices(e, objects)} for e in found if e.choices],
    }


def _entry(binding: Binding, made_by: str) -> dict[str, Any]:
    settings = [choice.unit.settings for choice in binding.choices] or [binding.unit.settings]
    flags = sha256(repr(settings).encode()).hexdigest()[:8]
    made = f"{made_by}, flags {flags}"
    return {
        "id": binding.id,
        "base": binding.base,
        "stem": binding.stem,
        "header": f"// Code generated by {made}; DO NOT EDIT.",
        "explain": binding.explain,
        "constraint": binding.constraint,
        "package": binding.package,
        "types": sorted(binding.table.types),
        "global_types": binding.table.global_types,
    }


def _choices(binding: Binding, objects: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"kernel": each.kernel, "version": each.version, "stem": each.stem, "object": objects[each.unit.id]}
        for each in binding.choices
    ]


def _selectors(config: Config, go: Go, own: Iterable[Binding]) -> Iterator[Binding]:
    """One for the objects that differ only by the kernel, of kernels whose version is known."""
    groups: dict[tuple[str, str, str], list[Choice]] = {}
    for each in own:
        unit, kernel = each.unit, each.unit.kernel
        upstream = config.kernel[kernel].upstream if kernel else None
        if kernel and upstream:
            choice = Choice(kernel, version_code(version(upstream)), unit, each.stem)
            groups.setdefault((unit.program, unit.target.name, unit.variant), []).append(choice)
    for choices in groups.values():
        choices.sort(key=lambda choice: -choice.version)
        yield _binding(config, go, choices[0].unit, None, tuple(choices))


def _binding(config: Config, go: Go, unit: Unit, kernel: Optional[str], choices: tuple[Choice, ...] = ()) -> Binding:
    program = config.program[unit.key]
    table = program.go or ProgramGo()
    tags = go.tags if table.tags is None else table.tags
    kinds = [name for name in (kernel, unit.variant) if name]
    stem = table.stem or _identifier(unit.program)
    everywhere = table.target == "bpf"
    served = serves(unit.target.clang, None if program.portable else unit.target.define, LEVELS[go.api])
    target = "bpf" if everywhere else unit.target.name
    folder = (table.dir or go.dir or f"{config.project.out.rstrip('/')}/go").rstrip("/")
    place = "" if folder == "." else f"{folder}/"
    parts = (table.output_stem or stem.lower(), *map(_plain, kinds))
    return Binding(
        unit=unit,
        id=f"{unit.program}/{unit.target.name}{f'@{unit.variant}' if unit.variant else ''}" if choices else unit.id,
        base=f"{place}{'_'.join((*parts, target))}{table.suffix}",
        stem=stem + "".join(map(identifier, kinds)),
        package=table.package or go.package,
        constraint=constraint(() if everywhere else served, tags),
        arches=tuple(arches()) if everywhere else served,
        tags=tags,
        table=table,
        explain=f"{place}{'_'.join((*parts, 'explain', target))}{table.suffix}" if go.explain else "",
        choices=choices,
    )


def _identifier(program: str) -> str:
    """A program's name as one of Go's: `tc-counter` → `tc_counter`; no `_` leads, for Go passes over such files."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", program)
    return f"bpf_{name.lstrip('_')}" if name[0] in "_0123456789" else f"{name}_" if name in GO_KEYWORDS else name


def _plain(name: str) -> str:
    """A kernel's or variant's name as a part of a file's."""
    return re.sub(r"[^A-Za-z0-9_]+", "_", name).lower()
