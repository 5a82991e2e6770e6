"""`bpfgen doctor`: what a build would use and why, and the way out of what is missing."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from typing import TextIO

from bpfgen.doctor import Finding
from bpfgen.doctor.diagnosis import diagnose
from bpfgen.errors import EXIT_FAILED
from bpfgen.text import paint

HELP = "say what a build would use and why, and what mends what is missing"
EPILOG = """examples:
  bpfgen doctor                                   in a project, or where one is to be
  bpfgen doctor -q                                only what is wrong
  bpfgen doctor --json                            for programs
  bpfgen doctor --builder docker --image bpf:19   as if build.toml named that builder
  bpfgen doctor --builder ssh --host build.example

exit code: 1 where something must be mended before a build, 0 otherwise, also with warnings"""

_COLOURS = {"ok": "green", "warning": "yellow", "failure": "red"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen doctor`."""
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    kinds = ("native", "docker", "podman", "ssh")
    parser.add_argument("--builder", choices=kinds, help="look at this builder, whatever build.toml says")
    parser.add_argument("--image", metavar="NAME", default="", help="the image of docker or podman")
    parser.add_argument("--host", metavar="NAME", default="", help="the host of ssh, or ssh://USER@HOST:PORT")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Prints what was found; 1 where there is a failure."""
    findings = diagnose(args)
    failed = any(finding.level == "failure" for finding in findings)
    if args.json:
        rows = [dataclasses.asdict(finding) for finding in findings]
        print(json.dumps({"ok": not failed, "findings": rows}, indent=1, ensure_ascii=False), file=out)
    else:
        shown = [finding for finding in findings if finding.level != "ok"] if args.quiet else findings
        print(table(shown, args.color, out), end="", file=out)
    return EXIT_FAILED if failed else 0


def table(findings: Sequence[Finding], mode: str, out: TextIO) -> str:
    """A line for each finding, and one for its hint; in colours where `mode` and the stream allow it."""
    width = max((len(finding.check) for finding in findings), default=0)
    lines = []
    for finding in findings:
        level = paint(finding.level.ljust(7), _COLOURS[finding.level], mode, out)
        lines.append(f"{level}  {finding.check.ljust(width)}  {_one_line(finding.found)}")
        if finding.hint:
            lines.append(f"{'':7}  {'':{width}}  hint: {_one_line(finding.hint)}")
    return "".join(f"{line}\n" for line in lines)


def _one_line(text: str) -> str:
    """Without line breaks and control characters, which names of files and answers of tools can have."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
