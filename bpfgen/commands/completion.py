"""`bpfgen completion`: prints a shell's completion script, made from the parser by shtab."""

from __future__ import annotations

import argparse
from typing import TextIO

HELP = "print the completion script of a shell"
EPILOG = """examples:
  bpfgen completion bash > ~/.local/share/bash-completion/completions/bpfgen
  bpfgen completion zsh > "${fpath[1]}/_bpfgen\""""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen completion`."""
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"))


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Prints the script."""
    import shtab

    from bpfgen.cli import make_parser

    print(shtab.complete(make_parser(), args.shell), file=out)
    return 0
