"""`bpfgen cache`: how often the compiler's launcher had the object already."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
from collections.abc import Mapping
from typing import Any, Optional, TextIO

from bpfgen.cachelog import Counts, of_counters, of_log
from bpfgen.commands.generate import prepare
from bpfgen.compile import layout_of
from bpfgen.config.schema import Config
from bpfgen.errors import EXIT_FAILED, Failure, Problem
from bpfgen.files import remove
from bpfgen.launcher import STATSLOG, Launcher, unset
from bpfgen.text import columns

HELP = "print the hit rates of the compiler cache"
EPILOG = """examples:
  bpfgen cache                 hits and misses, of this project and of the whole cache
  bpfgen cache --zero          count from now on
  bpfgen cache --format json   for programs

the project's row is of ccache alone: its newest compiles, some 30,000 at most

keys of the JSON
  launcher   ccache, sccache, none, or the command of another one
  command    its words; empty for none
  remote     [cache] remote without passwords, null without one
  project    of this checkout: hits, remote_hits (those of the hits that came from the remote cache), misses,
             rate (hits by compiles, 0 to 1, null without compiles); null where nothing is known
  cache      the same of the whole cache; remote_hits is null for sccache"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen cache`."""
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--zero", action="store_true", help="count from now on")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Prints the counts; raises `Failure` where the launcher fails."""
    project, host, _ = prepare(args)
    launcher, log = host.launcher, layout_of(project.config).note(STATSLOG)
    if args.zero:
        return _zero(args, launcher, log, out)
    counted = {"project": of_log(log) if launcher.name == "ccache" else None, "cache": _of_launcher(launcher)}
    remote = project.config.cache.remote and re.sub(r"//[^@/]*@", "//", project.config.cache.remote)
    if args.format == "json":
        rows = {name: counts.data if counts else None for name, counts in counted.items()}
        head = {"launcher": launcher.name, "command": launcher.command, "remote": remote}
        print(json.dumps({**head, **rows}, indent=1), file=out)
        return 0
    print(f"launcher: {' '.join(launcher.command) or _why_none(project.config)}", file=out)
    if remote:
        print(f"remote: {remote}", file=out)
    if launcher.command and launcher.name not in {"ccache", "sccache"}:
        print("bpfgen can't read what it counts", file=out)
    _print_table({name: counts for name, counts in counted.items() if counts}, out)
    return 0


def _why_none(config: Config) -> str:
    if config.cache.launcher == "none":
        return "none, as build.toml says"
    return "none, since ccache is not installed"


def _print_table(counted: Mapping[str, Counts], out: TextIO) -> None:
    if not counted:
        return
    rows = [("", "HITS", "REMOTE", "MISSES", "RATE")]
    for name, counts in counted.items():
        remote = "-" if counts.remote_hits is None else str(counts.remote_hits)
        rows.append((name, str(counts.hits), remote, str(counts.misses), counts.percent))
    print("\n" + columns(rows), file=out)


def _of_launcher(launcher: Launcher) -> Optional[Counts]:
    if launcher.name == "ccache":
        rows = [line.split("\t", 1) for line in _ask(launcher, "--print-stats").splitlines() if "\t" in line]
        return of_counters({name: int(text) for name, text in rows if text.isdecimal()})
    if launcher.name == "sccache":
        stats = json.loads(_ask(launcher, "--show-stats", "--stats-format", "json"))["stats"]
        return Counts(_sum(stats["cache_hits"]), _sum(stats["cache_misses"]))
    return None


def _sum(counts: Mapping[str, Any]) -> int:
    """sccache counts each language for itself."""
    return sum(counts["counts"].values())


def _zero(args: argparse.Namespace, launcher: Launcher, log: str, out: TextIO) -> int:
    counts = launcher.name in {"ccache", "sccache"}
    if counts and not args.dry_run:
        _ask(launcher, "--zero-stats")
        remove([log])
    if not args.quiet:
        done = f"{'would set' if args.dry_run else 'set'} the counts of {launcher.name} to zero"
        print(f"bpfgen: {done if counts else 'no launcher that counts'}", file=out)
    return 0


def _ask(launcher: Launcher, *words: str) -> str:
    environment = {**os.environ, **unset(launcher.environment, os.environ)}
    done = subprocess.run(
        (*launcher.command, *words), env=environment, check=False, capture_output=True, text=True, errors="replace"
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it says nothing"]
        raise Failure([Problem(None, f"{launcher.name} fails: {said[0]}")], EXIT_FAILED)
    return done.stdout
