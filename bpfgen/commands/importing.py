"""`bpfgen import bpf2go`: a `build.toml` from the `//go:generate` lines of a project."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from typing import TextIO

from bpfgen.bpf2go.assemble import assemble
from bpfgen.bpf2go.importing import Found, module_name, search
from bpfgen.bpf2go.options import native
from bpfgen.bpf2go.remarks import Note, choose_api, of_compilers, of_environment
from bpfgen.config.check import check
from bpfgen.config.decode import decode
from bpfgen.config.report import Report
from bpfgen.config.source import read_document
from bpfgen.config.write import render
from bpfgen.errors import EXIT_USAGE, Failure, Location, Problem
from bpfgen.files import write_if_changed
from bpfgen.sources import discover
from bpfgen.text import plural

HELP = "write a build.toml that makes what another tool makes"
EPILOG = """examples:
  bpfgen import bpf2go               the //go:generate lines of all Go files here and below
  bpfgen import bpf2go --dry-run     print build.toml, and write nothing
  BPF_CLANG=clang-19 bpfgen import bpf2go pkg

Variables in the lines are replaced as `go generate` does it, from the environment. What has no place in build.toml is
said on standard error, with its line; a line that was left out altogether is an error."""

HEAD = "Made by `bpfgen import bpf2go` from the //go:generate lines of this project."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen import`."""
    parser.add_argument("tool", choices=("bpf2go",), help="what builds the project now")
    parser.add_argument("folder", nargs="?", default=".", metavar="DIR", help="the project (default: here)")
    parser.add_argument("--force", action="store_true", help="overwrite build.toml")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Writes the file; raises `Failure` where nothing can be carried over, or a file is in the way."""
    shown = os.path.normpath(os.path.join(args.folder, args.file))
    path = os.path.join(args.directory, shown)
    if os.path.lexists(path) and not args.force and not args.dry_run:
        raise Failure([Problem(Location(shown), "the file is there already", "--force overwrites it")], EXIT_USAGE)
    root = os.path.realpath(os.path.dirname(path))
    if not os.path.isdir(root):
        raise Failure([Problem(Location(args.folder), "there is no such folder")], EXIT_USAGE)
    found = search(root, os.environ, native())
    if not found.runs:
        message = f"no //go:generate line of a Go file in {args.folder} or below runs bpf2go"
        raise Failure([*found.left, *([] if found.left else [Problem(None, message)])])
    api, said = choose_api(found.apis)
    config, comments = assemble(module_name(root), found.runs, api, [HEAD])
    text = render(config, comments)
    problems = [*found.left, *_problems(root, shown, text)]
    if args.dry_run:
        print(text, end="", file=out)
    else:
        write_if_changed(path, text.encode("utf-8", "surrogateescape"))
    if not args.quiet:
        for note in _notes(found, said):
            print(note, file=sys.stderr)
    if not args.quiet and not args.dry_run:
        counts = f"{plural(len(config.program), 'program')} of {plural(len(found.runs), 'line')}"
        print(f"wrote {shown}: {counts}", file=out)
    if problems:
        raise Failure(problems)
    return 0


def _notes(found: Found, said: Sequence[str]) -> list[Note]:
    """What is to be said, in the order of the places; what holds for many lines once, at the first."""
    general = (*of_environment(os.environ), *(Note(None, text) for text in said))
    notes = [*general, *found.notes, *of_compilers(found.runs)]
    notes.sort(key=lambda note: (note.where.file, note.where.line) if note.where else ("", 0))
    count = Counter(note.text for note in notes)
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
