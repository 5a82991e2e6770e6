"""`bpfgen verify --committed`: whether committed files are what their sources give."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from typing import Any, TextIO

from bpfgen import lockfile
from bpfgen.commands.generate import probed
from bpfgen.commands.lock import read_lock
from bpfgen.committed import drift
from bpfgen.committed.built import KEY, Built, parse
from bpfgen.committed.drift import Drift
from bpfgen.committed.ninja import is_shown
from bpfgen.committed.places import places_of
from bpfgen.committed.record import toolchain
from bpfgen.errors import EXIT_FAILED, EXIT_USAGE, Failure, Location, Problem
from bpfgen.host import Host
from bpfgen.project import Project, load
from bpfgen.text import plural


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Prints what drifted; 1 where something did. Raises `Failure`."""
    if args.only or args.skip:
        raise Failure([Problem(None, "a lock is of the whole build", "leave out --only and --skip")], EXIT_USAGE)
    project = load(args)
    os.chdir(project.root)
    built = _built(project.root)
    drifts = list(_drifts(project, built, args))
    if args.json:
        print(json.dumps({"ok": not drifts, "drift": list(map(_row, drifts))}, indent=1, ensure_ascii=False), file=out)
        return EXIT_FAILED if drifts else 0
    if drifts:
        raise Failure([each.problem for each in drifts], EXIT_FAILED)
    if not args.quiet:
        print(summary(built, args), file=out)
    return 0


def summary(built: Built, args: argparse.Namespace) -> str:
    """One line, where nothing drifted."""
    counts = ((built.files, "file"), (built.objects, "object"), (built.inputs, "input"))
    how = ", and built again to the same bytes" if args.rebuild else ""
    words = ", ".join(plural(len(items), what) for items, what in counts)
    return f"bpfgen: as {lockfile.FILE} has it{how}: {words}"


def _drifts(project: Project, built: Built, args: argparse.Namespace) -> Iterator[Drift]:
    yield from drift.of_project(project, built)
    yield from drift.of_inputs(built)
    yield from drift.of_files(built)
    if args.any_toolchain and not args.rebuild:
        return
    host, cache = _probed(project, args.any_toolchain)
    if not args.any_toolchain:
        yield from drift.of_toolchain(built, toolchain(project, host, cache), places_of(project, host))
    if args.rebuild:
        from bpfgen.committed.rebuild import rebuild

        again = rebuild(project, host, quiet=not is_shown(args))
        yield from drift.of_results(built, again.objects, again.files, again.unlike)


def _probed(project: Project, any_toolchain: bool) -> tuple[Host, dict[str, Any]]:
    try:
        return probed(project)
    except Failure as failure:
        hint = Problem(None, "so the toolchain can't be compared", "leave it out with --any-toolchain")
        raise Failure([*failure.problems, *([] if any_toolchain else [hint])], failure.code) from failure


def _built(root: str) -> Built:
    lock = read_lock(root)
    if KEY not in lock:
        message = "says nothing of a build" if lock else "there is no such file"
        raise Failure([Problem(Location(lockfile.FILE), message, drift.AGAIN)])
    try:
        return parse(lock[KEY])
    except ValueError as error:
        raise Failure([Problem(Location(lockfile.FILE), f"this file is damaged: {error}", drift.AGAIN)]) from error


def _row(each: Drift) -> dict[str, Any]:
    where = each.problem.where
    place = {"file": where.file, "line": where.line} if where else {"file": "", "line": 0}
    return {"kind": each.kind, **place, "message": each.problem.message, "hint": each.problem.hint}
