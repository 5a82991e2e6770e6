"""`bpfgen check --fast`: compiles everything the fast way, and against the whole `vmlinux.h` with DWARF; compares."""

from __future__ import annotations

import argparse
import dataclasses
import os
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO

from bpfgen.bpf.compare import differences
from bpfgen.commands.explain import header_of
from bpfgen.commands.generate import prepare
from bpfgen.compile import Layout, can_reduce, is_lean, layout_of, unit_edges
from bpfgen.errors import EXIT_FAILED, Failure, Problem
from bpfgen.frozen import frozen
from bpfgen.graph import Edge
from bpfgen.headers import vmlinux_edges
from bpfgen.host import Host
from bpfgen.launcher import Launcher
from bpfgen.matrix import Unit
from bpfgen.project import Project


@frozen
class Verdict:
    """Of one unit."""

    unit: Unit
    header: str
    """What it was compiled with: `reduced: …`, `whole: …`, or none."""
    differences: tuple[str, ...]
    error: str = ""
    """What clang said, where it refuses the unit either way."""


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Prints the units that differ, then how many of which kind there are; 1 where any do."""
    project, host, _ = prepare(args)
    units = [unit for unit in project.units if can_reduce(unit) or is_lean(unit, host)]
    verdicts = check_fast(project, dataclasses.replace(host, launcher=Launcher("none")), units)
    bad = [verdict for verdict in verdicts if verdict.differences]
    for verdict in verdicts:
        if verdict.differences or verdict.error or args.verbose:
            print(f"{verdict.unit.id}: {verdict.error or verdict.header}", file=out)
            print("".join(f"  {line}\n" for line in verdict.differences), end="", file=out)
    if not args.quiet:
        print(summary(verdicts), file=out)
    return EXIT_FAILED if bad else 0


def summary(verdicts: Sequence[Verdict]) -> str:
    """One line for all units."""
    reduced = [verdict for verdict in verdicts if verdict.header.startswith("reduced")]
    words = [
        f"{len(verdicts)} objects",
        f"{len(reduced)} with a reduced vmlinux.h",
        f"{sum(bool(verdict.differences) for verdict in verdicts)} different",
    ]
    failed = sum(bool(verdict.error) for verdict in verdicts)
    return "bpfgen: " + ", ".join([*words, *([f"{failed} that clang refuses"] if failed else [])])


def check_fast(project: Project, host: Host, units: Sequence[Unit]) -> list[Verdict]:
    """Compiles `units` both ways, in folders that are gone afterwards; a verdict on each."""
    layout = layout_of(project.config)
    _make_headers(project, host, units, layout)
    os.makedirs(layout.note(""), exist_ok=True)
    scratch = tempfile.TemporaryDirectory(prefix="check-", dir=layout.note(""))
    with scratch as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda unit: _verdict(unit, host, layout, os.path.relpath(folder)), units))


def _make_headers(project: Project, host: Host, units: Iterable[Unit], layout: Layout) -> None:
    """Where Ninja would make them, which writes nothing that is there already."""
    for edge in vmlinux_edges(project.config, units, host, layout, project.file, ()):
        assert edge.action is not None
        if subprocess.run(edge.action.argv, check=False).returncode:
            raise Failure([Problem(None, f"{edge.outputs[0]} can't be made")], EXIT_FAILED)


def _verdict(unit: Unit, host: Host, layout: Layout, folder: str) -> Verdict:
    fast, whole = Layout(f"{folder}/fast"), Layout(f"{folder}/whole")
    plain = dataclasses.replace(unit, settings=dataclasses.replace(unit.settings, fast=False))
    error = _make(unit_edges(unit, host, layout), layout, fast) or _make(unit_edges(plain, host, layout), layout, whole)
    header = header_of(unit, fast, "") if unit.vmlinux else "no vmlinux.h, and compiled without DWARF"
    if error:
        return Verdict(unit, header, (), error)
    ours, theirs = (Path(place.object(unit)).read_bytes() for place in (fast, whole))
    return Verdict(unit, header, tuple(differences(ours, theirs)) if ours != theirs else ())


def _make(edges: Iterable[Edge], layout: Layout, place: Layout) -> str:
    """Runs edges with their outputs in another folder; what the first one that fails says."""
    for edge in edges:
        assert edge.action is not None
        words = [_moved(word, layout, place) for word in edge.action.argv]
        done = subprocess.run(words, check=False, capture_output=True, text=True, errors="replace")
        if done.returncode:
            return next((line for line in done.stderr.splitlines() if "error" in line), f"exit code {done.returncode}")
    return ""


def _moved(word: str, layout: Layout, place: Layout) -> str:
    """A word of a command with outputs in another folder; `vmlinux.h` stays where it is."""
    for folder in ("obj", "parts"):
        if word.startswith(f"{layout.out}/{folder}/"):
            return place.out + word[len(layout.out) :]
    return place.out if word == layout.out else word
