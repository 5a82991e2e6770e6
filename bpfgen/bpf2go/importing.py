"""A folder of Go files → the runs of bpf2go that they ask for. It reads the file system, and nothing else."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Optional

from bpfgen.bpf2go.assemble import Run
from bpfgen.bpf2go.calls import MODULE, Call, Hidden, find_call
from bpfgen.bpf2go.cflags import Places, rebased
from bpfgen.bpf2go.directives import Directive, read
from bpfgen.bpf2go.goflag import HelpAsked, Refused
from bpfgen.bpf2go.gosyntax import module_path, required
from bpfgen.bpf2go.options import read as read_options
from bpfgen.bpf2go.programs import compiler, programs
from bpfgen.bpf2go.remarks import Note, of_line, of_run, unset
from bpfgen.config.schema import Program
from bpfgen.errors import Problem
from bpfgen.frozen import field, frozen


@frozen
class Found:
    """What the Go files ask for."""

    runs: tuple[Run, ...]
    apis: tuple[str, ...]
    """The version for each run that names one."""
    notes: tuple[Note, ...]
    left: tuple[Problem, ...]
    """Lines that couldn't be carried over."""


@frozen
class _Search:
    """A search in progress."""

    root: str
    environ: Mapping[str, str]
    native: str
    runs: list[Run] = field(default_factory=list)
    apis: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    left: list[Problem] = field(default_factory=list)


def search(root: str, environ: Mapping[str, str], native: str) -> Found:
    """Reads every Go file below `root`, an absolute folder; `native` is this host's architecture, by Go's name."""
    state = _Search(root, environ, native)
    for name in go_files(root):
        with open(os.path.join(root, name), encoding="utf-8", errors="surrogateescape", newline="") as file:
            text = file.read()
        # As `go generate` sets them; GOROOT only go itself knows.
        folder = os.path.dirname(os.path.join(root, name))
        here = {"GOOS": sys.platform, "GOARCH": native, **environ, "PWD": folder}
        for directive in read(name, text, here, state.left):
            call = find_call(directive)
            if isinstance(call, Hidden):
                hint = "write the line as `bpf2go …`, or the program into build.toml by hand"
                state.left.append(Problem(directive.where, call.reason, hint))
            elif isinstance(call, Call):
                _carry(directive, call, state)
    return Found(tuple(state.runs), tuple(state.apis), tuple(state.notes), tuple(state.left))


def go_files(root: str) -> Iterator[str]:
    """Go files that `go generate ./...` could read, relative to `root` and in order (`go help packages`). Build
    constraints are not looked at, and modules below count, too.
    """
    for folder, below, files in os.walk(root):
        below[:] = sorted(name for name in below if name[0] not in "._" and name not in {"testdata", "vendor"})
        names = sorted(name for name in files if name.endswith(".go") and name[0] not in "._")
        yield from (os.path.relpath(os.path.join(folder, name), root) for name in names)


def _carry(directive: Directive, call: Call, state: _Search) -> None:
    """Adds one run, or what keeps it from being one."""
    folder = os.path.dirname(os.path.join(state.root, directive.where.file))
    try:
        options = read_options(call.words, call.environ, state.native, compiler="clang")
    except Refused as refused:
        state.left.append(Problem(directive.where, f"bpf2go refuses this: {refused}", unset(directive)))
        return
    except HelpAsked:
        return
    places = rebased(folder, state.root)
    made = programs(options, places, state.native)
    wrong = _impossible(made.programs[0], places)
    if wrong:
        state.left.append(Problem(directive.where, wrong, unset(directive)))
        return
    run = Run(directive.where, compiler(options), made)
    state.runs.append(run)
    state.notes.extend(Note(directive.where, text) for text in (*of_line(directive), *of_run(options, run)))
    api = level(call.version) or wanted_api(folder)
    if api:
        state.apis.append(api)


def _impossible(program: Program, places: Places) -> str:
    """What keeps a program from being built in the project; empty where nothing does."""
    if not places.is_file(str(program.source)):
        return f'there is no source "{program.source}"'
    folder = str(program.go.dir) if program.go else "."
    if folder.startswith(("/", "..")):
        return f'the folder of the Go files, "{folder}", is outside of the project: import from a folder above'
    return ""


def level(version: Optional[str]) -> Optional[str]:
    """`v0.22.1` → `0.22`; None for what is no version, such as `latest`."""
    found = re.match(r"v(\d+\.\d+)\.", version or "")
    return found[1] if found else None


def wanted_api(folder: str) -> Optional[str]:
    """The version of bpf2go that the nearest go.mod asks for, at or above an absolute folder."""
    while True:
        try:
            with open(os.path.join(folder, "go.mod"), encoding="utf-8", errors="replace") as file:
                return level(required(file.read(), MODULE))
        except OSError:
            if folder == os.path.dirname(folder):
                return None
            folder = os.path.dirname(folder)


def module_name(root: str) -> str:
    """What a project is called: the last word of its module's path, else its folder's name."""
    try:
        with open(os.path.join(root, "go.mod"), encoding="utf-8", errors="replace") as file:
            words = module_path(file.read()).split("/")
    except OSError:
        words = []
    # A major version is no name (`go help modules`).
    names = [word for word in words if not re.fullmatch(r"v[0-9]+", word)]
    return names[-1] if names and names[-1].isprintable() else os.path.basename(root) or "project"
