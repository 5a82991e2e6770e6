"""`bpfgen bpf2go`: a call of bpf2go → a project of its own, built."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import os
import shutil
import sys
from collections.abc import Sequence

from bpfgen.bpf2go import quick
from bpfgen.bpf2go.assemble import Run, assemble
from bpfgen.bpf2go.cflags import Places, rebased
from bpfgen.bpf2go.goflag import HelpAsked, Refused
from bpfgen.bpf2go.importing import wanted_api
from bpfgen.bpf2go.options import NoSuchTarget, Options, native, read, supported_targets, usage
from bpfgen.bpf2go.programs import compiler, programs
from bpfgen.bpf2go.remarks import choose_api
from bpfgen.catalog import arches
from bpfgen.compile import Layout
from bpfgen.config.schema import Config, Program
from bpfgen.config.write import render
from bpfgen.errors import EXIT_FAILED, EXIT_OK, Failure, Problem, describe
from bpfgen.files import write_if_changed
from bpfgen.notes import recorded

EXAMPLES = """
examples:
  //go:generate bpfgen bpf2go -tags linux foo foo.c -- -I../headers
"""


def main(words: Sequence[str], call: str, folder: str) -> int:
    """Makes what a call asks for; `folder` is its project's. Prints and returns what bpf2go does."""
    try:
        options = read(words, os.environ, native())
    except HelpAsked:
        print(usage(os.environ) + EXAMPLES, end="")
        return EXIT_OK
    except Refused as refused:
        if refused.usage:
            print(f"{refused}\n{usage(os.environ)}", end="")
        if isinstance(refused, NoSuchTarget):
            print(supported_targets())
        return _fail(str(refused))
    try:
        return _make(options, call, folder)
    except Failure as failure:
        return _fail("\n".join(map(_told, failure.problems)))
    except OSError as error:
        return _fail(describe(error))


def _fail(message: str) -> int:
    print(f"Error: {message}", file=sys.stderr)
    return EXIT_FAILED


def _told(problem: Problem) -> str:
    """Without its place, which is in a file that nobody wrote."""
    return f"{problem.message}\n  hint: {problem.hint}" if problem.hint else problem.message


def _make(options: Options, call: str, folder: str) -> int:
    here = os.getcwd()
    target = os.path.abspath(options.output_dir)
    base = os.path.abspath(options.makebase) if options.makebase else ""
    if not os.path.exists(options.source):
        return _fail(f"file {os.path.abspath(options.source)} doesn't exist")
    text = render(*_project(options, here, folder))
    write_if_changed(os.path.join(os.path.dirname(os.path.dirname(folder)), ".gitignore"), b"*\n")
    write_if_changed(os.path.join(folder, "build.toml"), text.encode("utf-8", "surrogateescape"))
    os.chdir(folder)
    with open("lock", "w", encoding="utf-8") as lock:
        quick.hold(lock.fileno())
        with contextlib.suppress(FileNotFoundError):
            os.unlink(quick.NOTE)
        _generate()
        made = recorded(Layout("out"))
        goal = next(name for name in made if name.startswith(f"{quick.MADE}/") and name.endswith(".go"))
        code = quick.build(here, target, goal)
        if code == EXIT_OK:
            _finish(options, target, base)
            _forget_others(folder, target)
            # A run that has more to do than to copy isn't noted, and so never left to `quick`.
            if not (options.verbose or options.makebase):
                write_if_changed(quick.NOTE, f"{call}\0{target}\0{goal}".encode("utf-8", "surrogateescape"))
    return code


def _project(options: Options, here: str, folder: str) -> tuple[Config, dict[tuple[str, ...], Sequence[str]]]:
    """The call's project. Raises `Failure` for C flags that bpfgen can't pass."""
    os.makedirs(folder, exist_ok=True)
    places = rebased(here, folder)
    made = programs(options, places, native())
    if made.flags.lost:
        raise Failure([Problem(None, text) for text in made.flags.lost])
    source = os.path.abspath(options.source)
    names = () if options.no_strip else _names(options, places, here)

    def own(program: Program) -> Program:
        go = dataclasses.replace(program.go, dir=quick.MADE) if program.go else None
        # bpf2go hands the source's absolute path to clang, and clang names files by whether it is one.
        return dataclasses.replace(program, source=source, cflags=(*program.cflags, *names), go=go)

    made = dataclasses.replace(made, programs=tuple(map(own, made.programs)))
    asked = wanted_api(here)
    api, _ = choose_api([asked] if asked else [])
    run = Run(None, compiler(options), made)
    config, comments = assemble(options.stem, [run], api, ["A call of `bpfgen bpf2go`; made again by each."])
    return config, dict(comments)


