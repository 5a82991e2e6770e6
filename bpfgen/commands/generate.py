"""`bpfgen`: writes `build.ninja`, `compile_commands.json` and the notes of this run."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from bpfgen import compdb, memo, ninja
from bpfgen.builders.settings import FILE as SETTINGS
from bpfgen.builders.settings import render as render_settings
from bpfgen.compile import Layout, compiler_scripts, layout_of
from bpfgen.config.report import Report
from bpfgen.errors import Failure, Location, Problem
from bpfgen.files import holds, remove, write_if_changed
from bpfgen.frozen import frozen
from bpfgen.graph import outputs
from bpfgen.host import Host, package_files, probe
from bpfgen.launcher import STATSLOG, STATSLOG_BYTES
from bpfgen.notes import last_layout, own_files, recorded, removable
from bpfgen.plan import EDITOR_FILE, MARK, NINJA_FILE, Inputs, make_graph, make_plan, planned_ids, render_plan
from bpfgen.project import Project, load

TICK_NS = 10_000_000
"""The longest kernel tick (CONFIG_HZ=100), in nanoseconds."""

HELP = "write build.ninja and compile_commands.json (what plain bpfgen does)"
EPILOG = """examples:
  bpfgen && ninja                     generate, then build everything
  bpfgen --dry-run                    say what would change
  bpfgen --only 'xdp*' --skip s390x   a part of the matrix"""


@frozen
class Result:
    """Everything that a run writes; nothing is written before all of it is there."""

    files: dict[str, bytes]
    outputs: tuple[str, ...]
    plan: dict[str, Any]
    scripts: tuple[str, ...] = ()
    """Those of the files that are run."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing beyond the common options."""


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Generates; says in one line what changed."""
    started = time.time_ns()
    project, host, cache = prepare(args)
    layout = layout_of(project.config)
    selection = tuple(word for name in ("only", "skip") for glob in getattr(args, name) for word in (f"--{name}", glob))
    inputs = Inputs(project.file, project.sources.folders, tuple(package_files(host.package)), selection)
    result = _render(project, host, inputs, layout)
    _refuse_foreign(layout)
    with contextlib.nullcontext() if args.dry_run else _locked(layout.note("lock")):
        left = _left(result, layout)
        gone = [] if selection else sorted({*left, *_moved_from(layout)}.difference(result.outputs))
        stale = removable(gone, layout)
        changed = [name for name, data in result.files.items() if not holds(name, data)]
        before = planned_ids(_read(layout.note("plan.json"))) if changed or stale else set()
        if not args.dry_run:
            _write(result, layout, left, stale, cache)
            _date(started)
            _remember(layout, host, inputs, selection, started, project.sources.named)
    if changed or stale:
        _say(args, out, before, result.plan, changed, stale)
    elif args.verbose:
        print(f"bpfgen: {NINJA_FILE} is up to date, {len(project.units)} objects", file=out)
    return 0


def prepare(args: argparse.Namespace) -> tuple[Project, Host, dict[str, Any]]:
    """Reads the project and goes to its folder; the project, its host, and what is known of compilers."""
    project = load(args)
    os.chdir(project.root)
    return (project, *probed(project))


def probed(project: Project) -> tuple[Host, dict[str, Any]]:
    """The host of a project whose folder is the current one, and what is known of compilers."""
    cache = _read_json(layout_of(project.config).note("probe.json"))
    report = Report(project.document)
    host = probe(project.root, project.config, project.units, cache, report)
    report.fail_if_any()
    assert host is not None  # probe reports why when it isn't
    return host, cache


def _left(result: Result, layout: Layout) -> list[str]:
    """What earlier runs recorded and this one doesn't make."""
    made = set(result.outputs)
    return [name for name in recorded(layout) if name not in made]


def _moved_from(layout: Layout) -> list[str]:
    """Everything in the output folder of the last run, where `project.out` named another one."""
    last = last_layout()
    return [*recorded(last), *own_files(last)] if last is not None and last.out != layout.out else []


def _refuse_foreign(layout: Layout) -> None:
    """Raises `Failure` for a file in the way that another tool or a person wrote."""
    ours = os.path.exists(layout.note("plan.json"))
    with contextlib.suppress(OSError), open(NINJA_FILE, encoding="utf-8", errors="replace") as file:
        ours = file.readline().startswith(MARK)
        if not ours:
            raise Failure([Problem(Location(NINJA_FILE), "is not bpfgen's", "move it away")])
    if not ours and os.path.exists(EDITOR_FILE):
        raise Failure([Problem(Location(EDITOR_FILE), "is not bpfgen's", "move it away, or delete it")])


