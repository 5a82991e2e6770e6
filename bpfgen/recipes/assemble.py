"""What the lines of a build do → one `Config`, with comments that say where things come from."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Optional

from bpfgen.bpf2go.cflags import DEFAULT_MCPU, CFlags, rebased, split
from bpfgen.bpf2go.names import names
from bpfgen.bpf2go.programs import Compiler
from bpfgen.bpf2go.remarks import Note
from bpfgen.catalog import arches
from bpfgen.config.check import RESERVED
from bpfgen.config.schema import Cache, Config, Kernel, Program, ProgramGo, Project, Skeleton, Toolchain
from bpfgen.config.share import common, share
from bpfgen.errors import Location, Problem
from bpfgen.frozen import field, frozen
from bpfgen.recipes.clang import Compiled
from bpfgen.recipes.gather import Gathered, by_output

ORDERS = {"bpfel": ("amd64", "arm64"), "bpfeb": ("s390x",)}
"""What a compile without `__TARGET_ARCH_…` is for: architectures of its byte order share the object."""
RUNNING = "/sys/kernel/btf/vmlinux"

Comments = dict[tuple[str, ...], Sequence[str]]


@frozen
class Imported:
    """A project that was carried over."""

    config: Config
    comments: Comments
    notes: tuple[Note, ...]
    left: tuple[Problem, ...]


@frozen
class _Part:
    """One object's program, with all compiles that it stands for."""

    program: Program
    arches: list[str] = field(default_factory=list)
    compiles: list[Compiled] = field(default_factory=list)


def assemble(name: str, root: str, found: Gathered, head: Sequence[str]) -> Optional[Imported]:
    """The project in the absolute folder `root`; None where nothing is compiled for BPF."""
    notes, left = list(found.notes), list(found.left)
    parts = _parts(found, root, notes, left)
    if not parts:
        return None
    programs = [dataclasses.replace(part.program, arches=tuple(part.arches)) for part in parts]
    chosen = names([_named(program, part) for program, part in zip(programs, parts)], (*RESERVED, *arches()))
    comments: Comments = {(): head}
    for key, part in zip(chosen, parts):
        comments["program", key] = tuple(dict.fromkeys(_origin(each, root) for each in part.compiles))
    usual = _usual(parts, notes)
    skeleton = Skeleton() if found.skeletons else None
    config = Config(
        project=Project(name=name),
        toolchain=Toolchain(clang=usual.clang),
        cache=Cache(launcher=usual.launcher) if usual.launcher else Cache(),
        kernel=dict(_kernels(found, root, notes)),
        program=dict(zip(chosen, programs)),
        skeleton=skeleton,
    )
    shared = share(config)
    if not shared.compile.cflags:
        comments["compile", "cflags"] = ("bpfgen's own default is -Wall.",)
    if shared.compile.mcpu == DEFAULT_MCPU:
        comments["compile", "mcpu"] = ("clang's default up to version 19; from 20 on it is v3.",)
    return Imported(shared, comments, tuple(notes), tuple(left))


def _parts(found: Gathered, root: str, notes: list[Note], left: list[Problem]) -> list[_Part]:
    """Compiles of the same settings as one program, for all their architectures."""
    parts: dict[str, _Part] = {}
    linked = _linked(found)
    for compiles in linked:
        first = compiles[0]
        programs = [_program(each, root, notes, left) for each in compiles]
        if None in programs:
            continue
        settings = {repr(dataclasses.replace(each, source=None)) for each in programs if each}
        if len(settings) > 1:
            text = "objects that are linked have different flags: those of the first one count"
            notes.append(Note(first.where, text))
        sources = tuple(str(each.source) for each in programs if each)
        program = programs[0]
        assert program is not None
        if len(sources) > 1:
            program = dataclasses.replace(program, source=None, sources=sources)
        part = parts.setdefault(repr(program), _Part(program))
        part.compiles.extend(compiles)
        wanted = (first.arch,) if first.arch else ORDERS[first.order]
        part.arches.extend(arch for arch in wanted if arch not in part.arches)
    if found.compiles and not any(flag.startswith("-g") for each in found.compiles for flag in each.flags):
        notes.append(Note(None, "no compile has -g; bpfgen's objects have BTF all the same, and no DWARF"))
    return list(parts.values())


