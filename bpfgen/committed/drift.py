"""`Built` against what is there now: nothing is compiled."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bpfgen.committed.built import Built, Entry, Recipe, recipe
from bpfgen.committed.places import Places, is_outside
from bpfgen.errors import Location, Problem
from bpfgen.files import sha256
from bpfgen.frozen import frozen
from bpfgen.lockfile import FILE
from bpfgen.matrix import Unit
from bpfgen.project import Project

AGAIN = "run  bpfgen lock  and commit what it writes"
RESTORE = f"restore it; or {AGAIN}"
SHOWN = 3
"""Ids that a message names."""


@frozen
class Drift:
    """One thing that isn't as the lock has it."""

    kind: str
    """`object`, `input`, `file`, `toolchain` or `result`."""
    problem: Problem


def of_project(project: Project, built: Built) -> Iterator[Drift]:
    """What `build.toml` says of objects. Those that changed in the same way are named together."""
    units = {unit.id: unit for unit in project.units}
    gone = [name for name in built.objects if name not in units]
    if gone:
        message = f"has {_some(gone)}, which {project.file} doesn't make"
        yield Drift("object", Problem(Location(FILE), message, AGAIN))
    groups: dict[tuple[str, tuple[str, ...]], list[Unit]] = {}
    for unit in project.units:
        said = _changes(built.objects[unit.id].recipe, recipe(unit)) if unit.id in built.objects else ("is new",)
        if said:
            groups.setdefault((unit.program if said == ("is new",) else "", said), []).append(unit)
    for (_, said), members in groups.items():
        verb = "isn't" if len(members) == 1 else "aren't"
        text = f"{verb} in {FILE}" if said == ("is new",) else f"changed: {'; '.join(said)}"
        names = [unit.id for unit in members]
        yield Drift("object", Problem(_where(project, members[0]), f"{_some(names)} {text}", AGAIN))


def of_inputs(built: Built) -> Iterator[Drift]:
    """Sources and headers of the project."""
    for name, known in built.inputs.items():
        said = "" if is_outside(name) else _changed(name, known)
        if said:
            yield Drift("input", Problem(Location(name), f"{said}; {_users(built, name)}", RESTORE))


def of_files(built: Built) -> Iterator[Drift]:
    """What was made."""
    for path, known in built.files.items():
        said = _changed(path, known)
        if said:
            yield Drift("file", Problem(Location(path), said, RESTORE))
    folders = {os.path.dirname(path) for path in built.files if path.endswith(".o")}
    for folder in sorted(folders):
        for path in sorted(glob.glob(f"{glob.escape(folder)}/*.o")):
            if path not in built.files:
                hint = f"delete it; or {AGAIN}"
                yield Drift("file", Problem(Location(path), f"is no object of {FILE}", hint))


def of_toolchain(built: Built, now: Mapping[str, str], places: Places) -> Iterator[Drift]:
    """What builds here, with its headers."""
    known = built.toolchain
    for name in sorted({*known, *now}):
        before, after = known.get(name), now.get(name)
        if before != after and not (name == "build" and known.get("clang") != now.get("clang")):
            message = f"was made {_by(name, before)}, and here it would be {_by(name, after)}"
            hint = f"use that one; or {AGAIN}; or leave it out with --any-toolchain"
            yield Drift("toolchain", Problem(Location(FILE), message, hint))
    if any(known.get(name) != now.get(name) for name in ("build", "image")):
        return  # what goes with another compiler is another package too
    for name, digest in built.inputs.items():
        said = _changed(places.path(name), digest) if is_outside(name) else ""
        if said:
            hint = f"install the same package; or {AGAIN}; or leave it out with --any-toolchain"
            message = f"{said}; {_users(built, name)}"
            yield Drift("toolchain", Problem(Location(places.path(name)), message, hint))


def of_results(
    built: Built, again: Mapping[str, str], made: Mapping[str, str], unlike: Mapping[str, str]
) -> Iterator[Drift]:
    """A second build: SHA-256 of its objects, by id, and of its files, by the path that they stand for; what differs in
    objects, by path.
    """
    for name, entry in built.objects.items():
        if name in again and again[name] != entry.sha256:
            yield Drift("result", Problem(Location(FILE), f"building {name} again gives another object", AGAIN))
    for path, known in built.files.items():
        if path not in made:
            yield Drift("result", Problem(Location(path), "is not made any more", AGAIN))
        elif made[path] != known:
            how = f": {unlike[path]}" if path in unlike else ""
            yield Drift("result", Problem(Location(path), f"building it again gives another file{how}", AGAIN))


def _changed(path: str, known: str) -> str:
    try:
        return "" if sha256(path) == known else f"isn't what {FILE} has"
    except FileNotFoundError:
        return f"isn't there, and {FILE} has it"
    except OSError as error:
        return f"can't be read: {error.strerror}"


def _changes(before: Recipe, after: Recipe) -> tuple[str, ...]:
    said = [*_words(before.flags, after.flags), *_words(before.sources, after.sources)]
    if before.strip != after.strip:
        said.append("DWARF is dropped now" if after.strip else "DWARF is kept now")
    if before.vmlinux != after.vmlinux:
        said.append(f"its vmlinux.h is of {after.vmlinux or 'no kernel'}, was of {before.vmlinux or 'none'}")
    return tuple(said)


def _words(before: Sequence[str], after: Sequence[str]) -> list[str]:
    if before == after:
        return []
    new, old = (_without(after, before), _without(before, after))
    said = [f"{' '.join(words)} is {what}" for words, what in ((new, "new"), (old, "gone")) if words]
    return said or [f"the order is {' '.join(after)}"]


def _without(words: Sequence[str], others: Iterable[str]) -> list[str]:
    rest = list(others)
    return [word for word in words if word not in rest]


def _users(built: Built, name: str) -> str:
    return f"it is read by {_some(id_ for id_, entry in built.objects.items() if _reads(entry, name)) or 'no object'}"


def _reads(entry: Entry, name: str) -> bool:
    return name in entry.headers or name in entry.recipe.sources


def _some(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _by(name: str, value: object) -> str:
    if value is None:
        return f"without {name}"
    return f"by {f'bpfgen {value}' if name == 'bpfgen' else value if name == 'clang' else f'{name} {value}'}"


def _where(project: Project, unit: Unit) -> Location:
    path = ("program", unit.program)
    return project.document.where(path, key=True) if unit.program in project.config.program else Location(project.file)
