"""A build that is there → `Built`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from typing import Any

from bpfgen import __version__, outputs
from bpfgen.builders import ENGINES
from bpfgen.committed.built import Built, Entry, recipe
from bpfgen.committed.ninja import dependencies, is_built
from bpfgen.committed.places import places_of
from bpfgen.compile import layout_of
from bpfgen.config.checkbuilder import image_of
from bpfgen.errors import EXIT_FAILED, Failure, Location, Problem
from bpfgen.files import sha256
from bpfgen.host import Host
from bpfgen.launcher import build_of
from bpfgen.plan import make_plan
from bpfgen.project import Project


def record(project: Project, host: Host, cache: dict[str, Any]) -> Built:
    """What stands in the output folder; the project's folder is the current one. Raises `Failure` where Ninja finds
    that it isn't up to date, OSError.
    """
    layout, places, read = layout_of(project.config), places_of(project, host), dependencies()
    objects, names = {}, set[str]()
    for unit in project.units:
        parts = layout.parts(unit)
        _refuse_unknown(part for part in parts if part not in read)
        every = {name for part in parts for name in map(places.name, read[part]) if name is not None}
        names.update(every, unit.files)
        headers = tuple(sorted(every.difference(unit.files)))
        objects[unit.id] = Entry(recipe(unit), headers, sha256(layout.object(unit)))
    inputs = {name: sha256(places.path(name)) for name in sorted(names)}
    files = {path: sha256(path) for path in _not_ignored(results(project, host))}
    if not is_built():
        raise Failure([Problem(None, "a file has changed since it was built", "run  bpfgen lock  again")], EXIT_FAILED)
    return Built(toolchain(project, host, cache), objects, inputs, files)


def toolchain(project: Project, host: Host, cache: dict[str, Any]) -> dict[str, str]:
    """What builds here; raises OSError."""
    found = {"bpfgen": __version__, "clang": host.clang.text}
    if host.builder is None:
        return {**found, "build": build_of(host.clang, cache)}
    if host.builder.kind not in ENGINES:  # nothing but time stamps tells the builds of another machine apart
        return found
    from bpfgen.builders.image import digest

    kind, wanted = image_of(project.config)
    assert wanted is not None
    return {**found, "image": digest(project.root, kind, wanted)}


def results(project: Project, host: Host) -> list[str]:
    """Every file that is made and that somebody may commit: objects, and what outputs make of them."""
    plan = make_plan(project.config, project.units, host)
    tools = outputs.Tools("", host.bpftool or "")
    built = [outputs.module(output.name) for output in outputs.asked(project.config) if not output.check]
    made = (each for module in built for each in module.made(plan, tools))
    return [*(entry["path"] for entry in plan["objects"]), *(name for each in made for name in each.outputs)]


def _not_ignored(paths: Iterable[str]) -> Iterator[str]:
    """Files that are committed, or will be; all of them where there is no Git."""
    paths = list(paths)
    try:
        # Says which of them are ignored; those that are tracked all the same aren't (git-check-ignore(1)).
        words = ("git", "check-ignore", "-z", "--stdin")
        done = subprocess.run(words, input="\0".join(paths).encode(), capture_output=True, check=False)
        ignored = set(done.stdout.decode().split("\0"))
    except OSError:
        ignored = set()
    return (path for path in paths if path not in ignored)


def _refuse_unknown(parts: Iterable[str]) -> None:
    hint = "run  bpfgen clean && bpfgen lock"
    problems = [Problem(Location(part), "Ninja has no record of what it was compiled from", hint) for part in parts]
    if problems:
        raise Failure(problems, EXIT_FAILED)
