"""`bpfgen builder`: the session of this checkout, which holds the builder's container."""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
from typing import Any, Optional, TextIO

from bpfgen.builders.settings import FILE, LOG, SOCKET, STATE, Settings, parse
from bpfgen.compile import Layout
from bpfgen.errors import EXIT_FAILED, EXIT_OK, Failure, Problem
from bpfgen.notes import last_layout
from bpfgen.project import place

HELP = "look after the session that holds the builder's container"
EPILOG = """examples:
  bpfgen builder status           whether it runs, and what in
  bpfgen builder status --json
  bpfgen builder start            ahead of a build
  bpfgen builder stop             at once, with its container; the next build starts another
  bpfgen builder logs --follow    what it says, until you interrupt

A session ends by itself when nothing was compiled for 20 seconds."""
ACTIONS = ("status", "start", "stop", "logs")
STOP_SECONDS = 30.0
POLL_SECONDS = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen builder`."""
    parser.add_argument("action", metavar="ACTION", choices=ACTIONS, help=f"one of {', '.join(ACTIONS)}")
    parser.add_argument("--json", action="store_true", help="of status: one object")
    parser.add_argument("--lines", type=int, default=0, metavar="N", help="of logs: only the last N")
    parser.add_argument("--follow", action="store_true", help="of logs: go on as more is said")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Does what is asked for; the exit code is 1 where there is no session to do it with."""
    root, _ = place(args)
    os.chdir(root)
    layout = last_layout() or Layout("out")
    settings = _settings(layout)
    if args.action == "status":
        return _status(layout, settings, args.json, out)
    if settings is None:
        print("bpfgen: clang runs on this host: there is no session", file=out)
        return EXIT_FAILED
    if args.action == "logs":
        return _logs(layout, args.lines, args.follow, out)
    if args.action == "stop":
        return _stop(layout, args.quiet, out)
    return _start(layout, args.quiet, out)


def _settings(layout: Layout) -> Optional[Settings]:
    """Those of the last `bpfgen`; None where clang runs on this host."""
    try:
        with open(layout.note(FILE), encoding="utf-8") as file:
            return parse(file.read())
    except (OSError, ValueError):
        return None


def _state(layout: Layout) -> Optional[dict[str, Any]]:
    """What the session wrote of itself; None where it doesn't run."""
    try:
        with open(layout.note(STATE), encoding="utf-8") as file:
            state: dict[str, Any] = json.load(file)
        os.kill(int(state["pid"]), 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return state if os.path.exists(layout.note(SOCKET)) else None


def _status(layout: Layout, settings: Optional[Settings], as_json: bool, out: TextIO) -> int:
    state = _state(layout) if settings else None
    facts: dict[str, Any] = {"kind": settings.kind if settings else "native", "running": state is not None}
    if settings:
        remote = settings.remote
        facts.update({"host": remote.name} if remote else {"engine": settings.engine, "image": settings.image})
    if state:
        facts.update(pid=state["pid"], seconds=round(time.time() - state["started"]))
    if as_json:
        print(json.dumps(facts, indent=1), file=out)
    elif settings is None:
        print("bpfgen: clang runs on this host: no session is needed", file=out)
    else:
        said = (
            f"runs as process {facts['pid']}, for {facts['seconds']} s" if state else "doesn't run; a build starts it"
        )
        where = f"host {facts['host']}" if settings.remote else f"image {settings.image}"
        print(f"bpfgen: the {settings.kind} session {said}\n  {where}", file=out)
    return EXIT_OK


def _start(layout: Layout, quiet: bool, out: TextIO) -> int:
    from bpfgen.cc.session import connected

    connected(layout.note(SOCKET)).close()
    if not quiet:
        print("bpfgen: the session runs", file=out)
    return EXIT_OK


def _stop(layout: Layout, quiet: bool, out: TextIO) -> int:
    state = _state(layout)
    if state:
        os.kill(int(state["pid"]), signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while _state(layout):
            if time.monotonic() > deadline:
                raise Failure([Problem(None, f"the session, process {state['pid']}, doesn't end")])
            time.sleep(POLL_SECONDS)
    if not quiet:
        print(f"bpfgen: {'the session has ended' if state else 'no session runs'}", file=out)
    return EXIT_OK


def _logs(layout: Layout, last: int, follow: bool, out: TextIO) -> int:
    try:
        with open(layout.note(LOG), encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines(keepends=True)
            out.writelines(lines[-last:] if last else lines)
            while follow:
                out.flush()
                time.sleep(POLL_SECONDS)
                out.write(file.read())
    except FileNotFoundError:
        print("bpfgen: no session has run yet", file=out)
        return EXIT_FAILED
    except KeyboardInterrupt:  # how one ends following
        pass
    return EXIT_OK
