"""`bpfgen diff`: what changed between two builds."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from bpfgen.bpf.elf import read_object
from bpfgen.builddiff import ADDED, LISTS, REMOVED, Build, Change, changes, comparable
from bpfgen.errors import EXIT_FAILED, EXIT_OK, Failure, Location, Problem, describe
from bpfgen.text import paint, plural

HELP = "say what changed between two builds"
EPILOG = """examples:
  bpfgen diff release-1.0 out     folders: with manifest.json and verdicts.json, or else with objects
  bpfgen diff old/manifest.json out/manifest.json
  bpfgen diff old/verdicts.json out/verdicts.json
  bpfgen diff --json OLD NEW | jq '.changes[] | select(.stops)'

exit code: 0 the same, 1 different, 2 trouble, as diff(1) has it

keys of the JSON
  same      whether nothing changed
  changes   object, kind (object, program, function, map, kernel), name, change (added, removed, changed), what, before,
            now, stops (a kernel doesn't load it any more), starts"""
TROUBLE = 2
HINT = "name a folder with manifest.json or objects, a manifest.json, a verdicts.json, or an object"
COLOURS = {ADDED: "green", REMOVED: "red"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen diff`."""
    parser.add_argument("old", metavar="OLD")
    parser.add_argument("new", metavar="NEW")
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Prints what changed; raises `Failure`, whose exit code is 2."""
    builds, problems = list[Build](), list[Problem]()
    for name in (args.old, args.new):
        try:
            builds.append(read(os.path.join(args.directory, name), name))
        except Failure as failure:
            problems += failure.problems
        except OSError as error:
            problems.append(Problem(None, describe(error), HINT))
    if problems:
        raise Failure(problems, TROUBLE)
    if not comparable(*builds):
        raise Failure(
            [Problem(None, "one says only what objects have, the other what kernels say of them", HINT)], TROUBLE
        )
    found = list(changes(*builds))
    if args.json:
        rows = [{**dataclasses.asdict(each), "stops": each.stops, "starts": each.starts} for each in found]
        print(json.dumps({"same": not found, "changes": rows}, indent=1, ensure_ascii=False), file=out)
    elif not args.quiet:
        for line in _lines(found, args, out):
            print(line, file=out)
    return EXIT_FAILED if found else EXIT_OK


def read(path: str, shown: str) -> Build:
    """What is known of a build; raises `Failure`, OSError."""
    if not os.path.isdir(path):
        return _file(path, shown)
    for folder in (path, os.path.join(path, "out")):
        parts = [_file(f, f) for f in (f"{folder}/manifest.json", f"{folder}/verdicts.json") if os.path.isfile(f)]
        if parts:
            objects = next((part.objects for part in parts if part.objects is not None), None)
            return Build(objects, next((part.verdicts for part in parts if part.verdicts is not None), None))
    files = {str(f.relative_to(path)): f for f in sorted(Path(path).rglob("*.o")) if f.is_file()}
    if not files:
        raise Failure([Problem(Location(shown), "there is no manifest.json and no object in this folder", HINT)])
    return Build({_id(name): _object(file, str(file)) for name, file in files.items()})


def _file(path: str, shown: str) -> Build:
    if not path.endswith(".json"):
        return Build({"": _object(Path(path), shown)})
    try:
        value = json.loads(Path(path).read_bytes())
        if "verdicts" in value:
            rows = value["verdicts"]
            return Build(None, {(str(v["object"]), str(v["kernel"]), str(v["arch"])): str(v["verdict"]) for v in rows})
        return Build({entry["id"]: _sound(entry) for entry in value["objects"]})
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise Failure(
            [Problem(Location(shown), "this is no manifest.json or verdicts.json, or a damaged one")]
        ) from None


def _sound(entry: Any) -> Any:
    """An entry that can be compared; raises TypeError, LookupError."""
    for key in LISTS:
        if not all(isinstance(each["name"], str) for each in entry[key]):
            raise TypeError(key)
    if not isinstance(entry["sha256"], str) or not isinstance(entry["id"], str):
        raise TypeError
    return entry


def _object(file: Path, shown: str) -> Any:
    return dataclasses.asdict(read_object(file.read_bytes(), shown))


def _id(name: str) -> str:
    return name[: -len(".bpf.o")] if name.endswith(".bpf.o") else name[: -len(".o")]


def _lines(found: Sequence[Change], args: argparse.Namespace, out: TextIO) -> Iterator[str]:
    """By object, with what matters most at the end: kernels."""
    last = None
    for each in found:
        if each.object != last:
            last = each.object
            yield paint(each.object or os.path.basename(args.new), "bold", args.color, out)
        colour = "red" if each.stops else "green" if each.starts else COLOURS.get(each.change, "")
        text = _said(each)
        yield f"  {paint(text, colour, args.color, out) if colour else text}"
    stopped, started = (sum(1 for each in found if getattr(each, name)) for name in ("stops", "starts"))
    objects = len({each.object for each in found})
    more = f"; {stopped} no longer load, {started} newly load" if stopped or started else ""
    yield (
        f"bpfgen: {plural(len(found), 'change')} in {plural(objects, 'object')}{more}" if found else "bpfgen: the same"
    )


def _said(each: Change) -> str:
    subject = f"{each.kind} {each.name}".strip()
    if each.kind == "kernel":
        loads = " no longer loads it:" if each.stops else " newly loads it:" if each.starts else ":"
        return f"{subject}{loads} {_text(each.before)} → {_text(each.now)}"
    if each.change in COLOURS:
        return f"{subject} {each.change}"
    if each.what == "contents":
        return f"{subject}: other instructions, types or data, of the same sizes"
    more = ""
    if isinstance(each.before, int) and isinstance(each.now, int) and not isinstance(each.now, bool):
        more = f" ({each.now - each.before:+d})"
    return f"{subject}: {each.what} {_text(each.before)} → {_text(each.now)}{more}"


def _text(value: Any) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value["name"]) if isinstance(value, dict) and "name" in value else str(value)
