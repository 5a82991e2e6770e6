"""`bpfgen check`: which kernels take which programs, and why not."""

from __future__ import annotations

import argparse
import io
import json
import os
from typing import Optional, TextIO

from bpfgen.commands import lint
from bpfgen.compile import layout_of
from bpfgen.errors import EXIT_FAILED, EXIT_OK, Failure, Location, Problem
from bpfgen.files import write_if_changed
from bpfgen.findings import github, listing, sarif
from bpfgen.findings.checked import Checked, Selection, checked, to_json
from bpfgen.findings.kinds import kind
from bpfgen.findings.places import places, unused
from bpfgen.findings.policy import ERROR, WARNING
from bpfgen.findings.rules import rules_of
from bpfgen.lints.linted import Linted
from bpfgen.project import Project, load
from bpfgen.text import paint
from bpfgen.verdicts.model import Verdict

HELP = "say which kernels take which programs, and why not"
EPILOG = """examples:
  bpfgen check                         a table, and what is wrong, by line
  bpfgen check -v                      everything: source lines, notes, what is accepted
  bpfgen check --kernel 'lts5*' --only arm64
  bpfgen check --sarif check.sarif     for code scanning
  bpfgen check --fast                  reduced against whole vmlinux.h: are the objects the same?

exit code: 1 where a verdict is an error ([check] in build.toml says which are), where a lint is
([lint] check), or where two objects differ (--fast)

keys of the JSON
  ok        whether there is no error
  kernels   their names, the oldest first
  programs  a row of the table each: program, variant, arches, loads, kernels (verdict and level by name)
  findings  level, verdict, kind, name, message, program, functions, file, line, column, text, source, objects,
            accepted, kernels (architectures by name)
  unused    [[check.allow]] tables that match nothing, by index
  lint      what bpfgen lint --json prints, where [lint] check = true"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen check`."""
    add = parser.add_argument
    add("--kernel", metavar="GLOB", action="append", default=[], help="only kernel targets that match")
    add("--details", action="store_true", help="say everything, as -v does")
    add("--json", action="store_true", help="print a JSON object")
    add("--sarif", metavar="FILE", help="also write what is found to FILE, as SARIF 2.1.0")
    add("--github", action="store_true", default=None, help="annotate a GitHub workflow (default: within one)")
    add("--no-github", action="store_false", dest="github", help="don't")
    add("--fast", action="store_true", help="instead, compile against the reduced and the whole vmlinux.h, and compare")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Prints table, findings and a summary; 1 where there is an error. Raises `Failure`."""
    if args.fast:
        from bpfgen import fastcheck

        return fastcheck.run(args, out)
    # The selection is of verdicts: one of objects would also leave out the other kernels of what it skips.
    whole = argparse.Namespace(**{**vars(args), "only": [], "skip": []})
    project = load(whole)
    log = os.path.abspath(args.sarif) if args.sarif else ""
    os.chdir(project.root)
    verdicts = _verdicts(project, whole)
    if verdicts is None:
        print("bpfgen: would build, then check what was built", file=out)
        return EXIT_OK
    shown = _checked(project, args, verdicts)
    if log:
        text = json.dumps(sarif.log(shown.findings, places(project, repository=True)), indent=1, ensure_ascii=False)
        write_if_changed(log, f"{text}\n".encode("utf-8", "surrogateescape"))
    lints = _lints(project, args)
    if args.json:
        value = {**to_json(shown), **({"lint": lint.as_json(lints)} if lints else {})}
        print(json.dumps(value, indent=1, ensure_ascii=False), file=out)
    else:
        _print(project, shown, args, out)
        if lints:
            lint.report(project, lints, args, out)
    return EXIT_OK if shown.is_ok and (lints is None or lints.is_ok) else EXIT_FAILED


def _lints(project: Project, args: argparse.Namespace) -> Optional[Linted]:
    """What lints find, where `[lint] check` asks for it."""
    return lint.look(project, args) if project.config.lint.check else None


def _verdicts(project: Project, args: argparse.Namespace) -> Optional[list[Verdict]]:
    """Builds them, and the report; None in a dry run."""
    from bpfgen.commands import generate
    from bpfgen.committed.ninja import build, is_shown
    from bpfgen.findings.stored import read

    if not any(unit.kernels for unit in project.units):
        hint = "bpfgen kernel add NAME FILE  adds one"
        raise Failure([Problem(Location(args.file), "there is no kernel target to check for", hint)])
    if args.dry_run:
        return None
    root = {"directory": project.root, "file": project.file}
    generate.run(argparse.Namespace(**{**vars(args), **root}), io.StringIO())
    out = layout_of(project.config).out
    build((f"{out}/verdicts.json", f"{out}/report.html"), quiet=not is_shown(args))
    return read(f"{out}/verdicts.json")


def _checked(project: Project, args: argparse.Namespace, verdicts: list[Verdict]) -> Checked:
    kernels = {name: kernel.upstream for name, kernel in project.config.kernel.items()}
    selection = Selection(args.only, args.skip, args.kernel)
    shown = checked(verdicts, kernels, rules_of(project.config, project.units), selection)
    if not shown.rows:
        hint = f"known: {', '.join(kernels)}"
        raise Failure([Problem(Location(args.file), "the options leave no kernel to check for", hint)])
    return shown


def _print(project: Project, shown: Checked, args: argparse.Namespace, out: TextIO) -> None:
    def painted(text: str, colour: str) -> str:
        return paint(text, colour, args.color, out)

    everything = args.verbose or args.details
    findings, more = (list(shown.findings), "") if everything else listing.short(shown.findings)
    if not args.quiet:
        print(listing.table(shown.rows, shown.kernels, painted), end="\n\n" if findings else "\n", file=out)
    annotated = args.github if args.github is not None else os.environ.get("GITHUB_ACTIONS") == "true"
    if annotated:
        _annotate(project, shown, out)
    else:
        for line in listing.lines(findings, places(project), painted, everything):
            print(line, file=out)
        for place in unused(project, shown.unused):
            print(f"{place}: {painted('warning', 'yellow')}: {UNUSED}\n  hint: {UNUSED_HINT}", file=out)
        print(f"{more}\n" if more else "", end="", file=out)
    if not args.quiet:
        report = f"{layout_of(project.config).out}/report.html"
        print(f"bpfgen: {listing.summary(shown.rows, shown.findings)}; {report}", file=out)


UNUSED = "this [[check.allow]] matches nothing"
UNUSED_HINT = "remove it"


def _annotate(project: Project, shown: Checked, out: TextIO) -> None:
    """GitHub shows the first ten of a kind: the worst stand first."""
    place = places(project, repository=True)
    for finding in shown.findings:
        if finding.level in {ERROR, WARNING}:
            title = kind(finding.reason.kind).title
            print(github.command(finding.level, place(finding), title, listing.message(finding)), file=out)
    for where in unused(project, shown.unused, repository=True):
        print(github.command("warning", where, "Nothing to accept", UNUSED), file=out)
