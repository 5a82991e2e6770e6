"""The project as far as it can be read: what is wrong with it is a finding among others."""

from __future__ import annotations

import argparse
import os

from bpfgen.config.check import check
from bpfgen.config.decode import decode
from bpfgen.config.report import Report
from bpfgen.config.schema import Config, Project
from bpfgen.config.source import Document, read_document
from bpfgen.doctor import Finding
from bpfgen.errors import Failure, describe
from bpfgen.frozen import frozen
from bpfgen.matrix import Unit, expand, select
from bpfgen.project import place
from bpfgen.sources import discover


@frozen
class Subject:
    """What is looked at."""

    root: str
    """The project's absolute folder; without a project, the folder that one would get."""
    file: str
    """The name of `build.toml`; empty where there is none."""
    document: Document
    config: Config
    """Defaults, where the file can't be read."""
    units: tuple[Unit, ...]
    """The selected ones of the programs that are sound."""
    arches: tuple[str, ...]

    def report(self) -> Report:
        """An empty one, for the functions that bpfgen builds with."""
        return Report(self.document)


def read(args: argparse.Namespace) -> tuple[Subject, list[Finding]]:
    """The project that the command line names, and what is wrong with it."""
    root, file = place(args)
    try:
        with open(os.path.join(root, file), "rb") as stream:
            document = read_document(args.file, stream.read())
    except FileNotFoundError:
        level = "ok" if args.file == "build.toml" else "failure"
        found = f"there is no {args.file}: this is what a new project would get"
        return _empty(root, ""), [Finding("project", level, found, "run  bpfgen init")]
    except OSError as error:
        return _empty(root, ""), [Finding("project", "failure", describe(error))]
    except Failure as failure:
        return _empty(root, file), findings("project", failure)
    return _sound(args, root, file, document)


def _empty(root: str, file: str) -> Subject:
    config = Config(Project("project"))
    return Subject(root, file, Document("build.toml", "", {}), config, (), config.targets.arches)


def _sound(args: argparse.Namespace, root: str, file: str, document: Document) -> tuple[Subject, list[Finding]]:
    report = Report(document)
    config = decode(document.values, report)
    check(config, report)
    programs = () if len(report) else discover(root, config, report).programs
    wrong = problems("project", report)
    if wrong:
        return Subject(root, file, document, config, (), config.targets.arches), wrong
    units = select(expand(config, programs), args.only, args.skip)
    arches = tuple(dict.fromkeys(arch for unit in units for arch in unit.target.arches)) or config.targets.arches
    name = f"{config.project.name}: {len(units)} objects for {', '.join(arches)}"
    level, hint = ("ok", "") if units else ("failure", "run  bpfgen matrix  to see what --only and --skip can name")
    return Subject(root, file, document, config, units, arches), [Finding("project", level, name, hint)]


def findings(check_name: str, failure: Failure) -> list[Finding]:
    """The problems of a failure, with their places."""
    return [
        Finding(check_name, "failure", f"{each.where}: {each.message}" if each.where else each.message, each.hint)
        for each in failure.problems
    ]


def problems(check_name: str, report: Report) -> list[Finding]:
    """What was reported."""
    try:
        report.fail_if_any()
    except Failure as failure:
        return findings(check_name, failure)
    return []
