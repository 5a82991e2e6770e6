"""`bpfgen size`: instructions, bytes, stack and maps' memory of what was built."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from collections.abc import Iterator, Sequence
from typing import Optional, TextIO

from bpfgen.bpf.elf import unsound
from bpfgen.bpf.malformed import Malformed
from bpfgen.bpf.object import BpfObject
from bpfgen.bpf.show import human_size
from bpfgen.bpf.stack import LIMIT
from bpfgen.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE, Failure, Location, Problem
from bpfgen.files import write_if_changed
from bpfgen.sizes import Growth, ObjectSize, from_json, growths, sizes, to_json
from bpfgen.text import columns, paint, plural

HELP = "print how large objects are: instructions, bytes, stack, maps' memory"
EPILOG = """examples:
  bpfgen size                     of the last build
  bpfgen size out/obj/*/*.o       of any objects
  bpfgen size --baseline sizes.json --update
  bpfgen size --baseline sizes.json --fail-over 5

exit code: 1 where something grew by more than --fail-over says

maps' memory is an estimate: full maps, by the kernel's own rules, on a machine with --cpus possible CPUs
stack is of the deepest chain of calls, each frame rounded up to 32 bytes, as kernels without a JIT do"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen size`."""
    add = parser.add_argument
    add("objects", nargs="*", metavar="FILE.o", help="objects (default: those of the last build)")
    add("--json", action="store_true", help="print a JSON object, which is a baseline, too")
    add(
        "--cpus",
        type=int,
        default=0,
        metavar="N",
        help="CPUs that per-CPU maps are for (default: the baseline's, or 1)",
    )
    add("--baseline", metavar="FILE", help="compare with FILE")
    add("--update", action="store_true", help="then write FILE")
    add("--fail-over", type=float, metavar="PERCENT", help="fail where a number grew by more than this")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Prints the sizes and what grew; 1 where that is too much. Raises `Failure`."""
    _check(args)
    base = os.path.abspath(os.path.join(args.directory, args.baseline)) if args.baseline else ""
    before, known = _baseline(base, args) if base else ([], 1)
    cpus = args.cpus or known
    now = list(_sizes(args, cpus))
    grown = list(growths(before, now)) if cpus == known else [g for g in growths(before, now) if g.what != "memory"]
    if args.json:
        value = {**to_json(now, cpus), "growths": [dataclasses.asdict(each) for each in grown]}
        print(json.dumps(value, indent=1, ensure_ascii=False), file=out)
    elif not args.quiet:
        print(_table(now), file=out)
    limit = args.fail_over
    worse = [each for each in grown if limit is not None and each.percent > limit]
    if not args.json:
        for each in grown:
            word = paint("grew too much: ", "red", args.color, out) if each in worse else ""
            print(f"{word}{_said(each)}", file=out)
        for line in _too_deep(now):
            print(line, file=out)
    if args.update and not args.dry_run:
        write_if_changed(base, (json.dumps(to_json(now, cpus), indent=1, ensure_ascii=False) + "\n").encode())
    return EXIT_FAILED if worse else EXIT_OK


def _check(args: argparse.Namespace) -> None:
    problems = []
    if not args.baseline and (args.update or args.fail_over is not None):
        problems.append(Problem(None, "there is nothing to compare with", "name a file: --baseline FILE"))
    if args.cpus < 0:
        problems.append(Problem(None, "a machine has at least one CPU", "--cpus 8"))
    if problems:
        raise Failure(problems, EXIT_USAGE)


def _baseline(path: str, args: argparse.Namespace) -> tuple[list[ObjectSize], int]:
    if args.update and not os.path.exists(path):
        return [], args.cpus or 1
    try:
        with open(path, encoding="utf-8") as file:
            return from_json(json.load(file))
    except FileNotFoundError:
        hint = f"bpfgen size --baseline {args.baseline} --update  writes it"
        raise Failure([Problem(Location(args.baseline), "there is no such file", hint)]) from None
    except (ValueError, TypeError, LookupError, RecursionError):
        hint = "delete it, then write it with --update"
        raise Failure([Problem(Location(args.baseline), "this file is no baseline", hint)]) from None


def _sizes(args: argparse.Namespace, cpus: int) -> Iterator[ObjectSize]:
    problems = list[Problem]()
    for name, path in _named(args):
        try:
            with open(path, "rb") as file:
                yield sizes(BpfObject(file.read()), name, cpus)
        except Malformed as error:
            problems += unsound(error, path).problems
    if problems:
        raise Failure(problems)


def _named(args: argparse.Namespace) -> Sequence[tuple[str, str]]:
    """Ids and paths of objects: of those that are named, else of what `manifest.json` has."""
    if args.objects:
        return [(name, os.path.join(args.directory, name)) for name in args.objects]
    from bpfgen.compile import layout_of
    from bpfgen.outputs import read_notes
    from bpfgen.project import load

    project = load(args)
    path = os.path.join(project.root, layout_of(project.config).out, "manifest.json")
    try:
        entries = read_notes(path, ("objects",))["objects"]
    except FileNotFoundError:
        raise Failure([Problem(Location(path), "nothing is built yet", "bpfgen && ninja")], EXIT_FAILED) from None
    ids = {unit.id for unit in project.units}
    return [(each["id"], os.path.join(project.root, each["path"])) for each in entries if each["id"] in ids]


def _table(found: Sequence[ObjectSize]) -> str:
    head = ("OBJECT", "FUNCTION", "INSTRUCTIONS", "BYTES", "STACK", "DEEPEST CALLS")
    rows = [
        (each.object, p.name, str(p.instructions), str(p.bytes), str(p.stack), " → ".join(p.chain[1:]) or "-")
        for each in found
        for p in each.programs
    ]
    maps = [(each.object, m.name, m.type, _memory(m.memory)) for each in found for m in each.maps]
    tables = [columns([head, *rows])]
    if maps:
        tables.append(columns([("OBJECT", "MAP", "TYPE", "MEMORY (ESTIMATE)"), *maps]))
    total = (
        f"bpfgen: {plural(len(found), 'object')}: {human_size(sum(each.bytes for each in found))}, "
        f"{sum(each.instructions for each in found)} instructions, "
        f"maps {human_size(sum(each.memory for each in found))}"
    )
    return "\n\n".join([*tables, total])


def _too_deep(found: Sequence[ObjectSize]) -> Iterator[str]:
    for each in found:
        for program in each.programs:
            if program.stack > LIMIT:
                yield f"{each.object}/{program.name}: stack {program.stack} is over {LIMIT}, which kernels may refuse"


def _memory(number: Optional[int]) -> str:
    return "-" if number is None else human_size(number)


def _said(each: Growth) -> str:
    name = f"/{each.name}" if each.name else ""
    change = f" ({each.percent:+.1f} %)" if each.before else ""
    return f"{each.object}{name}: {each.what} {each.before} → {each.now}{change}"
