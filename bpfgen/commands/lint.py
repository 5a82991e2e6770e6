"""`bpfgen lint`: what is better in programs, by line."""

from __future__ import annotations

import argparse
import io
import json
import os
from typing import Any, TextIO

from bpfgen.compile import layout_of
from bpfgen.errors import EXIT_FAILED, EXIT_OK, Failure, Location, Problem
from bpfgen.findings import github
from bpfgen.findings.places import moved
from bpfgen.lints import show
from bpfgen.lints.linted import Linted, linted
from bpfgen.lints.model import Finding, to_json
from bpfgen.matrix import select
from bpfgen.project import Project, load
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
    project = load(argparse.Namespace(**{**vars(args), "only": [], "skip": []}))
    os.chdir(project.root)
    if args.dry_run:
        print("bpfgen: would build, then look at what was built", file=out)
        return EXIT_OK
    result = look(project, args)
    if args.json:
        print(json.dumps(as_json(result), indent=1, ensure_ascii=False), file=out)
    else:
        report(project, result, args, out)
    return EXIT_OK if result.is_ok else EXIT_FAILED


def look(project: Project, args: argparse.Namespace) -> Linted:
    """Builds what isn't built of a whole project, whose folder is the current one, and looks at what the options
    select; raises `Failure`.
    """
    from bpfgen.commands import generate
    from bpfgen.committed.ninja import build, dependencies, is_shown

    units = select(project.units, args.only, args.skip)
    if not units:
        hint = "bpfgen matrix lists what there is"
        raise Failure([Problem(Location(args.file), "--only and --skip leave nothing to look at", hint)])
    root = {"directory": project.root, "file": project.file, "only": [], "skip": []}
    generate.run(argparse.Namespace(**{**vars(args), **root}), io.StringIO())
    build([layout_of(project.config).object(unit) for unit in units], quiet=not is_shown(args))
    return linted(project, generate.probed(project)[0], units, dependencies())


def as_json(result: Linted) -> dict[str, Any]:
    """What `--json` prints, as JSON's values."""
    findings = [to_json(each) for each in result.findings]
    return {"ok": result.is_ok, "findings": findings, "unused": list(result.unused)}


def report(project: Project, result: Linted, args: argparse.Namespace, out: TextIO) -> None:
    """Prints findings, by line or as annotations, and a summary."""

    def painted(text: str, colour: str) -> str:
        return paint(text, colour, args.color, out)

    unused = [project.document.where(("lint", "allow", index)) for index in result.unused]
    if args.github if args.github is not None else os.environ.get("GITHUB_ACTIONS") == "true":
        lines = [*show.workflow(result.findings, lambda finding: _in_repository(project, finding))]
        places = (moved(project, where, is_source=False) for where in unused)
        lines += [github.command("warning", place, "Nothing to accept", UNUSED) for place in places]
    else:
        lines = [*show.lines(show.shown(result.findings, args.verbose), painted)]
        lines += [f"{where}: {painted('warning', 'yellow')}: {UNUSED}\n  hint: remove it" for where in unused]
    summary = [] if args.quiet else [f"bpfgen: {show.summary(result)}"]
    for line in (*lines, *summary):
        print(line, file=out)


def _in_repository(project: Project, finding: Finding) -> Location:
    return moved(project, finding.place, is_source=finding.place.file != project.document.name)
