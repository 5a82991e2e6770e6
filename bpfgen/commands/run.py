"""`bpfgen run`: one command where the builder's compiler runs."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from typing import TextIO

from bpfgen.builders import Unavailable
from bpfgen.builders.settings import Settings
from bpfgen.commands.generate import prepare
from bpfgen.compile import layout_of
from bpfgen.errors import EXIT_FAILED, EXIT_USAGE, Failure, Problem

HELP = "run a command where the compiler runs: in the builder's container, or on this host"
EPILOG = """examples:
  bpfgen run -- clang --version
  bpfgen run -- sh -c 'ls /usr/include/bpf'
  bpfgen run -- llvm-objdump -d out/obj/xdp_blocklist/bpfel.bpf.o | less

The project is the working folder, and may be written; in a container, nothing else may, but for a /tmp that goes with
it. Input, output and the exit code are the command's own; 127 where there is no such command, 126 where it can't be
run. --dry-run prints what would be run."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen run`."""
    parser.add_argument("--network", action="store_true", help="with the engine's network; a build has none")
    parser.add_argument("words", metavar="CMD", nargs=argparse.REMAINDER, help="the command and its arguments")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Becomes the command; raises `Failure` where the builder isn't usable."""
    words = args.words[1:] if args.words[:1] == ["--"] else args.words
    if not words:
        raise Failure([Problem(None, "no command is given", "bpfgen run -- CMD …")], EXIT_USAGE)
    return become(args, words, {}, out)


def become(args: argparse.Namespace, command: Sequence[str], variables: dict[str, str], out: TextIO) -> int:
    """Replaces this process by a command in the project's folder, where its compiler runs.

    `BPFGEN_PLACE` has the project's name and the builder's kind there. It returns after a dry run only.
    """
    project, host, _ = prepare(args)
    words = list(command)
    kind = host.builder.kind if host.builder else "native"
    variables = {"BPFGEN_PLACE": f"{project.config.project.name}, {kind}", **variables}
    if host.builder:
        if not args.dry_run:
            os.makedirs(os.path.join(project.root, layout_of(project.config).out), exist_ok=True)
        words = elsewhere(host.builder, command, args, variables)
    else:
        os.environ.update(variables)
    if args.dry_run:
        print(shlex.join(words), file=out)
        return 0
    if sys.stdout is not None:
        sys.stdout.flush()
    try:
        os.execvp(words[0], words)  # noqa: S606 - words, and no shell
    except OSError as error:
        code = 127 if isinstance(error, FileNotFoundError) else 126  # as in a shell
        raise Failure([Problem(None, f"{words[0]}: {error.strerror}")], code) from error


def elsewhere(
    settings: Settings, command: Sequence[str], args: argparse.Namespace, variables: dict[str, str]
) -> list[str]:
    """The words for a command in the builder; it has a terminal where this process has one."""
    from bpfgen.builders import interactive

    terminal = os.isatty(0) and os.isatty(1)  # either may be closed
    variables = {"HOME": "/tmp", **variables}  # noqa: S108 - the container's
    try:
        if not args.dry_run:
            interactive.bring(settings)
        return interactive.words(settings, command, terminal, args.network, variables)
    except Unavailable as error:
        message, _, hint = str(error).partition("\n  hint: ")
        raise Failure([Problem(None, message, hint)], EXIT_FAILED) from error
