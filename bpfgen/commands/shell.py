"""`bpfgen shell`: a shell where the builder's compiler runs."""

from __future__ import annotations

import argparse
import os
from typing import TextIO

from bpfgen.commands.run import become
from bpfgen.compile import layout_of
from bpfgen.project import load

HELP = "open a shell where the compiler runs: in the builder's container, or on this host"
EPILOG = """examples:
  bpfgen shell
  bpfgen shell --network          with the engine's network, to fetch something into the project

The project is the working folder, and may be written; in a container, nothing else may, but for a /tmp that goes with
it. What is typed is kept in out/.bpfgen/history, where the shell is bash. The exit code is the shell's own."""

# bash where it is: it keeps a history. --norc leaves the prompt alone, which says where one is.
SHELL = "if command -v bash >/dev/null 2>&1; then exec bash --norc; else exec sh; fi"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen shell`."""
    parser.add_argument("--network", action="store_true", help="with the engine's network; a build has none")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Becomes the shell."""
    project = load(args)
    history = os.path.join(project.root, layout_of(project.config).note("history"))
    if not args.dry_run:
        os.makedirs(os.path.dirname(history), exist_ok=True)
    # By name: what a prompt has itself, a shell would run.
    return become(args, ["/bin/sh", "-c", SHELL], {"HISTFILE": history, "PS1": "(bpfgen $BPFGEN_PLACE) \\w$ "}, out)
