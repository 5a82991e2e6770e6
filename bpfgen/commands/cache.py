"""`bpfgen cache`: how often the compiler's launcher had the object already."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from collections.abc import Mapping
from typing import Any, Optional, TextIO

from bpfgen.commands.generate import prepare
from bpfgen.compile import layout_of
from bpfgen.errors import EXIT_FAILED, Failure, Problem
from bpfgen.frozen import frozen
from bpfgen.launcher import STATSLOG, Launcher
from bpfgen.text import columns

HELP = "print the hit rates of the compiler cache"
EPILOG = """examples:
  bpfgen cache                 hits and misses, of this project and of the whole cache
  bpfgen cache --zero          count from now on
  bpfgen cache --format json   for programs"""


@frozen
class Counts:
    """Compiles that the cache was asked for."""

    hits: int
    misses: int

    @property
    def rate(self) -> Optional[float]:
        """Hits by compiles, 0 to 1; None where there was no compile."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen cache`."""
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--zero", action="store_true", help="count from now on")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Prints the counts; raises `Failure` where the launcher has none."""
    project, host, _ = prepare(args)
    launcher, log = host.launcher, layout_of(project.config).note(STATSLOG)
    if args.zero:
        return _zero(launcher, log, args.dry_run)
    counts = {"project": of_log(log), "cache": _of_launcher(launcher)}
    if args.format == "json":
        rows = {n: {"hits": c.hits, "misses": c.misses, "rate": c.rate} for n, c in counts.items() if c}
        print(json.dumps({"launcher": launcher.name, "command": launcher.command, **rows}, indent=1), file=out)
        return 0
    print(f"launcher: {' '.join(launcher.command) or 'none'}", file=out)
    table = [(n, str(c.hits), str(c.misses), rate_text(c)) for n, c in counts.items() if c]
    if table:
        print("\n" + columns([("", "HITS", "MISSES", "RATE"), *table]), file=out)
    return 0


def rate_text(counts: Counts) -> str:
    """`87 %`, or a dash where nothing was asked for."""
    return "-" if counts.rate is None else f"{counts.rate:.0%}".replace("%", " %")


def of_log(path: str) -> Optional[Counts]:
    """What ccache noted of this project's compiles (ccache(1), `stats_log`); None where there is no log."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().split()
    except OSError:
        return None
    hits = lines.count("direct_cache_hit") + lines.count("preprocessed_cache_hit")
    return Counts(hits, lines.count("cache_miss"))


def _of_launcher(launcher: Launcher) -> Optional[Counts]:
    if launcher.name == "ccache":
        rows = dict(line.split("\t", 1) for line in _ask(launcher, "--print-stats").splitlines() if "\t" in line)
        hits = int(rows.get("direct_cache_hit", 0)) + int(rows.get("preprocessed_cache_hit", 0))
        return Counts(hits, int(rows.get("cache_miss", 0)))
    if launcher.name == "sccache":
        stats = json.loads(_ask(launcher, "--show-stats", "--stats-format", "json"))["stats"]
        return Counts(_sum(stats["cache_hits"]), _sum(stats["cache_misses"]))
    return None


def _sum(counts: Mapping[str, Any]) -> int:
    """sccache counts each language for itself."""
    return sum(counts["counts"].values())


def _zero(launcher: Launcher, log: str, dry: bool) -> int:
    if not dry:
        if launcher.name in {"ccache", "sccache"}:
            _ask(launcher, "--zero-stats")
        if os.path.exists(log):
            os.unlink(log)
    return 0


def _ask(launcher: Launcher, *words: str) -> str:
    environment = {**dict(launcher.environment), **os.environ}
    done = subprocess.run(
        (*launcher.command, *words), env=environment, check=False, capture_output=True, text=True, errors="replace"
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it says nothing"]
        raise Failure([Problem(None, f"{launcher.name} fails: {said[0]}")], EXIT_FAILED)
    return done.stdout
