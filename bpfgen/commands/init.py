"""`bpfgen init`: a small project that builds at once, and the files of machines to build in."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Iterator
from typing import TextIO

from bpfgen.config.checkgo import GO_KEYWORDS
from bpfgen.errors import EXIT_USAGE, Failure, Location, Problem
from bpfgen.files import write_if_changed
from bpfgen.machines import BASES, BUILDER, DEFAULT_ARCHES, FILES, render
from bpfgen.makefront import INCLUDED, advice, front

HELP = "start a small project that builds at once"
EPILOG = """examples:
  bpfgen init            in this folder
  bpfgen init hello      in a new folder
  bpfgen init --go       with a Go package that embeds the object
  bpfgen init --docker   with a Dockerfile of what builds need; in a project, that alone
  bpfgen init --lima     with a lima.yaml; --vagrant: with a Vagrantfile
  bpfgen init --make     with a Makefile: ebpf, ebpf-dev, clean, …; where there is one, with a Makefile.bpf for it"""

TEMPLATES = os.path.join(os.path.dirname(os.path.dirname(__file__)), "templates", "init")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen init`."""
    parser.add_argument("folder", nargs="?", default=".", metavar="DIR")
    parser.add_argument("--name", help="the project's name (default: the folder's)")
    parser.add_argument("--go", action="store_true", help="make a Go package too")
    for kind, file in FILES.items():
        parser.add_argument(f"--{kind}", action="store_true", help=f"write {file}; in a project, nothing else")
    parser.add_argument("--make", action="store_true", help="write Makefile, or Makefile.bpf; in a project, that alone")
    parser.add_argument(
        "--base", choices=BASES, default=BASES[0], help="what the Dockerfile starts from (default: debian)"
    )
    parser.add_argument("--force", action="store_true", help="overwrite files")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Writes the project; raises `Failure` when it would overwrite a file."""
    folder = os.path.normpath(os.path.join(args.directory, args.folder))
    name = args.name or os.path.basename(os.path.abspath(folder)) or "project"
    if not name.isprintable():
        raise Failure([Problem(None, f"{name!r} can't name a project", "give it another with --name")], EXIT_USAGE)
    machines = [kind for kind in FILES if getattr(args, kind)]
    there = bool(machines or args.make) and os.path.lexists(os.path.join(folder, "build.toml"))
    files = {} if there else dict(_files(name, args.go))
    files.update((FILES[kind], render(kind, args.base, _arches(folder), os.path.abspath(folder))) for kind in machines)
    files.update([front(folder)] if args.make else [])
    if "docker" in machines and not there:
        files["build.toml"] += f"\n{BUILDER}"
    if not args.force:
        _refuse_existing(folder, files)
    _write(args, folder, files, out)
    if not args.quiet:
        if "docker" in machines and there:
            print(f"build.toml uses it with these lines:\n\n{BUILDER}", file=out)
        if INCLUDED in files and (said := advice(folder)):
            print(said, file=out)
        if not there:
            build = "make" if "Makefile" in files else "bpfgen && ninja"
            print(f"next: {'' if args.folder == '.' else f'cd {args.folder} && '}{build}", file=out)
    return 0


def _write(args: argparse.Namespace, folder: str, files: dict[str, str], out: TextIO) -> None:
    for path, text in files.items():
        if not args.dry_run:
            write_if_changed(os.path.join(folder, path), text.encode())
        if not args.quiet:
            shown = os.path.normpath(os.path.join(args.folder, path))
            print(f"{'would write' if args.dry_run else 'wrote'} {shown}", file=out)


def _arches(folder: str) -> tuple[str, ...]:
    """What the project in a folder is built for; the usual ones where there is none, or it can't be read."""
    from bpfgen.config.decode import decode
    from bpfgen.config.report import Report
    from bpfgen.config.source import read_document

    try:
        with open(os.path.join(folder, "build.toml"), "rb") as file:
            document = read_document("build.toml", file.read())
    except (OSError, Failure):
        return DEFAULT_ARCHES
    config = decode(document.values, Report(document))
    more = [arch for program in config.program.values() for arch in program.arches or ()]
    return tuple(dict.fromkeys((*DEFAULT_ARCHES, *config.targets.arches, *more)))


def _files(name: str, go: bool) -> Iterator[tuple[str, str]]:
    for base, _, names in sorted(os.walk(TEMPLATES)):
        for file in sorted(names):
            path = os.path.join(base, file)
            with open(path, encoding="utf-8") as stream:
                text = stream.read()
            if file == "build.toml":
                package = re.sub(r"[^a-z0-9_]", "", name.lower()).lstrip("0123456789_")
                package = "programs" if package in {"", "main", *GO_KEYWORDS} else package
                # JSON strings are TOML strings.
                text = text.replace("@NAME@", json.dumps(name, ensure_ascii=False))
                text += f'\n[go]\npackage = "{package}"\n' if go else ""
            yield os.path.relpath(path, TEMPLATES).replace("gitignore", ".gitignore"), text


def _refuse_existing(folder: str, files: dict[str, str]) -> None:
    there = [os.path.join(folder, path) for path in files if os.path.lexists(os.path.join(folder, path))]
    problems = [
        Problem(Location(os.path.normpath(path)), "the file is there already", "--force overwrites it")
        for path in there
    ]
    if problems:
        raise Failure(problems, EXIT_USAGE)
