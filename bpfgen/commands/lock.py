"""`bpfgen lock`: builds, and writes down in `bpfgen.lock` what came out and from what."""

from __future__ import annotations

import argparse
import io
from typing import TextIO

from bpfgen import lockfile
from bpfgen.commands import generate
from bpfgen.committed.built import KEY, Built, render
from bpfgen.committed.ninja import build, is_shown
from bpfgen.committed.record import record
from bpfgen.errors import EXIT_USAGE, Failure, Location, Problem
from bpfgen.text import plural

HELP = "build, and record in bpfgen.lock what was built and from what"
EPILOG = """examples:
  bpfgen lock                then commit bpfgen.lock, with the files that it lists
  bpfgen verify --committed  what to run in CI

it records compiler, flags, sources, headers and objects, and every file that was made and that Git doesn't ignore"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing beyond the common options."""


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Builds and records; says in one line whether the lock changed. Raises `Failure`."""
    if args.only or args.skip:
        raise Failure([Problem(None, "a lock is of the whole build", "leave out --only and --skip")], EXIT_USAGE)
    if args.dry_run:
        print(f"bpfgen: would build, then write {lockfile.FILE}", file=out)
        return 0
    generate.run(args, io.StringIO())
    build((), quiet=not is_shown(args))
    project, host, cache = generate.prepare(args)
    built = record(project, host, cache)
    changed = lockfile.write(project.root, {**read_lock(project.root), KEY: render(built)})
    if not args.quiet:
        print(summary(built, changed), file=out)
    return 0


def read_lock(root: str) -> dict[str, object]:
    """The lock of a project; raises `Failure` where it is damaged."""
    try:
        return lockfile.read(root)
    except ValueError as error:
        hint = "restore it, or delete it and run  bpfgen lock"
        raise Failure([Problem(Location(lockfile.FILE), f"this file is damaged: {error}", hint)]) from error


def summary(built: Built, changed: bool) -> str:
    """One line."""
    verb = f"wrote {lockfile.FILE}" if changed else f"{lockfile.FILE} is up to date"
    made = plural(len(built.objects), "object")
    files = plural(len(built.files), "file") if built.files else "no files"
    ignored = "" if built.files else ": Git ignores all of them"
    return f"bpfgen: {verb}: {made} of {plural(len(built.inputs), 'input')}, {files} to commit{ignored}"