def _linked(found: Gathered) -> Iterator[tuple[Compiled, ...]]:
    """Compiles, those together that `bpftool gen object` links."""
    known = by_output(found.compiles)
    together = [parts for parts in found.linked.values() if all(part in known for part in parts)]
    taken = {part for parts in together for part in parts}
    objects = {id(known[part]) for part in taken}
    yield from (tuple(known[part] for part in parts) for parts in together)
    yield from ((each,) for each in found.compiles if id(each) not in objects)


def _program(each: Compiled, root: str, notes: list[Note], left: list[Problem]) -> Optional[Program]:
    """The program of one compile; None where its source isn't there."""
    places = rebased(each.folder, root)
    source = places.rebase(each.source)
    if "\0" in source or not places.is_file(source):
        shown = each.source.replace("\0", "…")
        left.append(Problem(each.where, f'there is no source "{shown}"', "is it generated? then make it before"))
        return None
    flags: CFlags = split(each.flags, places)
    notes.extend(Note(each.where, f"left out: {text}") for text in (*each.dropped, *flags.dropped))
    notes.extend(Note(each.where, f"not carried over: {text}") for text in flags.lost)
    notes.extend(
        Note(each.where, f"{path} is a path of this machine")
        for path in (source, *flags.include)
        if path.startswith("/")
    )
    return Program(
        source=source,
        portable=each.arch is None,
        cflags=flags.cflags,
        include=flags.include,
        define=flags.define,
        mcpu=flags.mcpu,
    )


def _named(program: Program, part: _Part) -> Program:
    """A program as `names` reads it: by its first source, and its object where that doesn't tell."""
    stem = os.path.basename(part.compiles[0].output).split(".", 1)[0]
    source = program.source or program.sources[0]
    return dataclasses.replace(program, source=source, go=ProgramGo(stem=stem or "object"))


def _origin(each: Compiled, root: str) -> str:
    """Where a program comes from, and which object it was."""
    path = os.path.relpath(os.path.join(each.folder, each.output), root) if each.output else ""
    shown = os.path.basename(path) if path.startswith("..") else path
    return f"{each.where or each.source}{f': {shown}' if shown else ''}"


def _usual(parts: Sequence[_Part], notes: list[Note]) -> Compiler:
    """The compiler that most compiles have."""
    compiles = [each for part in parts for each in part.compiles]
    usual = common(str(each.compiler) for each in compiles)
    notes.extend(
        Note(each.where, f"a project has one compiler: {usual}, and not {each.compiler}")
        for each in compiles
        if str(each.compiler) != usual
    )
    found = next(each.compiler for each in compiles if str(each.compiler) == usual)
    if found.clang.startswith("/"):
        notes.append(Note(None, f"{found.clang} is a compiler of this machine: see [toolchain] clang"))
    return found


def _kernels(found: Gathered, root: str, notes: list[Note]) -> Iterator[tuple[str, Kernel]]:
    """Kernel targets for the types that a `vmlinux.h` was made of."""
    inside = root.rstrip("/") + "/"
    places: Mapping[str, Optional[Location]] = found.kernels
    for index, (path, where) in enumerate(places.items()):
        name = "running" if path == RUNNING else f"types{index + 1 if index else ''}"
        if path == RUNNING:
            text = f"vmlinux.h is made of the running kernel's types: [kernel.{name}]; `bpfgen kernel add` keeps a file"
            notes.append(Note(where, text))
        yield name, Kernel(btf=path.removeprefix(inside))