def _names(options: Options, places: Places, here: str) -> tuple[str, ...]:
    """Flags that name files in an object as bpf2go does, seen from the folder of the call.

    LLVM looks for the lines of line information in files of these names, which aren't there from where it runs; unless
    the text is embedded, for which DWARF must be of version 5 (LLVM's BTFDebug.cpp, CGDebugInfo.cpp). The strip leaves
    nothing of that.
    """
    words = iter(options.cflags)
    include = [word[2:] or next(words, "") for word in words if word.startswith("-I")]
    folders = {places.rebase(path): path for path in include if path and not os.path.isabs(path)}
    source = os.path.dirname(os.path.abspath(options.source))
    folders[source] = os.path.relpath(source, here)
    return ("-gdwarf-5", "-gembed-source", *(f"-fdebug-prefix-map={path}={name}" for path, name in folders.items()))


def _generate() -> None:
    """Writes the Ninja file. What compilers answered to other calls isn't asked again."""
    from bpfgen.commands import generate

    own, shared = "out/.bpfgen/probe.json", "../../probe.json"
    with contextlib.suppress(FileNotFoundError), open(shared, "rb") as file:
        write_if_changed(own, file.read())
    common = {"directory": ".", "file": "build.toml", "only": [], "skip": [], "color": "never"}
    generate.run(argparse.Namespace(**common, dry_run=False, verbose=False, quiet=True), io.StringIO())
    with open(own, "rb") as file:
        write_if_changed(shared, file.read())


def _finish(options: Options, target: str, base: str) -> None:
    """What bpf2go does beside the files that it is there for; `base` is the absolute `-makebase`, or empty."""
    _remove_obsolete(options, target)
    for name in sorted(os.listdir(quick.MADE)):
        path = os.path.join(target, name)
        if options.verbose and name.endswith(".go"):
            verb = "Compiled" if options.no_strip else "Compiled and stripped"
            print(f"{verb} object file {path[: -len('.go')]}.o\nGenerated bpf2go binding file {path}")
        if base and name.endswith(".go"):
            from bpfgen.bpf2go import makedep

            rows = makedep.headers(quick.run(quick.ninja(), "-t", "deps")[1], _target(options, name))
            text = makedep.render(path, [os.path.abspath(row) for row in rows], base)
            write_if_changed(f"{path}.d", text.encode("utf-8", "surrogateescape"))
            if options.verbose:
                print(f"Wrote dependency file {path}.d")


def _remove_obsolete(options: Options, target: str) -> None:
    """Files of an old naming scheme, which Go took for ones of a GOARCH (`removeOldOutputFiles`)."""
    for row in (arches()[name] for name in options.targets if name in arches()):
        for ending in ("o", "go"):
            path = os.path.join(target, f"{options.stem}_{row.target}_{row.define}.{ending}")
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
                if options.verbose:
                    print(f"Removed obsolete output file file {path}")


def _target(options: Options, name: str) -> str:
    """The clang target of a Go file, as objects are called."""
    middle = name[len(options.stem) + 1 : -len(f"{options.output_suffix}.go")]
    return arches()[native()].target if middle == "bpf" else middle


def _forget_others(folder: str, target: str) -> None:
    """Removes the projects of calls that made one of these files before: their options were others."""
    made = set(os.listdir(quick.MADE))
    above, own = os.path.split(folder)
    for name in os.listdir(above):
        other = os.path.join(above, name)
        with contextlib.suppress(OSError):
            with open(os.path.join(other, quick.NOTE), encoding="utf-8", errors="surrogateescape") as file:
                theirs = file.read().split("\0")[1]
            if name != own and theirs == target and made & set(os.listdir(os.path.join(other, quick.MADE))):
                shutil.rmtree(other)
