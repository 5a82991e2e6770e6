"""`bpfgen bpf2go`: bpf2go's own command line, with caching; for help and completion.

`__main__` starts `bpf2go.quick` itself: argparse would take bpf2go's options for bpfgen's.
"""

from __future__ import annotations

import argparse
import os
from typing import TextIO

from bpfgen.bpf2go import quick

HELP = "make what bpf2go makes of the same words, and keep it for next time"
EPILOG = """examples:
  //go:generate bpfgen bpf2go -tags linux foo foo.c -- -I../headers"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """bpf2go reads its words itself."""
    parser.add_argument(
        "words", metavar="WORD", nargs=argparse.REMAINDER, help="as for bpf2go: see bpfgen bpf2go -help"
    )


def run(args: argparse.Namespace, _out: TextIO) -> int:
    """Gets here behind options of bpfgen's, of which `-C` means something."""
    os.chdir(args.directory)
    return quick.main(args.words)
