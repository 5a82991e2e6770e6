"""Runs of bpf2go → one `Config`, with comments that say where things come from. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Optional

from bpfgen.bpf2go.cflags import DEFAULT_MCPU
from bpfgen.bpf2go.names import names
from bpfgen.bpf2go.programs import Compiler, Made
from bpfgen.catalog import arches
from bpfgen.config.check import RESERVED
from bpfgen.config.schema import Cache, Config, Go, Project, Toolchain
from bpfgen.config.share import common, share
from bpfgen.errors import Location
from bpfgen.frozen import frozen


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
