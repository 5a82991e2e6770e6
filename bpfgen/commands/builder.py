"""`bpfgen builder`: the session of this checkout, which holds the builder's container."""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import Any, Optional, TextIO

from bpfgen.builders.settings import FILE, LOG, SOCKET, Settings, parse
from bpfgen.cc.session import SessionRun, ask
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

A session ends by itself when nothing was compiled for 20 seconds. To stop one fails what still compiles.

keys of status --json
  kind, engine, image   of the builder; engine and image are left out for native
  running               whether the session runs; only then there are
  pid, seconds          its process, and how long it has run
  container             its id or name; empty while it starts
  commands, active      how many were answered, and how many aren't yet"""
ACTIONS = ("status", "start", "stop", "logs")
POLL_SECONDS = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen builder`."""
    parser.add_argument("action", metavar="ACTION", choices=ACTIONS, help=f"one of {', '.join(ACTIONS)}")
    parser.add_argument("--json", action="store_true", help="of status: one object")
    parser.add_argument("--lines", type=int, default=0, metavar="N", help="of logs: only the last N")
    parser.add_argument("--follow", action="store_true", help="of logs: go on as more is said")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Does what is asked for; the exit code is 1 where there is no session to do it with, or it fails."""
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
    if args.dry_run:
        print(f"bpfgen: would {args.action} the {settings.kind} session", file=out)
        return EXIT_OK
    said = _stop(layout) if args.action == "stop" else _start(layout)
    if not args.quiet:
        print(f"bpfgen: {said}", file=out)
    return EXIT_OK


def _settings(layout: Layout) -> Optional[Settings]:
    """Those of the last `bpfgen`; None where clang runs on this host."""
    try:
        with open(layout.note(FILE), encoding="utf-8") as file:
            return parse(file.read())
    except (OSError, ValueError):
        return None


def _ask(layout: Layout, what: str) -> Optional[dict[str, Any]]:
    """The session's answer; None where it doesn't run. Raises `Failure` where it doesn't answer."""
    try:
        return ask(layout.note(SOCKET), what)
    except OSError as error:
        hint = f"what it said last: {layout.note(LOG)}"
        raise Failure([Problem(None, "the session doesn't answer", hint)], EXIT_FAILED) from error


def _where(settings: Settings) -> dict[str, str]:
    if settings.remote:
        return {"host": settings.remote.name}
    return {"engine": settings.engine, "image": settings.image}


def _status(layout: Layout, settings: Optional[Settings], as_json: bool, out: TextIO) -> int:
    said = _ask(layout, "status") if settings else None
    facts: dict[str, Any] = {"kind": settings.kind if settings else "native", "running": bool(said)}
    if settings:
        facts.update(_where(settings), **(said or {}))
    if as_json:
        print(json.dumps(facts, indent=1), file=out)
    elif settings is None:
        print("bpfgen: clang runs on this host: no session is needed", file=out)
    elif not said:
        print(f"bpfgen: the {settings.kind} session doesn't run; a build starts it", file=out)
    else:
        rows = list(_where(settings).items())
        rows += [] if settings.remote else [("container", said["container"] or "starts")]
        rows.append(("commands", f"{said['commands']}, and {said['active']} at work"))
        print(f"bpfgen: the {settings.kind} session runs as process {said['pid']}, for {said['seconds']} s", file=out)
        print("".join(f"  {name:<9}  {value}\n" for name, value in rows if value), end="", file=out)
    return EXIT_OK


def _start(layout: Layout) -> str:
    """Has it run a command that does nothing: then it runs, and so does the container."""
    status, messages = SessionRun(layout.note(SOCKET), ["true"]).end()
    if status:
        message = messages.decode(errors="replace").strip().removeprefix("bpfgen: error: ")
        message, _, hint = message.partition("\n  hint: ")
        raise Failure([Problem(None, message or f"a command there fails with status {status}", hint)], EXIT_FAILED)
    return "the session runs"


def _stop(layout: Layout) -> str:
    return "no session runs" if _ask(layout, "stop") is None else "the session has ended"


def _logs(layout: Layout, last: int, follow: bool, out: TextIO) -> int:
    try:
        with open(layout.note(LOG), encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines(keepends=True)
            out.writelines(lines[-last:] if last > 0 else lines)
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
