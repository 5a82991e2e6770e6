"""`bpfgen inspect`: what is in a BPF object, whoever built it."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from bpfgen.bpf.details import read_details
from bpfgen.bpf.elf import object_info, unsound
from bpfgen.bpf.listing import listing
from bpfgen.bpf.malformed import Malformed
from bpfgen.bpf.object import BpfObject
from bpfgen.bpf.show import render
from bpfgen.errors import Failure, Problem

HELP = "print what BPF objects have, and what they need of a kernel"
EPILOG = """examples:
  bpfgen inspect out/obj/xdp_blocklist/bpfel.bpf.o
  bpfgen inspect -v FILE.o        also what it asks of the kernel's types (CO-RE), by line
  bpfgen inspect --code FILE.o    the instructions
  bpfgen inspect --json *.o | jq '.[].needs[] | .program, .helpers'"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen inspect`."""
    parser.add_argument("objects", nargs="+", metavar="FILE.o")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--json", action="store_const", dest="format", const="json", help="all of it, for programs")
    parser.add_argument("--code", action="store_true", help="print the instructions, with the lines they come from")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Prints every sound object, then fails with the problems of the others."""
    as_text: Callable[[BpfObject, str], str] = (
        _code if args.code else lambda found, name: _table(found, name, args.verbose)
    )
    problems = list[Problem]()
    if args.format == "json":
        print(json.dumps([*_each(args, problems, _facts)], indent=1), file=out)
    else:
        out.write("\n".join(_each(args, problems, as_text)))
    if problems:
        raise Failure(problems)
    return 0


def _each(args: argparse.Namespace, problems: list[Problem], read: Callable[[BpfObject, str], Any]) -> Iterator[Any]:
    for name in args.objects:
        path = Path(args.directory) / name
        try:
            yield read(BpfObject(path.read_bytes()), name)
        except Malformed as error:
            problems += unsound(error, str(path)).problems


def _facts(found: BpfObject, name: str) -> dict[str, Any]:
    return {"file": name, **dataclasses.asdict(object_info(found)), **dataclasses.asdict(read_details(found))}


def _table(found: BpfObject, name: str, verbose: bool) -> str:
    return render(object_info(found), read_details(found), name, verbose)


def _code(found: BpfObject, name: str) -> str:
    return "".join(f"{line}\n" for line in (name, *listing(found)))
