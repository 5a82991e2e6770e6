"""`bpfgen import`: a `build.toml` from what builds a project now."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from typing import TextIO

from bpfgen.bpf2go.assemble import assemble
from bpfgen.bpf2go.importing import module_name, search
from bpfgen.bpf2go.options import native
from bpfgen.bpf2go.remarks import Note, choose_api, of_compilers, of_environment
from bpfgen.config.check import check
from bpfgen.config.decode import decode
from bpfgen.config.report import Report
from bpfgen.config.source import read_document
from bpfgen.config.write import render
from bpfgen.errors import EXIT_USAGE, Failure, Location, Problem
from bpfgen.files import write_if_changed
from bpfgen.recipes import cmake, compdb, make
from bpfgen.recipes.assemble import Imported
from bpfgen.recipes.assemble import assemble as assemble_lines
from bpfgen.recipes.gather import Line, gather
from bpfgen.sources import discover
from bpfgen.text import plural

HELP = "write a build.toml that makes what another tool makes"
EPILOG = """examples:
  bpfgen import bpf2go                 the //go:generate lines of all Go files here and below
  bpfgen import make                   what `make` would compile for BPF
  bpfgen import make . ebpf CLANG=…    a target of it, with variables as make takes them
  bpfgen import compdb build/compile_commands.json
  bpfgen import cmake                  custom commands, too
  bpfgen import make --dry-run         print build.toml, and write nothing

Nothing is built. make is asked by a dry run (make -n -B), which runs no recipes, but does run $(shell …), and lines
that begin with + or name $(MAKE), with all that stands in them. cmake configures in a temporary folder.

What has no place in build.toml is said on standard error, with its line; what was left out altogether is an error."""

TOOLS = ("bpf2go", "make", "compdb", "cmake")
HEADS = {
    "bpf2go": "the //go:generate lines of this project",
    "make": "what make would run",
    "compdb": "a compilation database",
    "cmake": "the commands of CMake's Ninja file",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen import`."""
    parser.add_argument("tool", choices=TOOLS, help="what builds the project now")
    parser.add_argument("words", nargs="*", metavar="DIR", help="the project (default: here); compdb: its file")
    parser.add_argument("--force", action="store_true", help="overwrite build.toml")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Writes the file; raises `Failure` where nothing can be carried over, or a file is in the way."""
    folder, words = _words(args)
    shown = os.path.normpath(os.path.join(folder, args.file))
    path = os.path.join(args.directory, shown)
    if os.path.lexists(path) and not args.force and not args.dry_run:
        raise Failure([Problem(Location(shown), "the file is there already", "--force overwrites it")], EXIT_USAGE)
    root = os.path.realpath(os.path.dirname(path))
    if not os.path.isdir(root):
        raise Failure([Problem(Location(folder), "there is no such folder")], EXIT_USAGE)
    head = [f"Made by `bpfgen import {args.tool}` from {HEADS[args.tool]}."]
    if args.tool == "bpf2go":
        found, counted = _bpf2go(root, folder, head)
    else:
        found, counted = _lines(args, root, words, head)
    text = render(found.config, found.comments)
    problems = [*found.left, *_problems(root, shown, text)]
    if args.dry_run:
        print(text, end="", file=out)
    else:
        write_if_changed(path, text.encode("utf-8", "surrogateescape"))
    if not args.quiet:
        for note in _notes(found.notes):
            print(note, file=sys.stderr)
    if not args.quiet and not args.dry_run:
        print(f"wrote {shown}: {plural(len(found.config.program), 'program')} of {counted}", file=out)
    if problems:
        raise Failure(problems)
    return 0


def _words(args: argparse.Namespace) -> tuple[str, Sequence[str]]:
    """The project's folder, and the tool's own words. make's first one is a target where it is no folder."""
    words = list(args.words)
    starts = words and (args.tool == "bpf2go" or os.path.isdir(os.path.join(args.directory, words[0])))
    folder = words.pop(0) if starts and args.tool != "compdb" else "."
    allowed = {"bpf2go": 0, "compdb": 1}.get(args.tool, len(words))
    if len(words) > allowed:
        raise Failure([Problem(None, f"there is one argument too many: {words[allowed]}")], EXIT_USAGE)
    return folder, words


def _bpf2go(root: str, shown: str, head: Sequence[str]) -> tuple[Imported, str]:
    found = search(root, os.environ, native())
    if not found.runs:
        message = f"no //go:generate line of a Go file in {shown} or below runs bpf2go"
        raise Failure([*found.left, *([] if found.left else [Problem(None, message)])])
    api, said = choose_api(found.apis)
    config, comments = assemble(module_name(root), found.runs, api, head)
    general = (*of_environment(os.environ), *(Note(None, text) for text in said))
    notes = (*general, *found.notes, *of_compilers(found.runs))
    return Imported(config, dict(comments), notes, found.left), plural(len(found.runs), "line")


def _lines(args: argparse.Namespace, root: str, words: Sequence[str], head: Sequence[str]) -> tuple[Imported, str]:
    """What lines of make, of cmake or of a compilation database make for BPF."""
    complaint = ""
    if args.tool == "make":
        lines, complaint = make.lines(root, words, os.environ)
    elif args.tool == "cmake":
        lines = cmake.lines(root, words)
    else:
        lines = _database(args.directory, words[0] if words else "compile_commands.json")
    found = gather(lines, os.environ)
    imported = assemble_lines(module_name(root), root, found, head)
    if complaint:
        found.left.append(Problem(None, f"make -n: {complaint}"))
    if imported is None:
        hint = "name a target that does" if args.tool == "make" else ""
        nothing = Problem(None, f"none of {plural(len(lines), 'command')} compiles C for BPF (-target bpf)", hint)
        raise Failure([*found.left, *([] if found.left else [nothing])])
    if complaint:
        imported = Imported(imported.config, imported.comments, imported.notes, (*imported.left, found.left[-1]))
    return imported, plural(len(found.compiles), "compile")


def _database(directory: str, shown: str) -> list[Line]:
    path = os.path.join(directory, shown)
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return compdb.lines(file.read(), shown, os.path.dirname(os.path.abspath(path)))


def _notes(said: Sequence[Note]) -> list[Note]:
    """What is to be said, in the order of the places; what holds for many lines once, at the first."""
    notes = sorted(said, key=lambda note: (note.where.file, note.where.line) if note.where else ("", 0))
    count = Counter(text for text, _ in {(note.text, str(note.where)) for note in notes})
    first = {note.text: note for note in reversed(notes)}
    return [
        Note(note.where, f"{note.text} (also in {plural(more, 'other line')})")
        if (more := count[note.text] - 1)
        else note
        for note in notes
        if first[note.text] is note
    ]


def _problems(root: str, shown: str, text: str) -> Sequence[Problem]:
    """What bpfgen has to say of the file that was made."""
    try:
        document = read_document(shown, text.encode("utf-8", "surrogateescape"))
        report = Report(document)
        config = decode(document.values, report)
        check(config, report)
        discover(root, config, report)
        report.fail_if_any()
    except Failure as failure:
        return failure.problems
    return ()