def _render(project: Project, host: Host, inputs: Inputs, layout: Layout) -> Result:
    plan = make_plan(project.config, project.units, host)
    scripts = compiler_scripts(host, layout)
    graph = make_graph(plan, project.config, project.units, host, inputs)
    files = {
        layout.note(
            "toolchain"
        ): f"{host.clang.identity}\n{host.clang.text}\n{host.driver}\n{''.join(scripts.values())}".encode(),
        layout.note("plan.json"): render_plan(plan).encode(),
        **({layout.note(SETTINGS): render_settings(host.builder).encode()} if host.builder else {}),
        EDITOR_FILE: compdb.render(graph, project.root).encode(),
        NINJA_FILE: ninja.render(graph).encode(),
    }
    first = {name: text.encode() for name, text in scripts.items()}
    return Result({**first, **files}, outputs(graph), plan, tuple(scripts))


def _write(result: Result, layout: Layout, left: list[str], stale: list[str], cache: dict[str, Any]) -> None:
    """In this order: a run that is killed leaves files whole, the Ninja file last, and nothing forgotten that must be
    removed.
    """
    _record(layout, (*result.outputs, *left))
    write_if_changed(layout.note("probe.json"), json.dumps(cache, indent=1).encode())
    for name, data in result.files.items():
        write_if_changed(name, data)
    for name in result.scripts:
        os.chmod(name, 0o755)  # noqa: S103 - as every program is
    remove(stale)
    with contextlib.suppress(OSError):
        if os.stat(layout.note(STATSLOG)).st_size > STATSLOG_BYTES:
            os.unlink(layout.note(STATSLOG))
    gone = set(stale)
    _record(layout, (*result.outputs, *(name for name in left if name not in gone)))


def _record(layout: Layout, names: Iterable[str]) -> None:
    write_if_changed(layout.note("outputs"), "".join(f"{name}\n" for name in names).encode())


def _date(started: int) -> None:
    """Gives the Ninja file the time at which its inputs were read, changed or not: Ninja needn't ask again, and does
    where an input was edited since, or another run wrote meanwhile. Files' times lag behind by a kernel tick.
    """
    for name in (NINJA_FILE, EDITOR_FILE):
        os.utime(name, ns=(started - TICK_NS, started - TICK_NS))


def _remember(
    layout: Layout, host: Host, inputs: Inputs, selection: tuple[str, ...], started: int, named: Iterable[str]
) -> None:
    """Notes for `memo`; a run that was asked for a part of the matrix is never taken for a whole one."""
    notes = layout.note(memo.NOTES)
    if selection or inputs.file != "build.toml":
        remove([notes])
        return
    read = (inputs.file, *inputs.folders, *inputs.package, *host.watch, *_searched(host))
    lines = [memo.surroundings()]
    lines += [f"{memo.stamp(path, started - memo.RACY_NS)} {path}" for path in dict.fromkeys(read)]
    written = (NINJA_FILE, EDITOR_FILE, layout.note("plan.json"), layout.note("toolchain"))
    lines += [f"{memo.stamp(path)} {path}" for path in (*written, *compiler_scripts(host, layout))]
    lines += [f"+ + {path}" for path in named]
    write_if_changed(notes, ("\n".join(lines) + "\n").encode())


def _searched(host: Host) -> Iterator[str]:
    """Folders where a compiler or headers could appear."""
    yield from dict.fromkeys(path for path in os.get_exec_path() if os.path.isabs(path))
    yield from dict.fromkeys(word for words in host.headers.values() for word in words if word.startswith("/"))
    yield "/usr/include"


@contextlib.contextmanager
def _locked(path: str) -> Iterator[None]:
    """One run at a time in one tree; the second waits. The lock goes with the process, however it ends."""
    import fcntl

    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _say(
    args: argparse.Namespace,
    out: TextIO,
    old: set[str],
    plan: dict[str, Any],
    changed: list[str],
    stale: list[str],
) -> None:
    if args.quiet and not args.dry_run:
        return
    from bpfgen.text import plural

    new = {o["id"] for o in plan["objects"]}
    programs = len({o["program"] for o in plan["objects"]})
    counts = [f"{n} {what}" for n, what in ((len(new - old), "new"), (len(old - new), "gone")) if n and old]
    verb = "would write" if args.dry_run else "wrote"
    subject = f"{verb} {NINJA_FILE}" if NINJA_FILE in changed or not changed else f"{verb} {', '.join(changed)}"
    more = f" ({', '.join(counts)})" if counts else ""
    print(f"bpfgen: {subject}: {plural(len(new), 'object')} of {plural(programs, 'program')}{more}", file=out)
    if args.verbose or args.dry_run:
        for mark, names in (("+", new - old), ("-", old - new), ("removed", stale)):
            for name in sorted(names):
                print(f"  {mark} {name}", file=out)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, ValueError):
        return ""


def _read_json(path: str) -> dict[str, Any]:
    """A note of an earlier run; empty when there is none, or someone damaged it."""
    try:
        value = json.loads(_read(path))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
