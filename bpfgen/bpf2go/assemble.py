"""Runs of bpf2go → one `Config`, with comments that say where things come from. Pure."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Optional, TypeVar

from bpfgen.bpf2go.cflags import DEFAULT_MCPU
from bpfgen.bpf2go.names import names
from bpfgen.bpf2go.programs import Compiler, Made
from bpfgen.catalog import arches
from bpfgen.config.check import RESERVED
from bpfgen.config.schema import Cache, Compile, Config, Go, Program, ProgramGo, Project, Targets, Toolchain
from bpfgen.errors import Location
from bpfgen.frozen import frozen

T = TypeVar("T")


@frozen
class Run:
    """One run of bpf2go that is carried over."""

    where: Optional[Location]
    """Its line; None where it is the one that is being run."""
    compiler: Compiler
    made: Made


def assemble(
    name: str, runs: Sequence[Run], api: Optional[str], head: Sequence[str]
) -> tuple[Config, Mapping[tuple[str, ...], Sequence[str]]]:
    """The project, and its comments; `api` is the version of bpf2go (None: the newest that bpfgen knows)."""
    flat = [(run, program) for run in runs for program in run.made.programs]
    chosen = names([program for _, program in flat], (*RESERVED, *arches()))
    comments: dict[tuple[str, ...], Sequence[str]] = {(): head}
    for key, (run, _) in zip(chosen, flat):
        lost = tuple(f"not carried over: {text}" for text in run.made.flags.lost)
        comments["program", key] = (*([str(run.where)] if run.where else []), *lost)
    compiler = usual_compiler(runs)
    config = Config(
        project=Project(name=name),
        toolchain=Toolchain(clang=compiler.clang),
        cache=Cache(launcher=compiler.launcher) if compiler.launcher else Cache(),
        program={key: program for key, (_, program) in zip(chosen, flat)},
        go=Go(bindings="bpf2go", api=api or Go().api),  # type: ignore[arg-type] # the caller knows which there are
    )
    shared = share(config)
    if not shared.compile.cflags:
        comments["compile", "cflags"] = ("bpf2go passes no warning flags of its own.",)
    if shared.compile.mcpu == DEFAULT_MCPU:
        comments["compile", "mcpu"] = ("bpf2go's default.",)
    comments["go", "api"] = ("Generated files change only when this does.",)
    return shared, comments


def usual_compiler(runs: Sequence[Run]) -> Compiler:
    """The one that most runs want."""
    usual = common(str(run.compiler) for run in runs)
    return next(run.compiler for run in runs if str(run.compiler) == usual)


def common(values: Iterable[T]) -> T:
    """The value that most have; the first of several."""
    return Counter(values).most_common(1)[0][0]


def share(config: Config) -> Config:
    """The same units, with what programs have in common said once.

    What a program overrides is that of most; what it adds to only where it is the same in all.
    """
    assert config.go is not None
    programs = list(config.program.values())
    files = [program.go for program in programs if program.go]
    package = common(go.package for go in files)
    tags = common(go.tags for go in files)
    folders = {go.dir for go in files}
    top = Compile(
        cflags=_of_all([program.cflags for program in programs]) or (),
        include=_of_all([program.include for program in programs]) or (),
        define=_of_all([program.define for program in programs]) or {},
        mcpu=common(program.mcpu for program in programs),
        strip=common(program.strip for program in programs) is not False,
    )
    names = common(program.arches for program in programs)
    go = dataclasses.replace(
        config.go,
        package=package or config.go.package,
        tags=tags or (),
        dir=files[0].dir if len(folders) == 1 else None,
    )
    return dataclasses.replace(
        config,
        compile=top,
        targets=Targets(arches=names or ()),
        program={key: _own(program, top, names, go) for key, program in config.program.items()},
        go=go,
    )


def _of_all(values: Sequence[T]) -> Optional[T]:
    return values[0] if all(value == values[0] for value in values) else None


def _own(program: Program, top: Compile, names: Optional[tuple[str, ...]], go: Go) -> Program:
    """What a program says beyond `top`, `targets.arches` and `go`."""
    own: ProgramGo = program.go or ProgramGo()
    return dataclasses.replace(
        program,
        arches=None if program.arches == names else program.arches,
        cflags=() if program.cflags == top.cflags else program.cflags,
        include=() if program.include == top.include else program.include,
        define={} if program.define == top.define else program.define,
        mcpu=None if program.mcpu == top.mcpu else program.mcpu,
        strip=None if program.strip == top.strip else program.strip,
        go=dataclasses.replace(
            own,
            package=None if own.package == go.package else own.package,
            tags=None if own.tags == go.tags else own.tags,
            dir=None if own.dir == go.dir else own.dir,
        ),
    )
