"""`bpfgen lint`: what is better in programs, by line."""

from __future__ import annotations

import argparse
import io
import json
import os
from collections.abc import Sequence
from typing import Any, Optional, TextIO

from bpfgen.compile import layout_of
from bpfgen.errors import EXIT_FAILED, EXIT_OK, Location
from bpfgen.findings import github
from bpfgen.findings.places import moved
from bpfgen.lints import show
from bpfgen.lints.linted import Linted, linted
from bpfgen.lints.model import Finding, to_json
from bpfgen.matrix import Unit, select
from bpfgen.project import Project
from bpfgen.text import paint

HELP = "say what is better in programs"
EPILOG = """examples:
  bpfgen lint                  what is wrong or could be better, by line
  bpfgen lint -v               also what is accepted
  bpfgen lint --only tracer    of one program
  bpfgen lint --json | jq '.findings[] | .code'

silenced by  // bpfgen: allow(CODE)  on the line or the one before, or by [[lint.allow]] in build.toml

exit code: 1 where there is an error

keys of the JSON
  ok        whether there is no error
  findings  code, level (error, warning, note, accepted), message, help, file, line, column, programs, objects,
            accepted (why)
  unused    [[lint.allow]] tables that match nothing, by index"""
UNUSED = "this [[lint.allow]] matches nothing"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen lint`."""
    add = parser.add_argument
    add("--json", action="store_true", help="print a JSON object")
    add("--github", action="store_true", default=None, help="annotate a GitHub workflow (default: within one)")
    add("--no-github", action="store_false", dest="github", help="don't")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Builds the objects, prints what is found and a summary; 1 where there is an error. Raises `Failure`."""
    found = look(args)
    if found is None:
        print("bpfgen: would build, then look at what was built", file=out)
        return EXIT_OK
    project, units, result = found
    if args.json:
        print(json.dumps(as_json(result), indent=1, ensure_ascii=False), file=out)
    else:
        report(project, result, args, out)
        if not args.quiet:
            print(f"bpfgen: {show.summary(result.findings, len(units))}", file=out)
    return EXIT_OK if result.is_ok else EXIT_FAILED


def look(args: argparse.Namespace) -> Optional[tuple[Project, Sequence[Unit], Linted]]:
    """Builds what isn't built, and looks at the selected units; None in a dry run."""
    from bpfgen.commands import generate
    from bpfgen.committed.ninja import build, dependencies, is_shown

    whole = argparse.Namespace(**{**vars(args), "only": [], "skip": []})
    project, host, _ = generate.prepare(whole)
    units = select(project.units, args.only, args.skip)
    if args.dry_run:
        return None
    root = {"directory": project.root, "file": project.file}
    generate.run(argparse.Namespace(**{**vars(whole), **root}), io.StringIO())
    build([layout_of(project.config).object(unit) for unit in units], quiet=not is_shown(args))
    return project, units, linted(project, host, units, dependencies())


def as_json(result: Linted) -> dict[str, Any]:
    """What `--json` prints, as JSON's values."""
    findings = [to_json(each) for each in result.findings]
    return {"ok": result.is_ok, "findings": findings, "unused": list(result.unused)}


def report(project: Project, result: Linted, args: argparse.Namespace, out: TextIO) -> None:
    """Prints findings, by line or as annotations."""

    def painted(text: str, colour: str) -> str:
        return paint(text, colour, args.color, out)

    def place(finding: Finding) -> Location:
        return moved(project, finding.place, is_source=finding.place.file != project.document.name)

    unused = [project.document.where(("lint", "allow", index)) for index in result.unused]
    if args.github if args.github is not None else os.environ.get("GITHUB_ACTIONS") == "true":
        for line in show.workflow(result.findings, place):
            print(line, file=out)
        for where in unused:
            print(github.command("warning", moved(project, where, False), "Nothing to accept", UNUSED), file=out)
        return
    for line in show.lines(show.shown(result.findings, args.verbose), painted):
        print(line, file=out)
    for where in unused:
        print(f"{where}: {painted('warning', 'yellow')}: {UNUSED}\n  hint: remove it", file=out)
