"""`bpfgen run`: one command where the builder's compiler runs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TextIO

from bpfgen.builders import Unavailable
from bpfgen.builders.settings import Settings
from bpfgen.commands.generate import prepare
from bpfgen.compile import layout_of
from bpfgen.errors import EXIT_USAGE, Failure, Problem

HELP = "run a command where the compiler runs: in the builder's container, or on this host"
EPILOG = """examples:
  bpfgen run -- clang --version
  bpfgen run -- sh -c 'ls /usr/include/bpf'
  bpfgen run -- llvm-objdump -d out/obj/xdp_blocklist/bpfel.bpf.o | less

The project is the working folder, and may be written. Input, output and the exit code are the command's own."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen run`."""
    parser.add_argument("--network", action="store_true", help="with the engine's network; a build has none")
    parser.add_argument("words", metavar="CMD", nargs=argparse.REMAINDER, help="the command and its arguments")


def run(args: argparse.Namespace, _out: TextIO) -> int:
    """Becomes the command; raises `Failure` where the builder isn't usable."""
    words = args.words[1:] if args.words[:1] == ["--"] else args.words
    if not words:
        raise Failure([Problem(None, "no command is given", "bpfgen run -- CMD …")], EXIT_USAGE)
    become(args, words, {})
    return 0


def become(args: argparse.Namespace, command: Sequence[str], variables: dict[str, str]) -> None:
    """Replaces this process by a command in the project's folder, where its compiler runs."""
    project, host, _ = prepare(args)
    words = list(command)
    if host.builder:
        os.makedirs(os.path.join(project.root, layout_of(project.config).out), exist_ok=True)
        words = in_container(host.builder, command, args.network, variables)
    else:
        os.environ.update(variables)
    sys.stdout.flush()
    try:
        os.execvp(words[0], words)  # noqa: S606 - words, and no shell
    except OSError as error:
        raise Failure([Problem(None, f"{words[0]}: {error.strerror}")]) from error


def in_container(settings: Settings, command: Sequence[str], network: bool, variables: dict[str, str]) -> list[str]:
    """The engine's words for a command; it has a terminal where this process has one."""
    from bpfgen.builders.interactive import words

    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    try:
        return words(settings, command, terminal, network, {"HOME": "/tmp", **variables})  # noqa: S108 - the container's
    except Unavailable as error:
        message, _, hint = str(error).partition("\n  hint: ")
        raise Failure([Problem(None, message, hint)]) from error
