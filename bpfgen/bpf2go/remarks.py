"""What a user should know of lines that were carried over. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Optional, get_args

from bpfgen.bpf2go.assemble import Run, usual_compiler
from bpfgen.bpf2go.directives import Directive
from bpfgen.bpf2go.options import Options
from bpfgen.catalog import version
from bpfgen.config.share import common
from bpfgen.config.values import GoApi
from bpfgen.errors import Location
from bpfgen.frozen import frozen

KNOWN_APIS: tuple[str, ...] = get_args(GoApi)
"""Versions of bpf2go whose files bpfgen can make, the oldest first."""


@frozen
class Note:
    """One remark, and its line."""

    where: Optional[Location]
    text: str

    def __str__(self) -> str:
        return f"{self.where or 'bpfgen'}: note: {self.text}"


def unset(directive: Directive) -> str:
    """Which variables of a line aren't set; empty where all are."""
    names = [f"${name}" for name, value in directive.asked.items() if value is None and "BPF2GO" not in name]
    return f"not set here: {', '.join(names)}" if names else ""


def of_line(directive: Directive) -> Iterator[str]:
    """What was taken from the environment."""
    for name, value in directive.asked.items():
        if value is not None and name != "PWD":  # a path in the project is written as such
            yield f'${name} is "{value}" here, and was written as such'
    if unset(directive):
        yield f"{unset(directive)}; taken as empty, as `go generate` does"


def of_run(options: Options, run: Run) -> Iterator[str]:
    """What has no place in `build.toml`, and why."""
    yield from (f"not carried over: {text}" for text in run.made.flags.lost)
    yield from (f"left out: {text}" for text in run.made.flags.dropped)
    if "native" in options.target.split(","):
        yield f"-target {options.target} is {','.join(options.targets)} on this host"
    if options.ignored:
        yield f"left out: {' '.join(options.ignored)}: bpf2go compiles one source"
    if options.strip and not options.no_strip:
        yield f"left out: -strip {options.strip}: bpfgen strips by itself"
    if options.makebase:
        yield "left out: -makebase: Ninja keeps track of headers"
    program = run.made.programs[0]
    for path in (str(program.source), *program.include):
        if path.startswith("/"):
            yield f"{path} is a path of this machine"
    if run.compiler.clang.startswith("/"):
        yield f"{run.compiler.clang} is a compiler of this machine: see [toolchain] clang"


def of_environment(environ: Mapping[str, str]) -> Iterator[Note]:
    """bpf2go's own variables."""
    for name in ("BPF2GO_CC", "BPF2GO_CFLAGS", "BPF2GO_STRIP", "BPF2GO_MAKEBASE"):
        if name in environ:
            yield Note(None, f'{name}="{environ[name]}" is set here, and counts as for bpf2go')


def of_compilers(runs: Sequence[Run]) -> Iterator[Note]:
    """Runs with another compiler than most."""
    usual = usual_compiler(runs)
    for run in runs:
        if str(run.compiler) != str(usual):
            yield Note(run.where, f"a project has one compiler: {usual}, and not {run.compiler}")


def choose_api(asked: Sequence[str]) -> tuple[Optional[str], tuple[str, ...]]:
    """The `api` for runs that ask for these versions, None for the newest that bpfgen knows; and what to say of it."""
    if not asked:
        return None, ("no go.mod asks for a version of github.com/cilium/ebpf: api is the newest that bpfgen knows",)
    usual = common(asked)
    others = [each for each in dict.fromkeys(asked) if each != usual]
    said = [f"there are lines for bpf2go {', '.join(others)}, too: a project has one api, {usual}"] if others else []
    if usual in KNOWN_APIS:
        return usual, tuple(said)
    nearest = KNOWN_APIS[0] if version(usual) < version(KNOWN_APIS[0]) else KNOWN_APIS[-1]
    return nearest, (*said, f"bpfgen doesn't know the files of bpf2go {usual}: api is {nearest}, the nearest")
