"""Builds everything again in a scratch folder, with the compiler itself: no cache is asked."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Iterator
from typing import Any

from bpfgen import ninja
from bpfgen.builders.settings import FILE as SETTINGS
from bpfgen.builders.settings import SOCKET
from bpfgen.builders.settings import render as render_settings
from bpfgen.committed.ninja import build
from bpfgen.committed.record import results
from bpfgen.compile import Layout, layout_of
from bpfgen.config.schema import Config
from bpfgen.files import sha256, write_if_changed
from bpfgen.frozen import frozen
from bpfgen.graph import GENERATE, Graph
from bpfgen.host import Host
from bpfgen.launcher import Launcher
from bpfgen.plan import NINJA_FILE, Inputs, make_graph, make_plan, render_plan
from bpfgen.project import Project


@frozen
class Again:
    """SHA-256 of what a second build made."""

    objects: dict[str, str]
    """By the unit's id."""
    files: dict[str, str]
    """By the path that the file has in the first build."""
    unlike: dict[str, str]
    """Of an object's path, where it is there and another file: what differs to a loader, in a line."""


def rebuild(project: Project, host: Host, quiet: bool) -> Again:
    """Builds again; the project's folder is the current one. Raises `Failure`, OSError."""
    notes = layout_of(project.config).note("")
    os.makedirs(notes, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="again-", dir=notes) as folder:
        scratch = os.path.relpath(folder)
        other = dataclasses.replace(project, config=moved(project.config, scratch))
        return _again(project, other, host, scratch, quiet)


def _again(project: Project, other: Project, host: Host, scratch: str, quiet: bool) -> Again:
    # DWARF, where it is kept, names the folder of vmlinux.h.
    labels = (*host.labels, (scratch, layout_of(project.config).out))
    bare = dataclasses.replace(host, launcher=Launcher("none"), labels=labels)
    layout = layout_of(other.config)
    with _session(layout, bare):
        write_if_changed(f"{scratch}/{NINJA_FILE}", _ninja_file(other, bare, layout).encode())
        build(("-f", f"{scratch}/{NINJA_FILE}"), quiet)
    objects = {unit.id: sha256(layout.object(unit)) for unit in other.units}
    pairs = list(zip(results(project, host), results(other, host)))
    files = {path: _sum(made, scratch, layout_of(project.config).out) for path, made in pairs}
    return Again(objects, files, {path: text for path, made in pairs for text in _unlike(path, made)})


def moved(config: Config, scratch: str) -> Config:
    """The same build with all that it makes in another folder."""
    tables: dict[str, Any] = {"project": dataclasses.replace(config.project, out=scratch)}
    for field in dataclasses.fields(config):
        table = getattr(config, field.name)
        if getattr(table, "dir", None):
            tables[field.name] = dataclasses.replace(table, dir=f"{scratch}/elsewhere/{table.dir}")
    return dataclasses.replace(config, **tables)


def _ninja_file(project: Project, host: Host, layout: Layout) -> str:
    """The text, and the notes that its edges read; it doesn't regenerate itself."""
    plan = make_plan(project.config, project.units, host)
    write_if_changed(layout.note("plan.json"), render_plan(plan).encode())
    write_if_changed(layout.note("toolchain"), host.clang.identity.encode())
    graph = make_graph(plan, project.config, project.units, host, Inputs(project.file, (), (), ()))
    return ninja.render(_without_generators(graph))


def _without_generators(graph: Graph) -> Graph:
    edges = tuple(edge for edge in graph.edges if edge.rule is not GENERATE)
    return dataclasses.replace(graph, edges=edges)


@contextlib.contextmanager
def _session(layout: Layout, host: Host) -> Iterator[None]:
    """A builder's session of its own, for the length of the build; nothing where the compiler is here."""
    if host.builder is None:
        yield
        return
    from bpfgen.cc.session import ask

    write_if_changed(layout.note(SETTINGS), render_settings(host.builder).encode())
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            ask(layout.note(SOCKET), "stop")


def _unlike(path: str, made: str) -> Iterator[str]:
    """What differs between an object that is there and one that was made; nothing of other files."""
    if not path.endswith(".o") or not os.path.exists(path):
        return
    with open(path, "rb") as first, open(made, "rb") as second:
        there, again = first.read(), second.read()
    if there != again:
        from bpfgen.bpf.compare import differences
        from bpfgen.bpf.malformed import Malformed

        try:
            found = differences(there, again)
        except Malformed as error:
            yield f"one of them is damaged: {error}"
            return
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        yield f"{found[0]} (ours is the file){more}" if found else "a loader can't tell them apart"


def _sum(path: str, scratch: str, out: str) -> str:
    """Of a file as it would be in the output folder, whose name it can hold."""
    if path.endswith(".o"):
        return sha256(path)
    from hashlib import sha256 as digest

    with open(path, "rb") as file:
        return digest(file.read().replace(scratch.encode(), out.encode())).hexdigest()
