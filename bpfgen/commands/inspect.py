"""`bpfgen inspect`: what is in a BPF object, whoever built it."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import TextIO

from bpfgen.bpf.elf import read_object
from bpfgen.bpf.show import render
from bpfgen.errors import Failure, Problem

HELP = "print the programs and maps of BPF objects"
EPILOG = """examples:
  bpfgen inspect out/obj/xdp_blocklist/bpfel.bpf.o
  bpfgen inspect --format json *.o | jq '.[].programs[].name'"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen inspect`."""
    parser.add_argument("objects", nargs="+", metavar="FILE.o")
    parser.add_argument("--format", choices=("table", "json"), default="table")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Prints every sound object, then fails with the problems of the others."""
    infos, problems = {}, list[Problem]()
    for name in args.objects:
        path = Path(args.directory) / name
        try:
            infos[name] = read_object(path.read_bytes(), str(path))
        except Failure as failure:
            problems += failure.problems
    if args.format == "json":
        print(
            json.dumps([{"file": name, **dataclasses.asdict(info)} for name, info in infos.items()], indent=1), file=out
        )
    else:
        print("\n".join(render(info, name) for name, info in infos.items()), file=out)
    if problems:
        raise Failure(problems)
    return 0
