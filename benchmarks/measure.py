"""Times contestants in turn, and looks at what each of them made: a round that made nothing is no measurement."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

Objects = Mapping[str, Path]
"""Name → path. Contestants of one comparison give the same names to the same objects."""


class Broken(Exception):
    """A contestant didn't do the work; the message says what is wrong."""


class Missing(Exception):
    """Something that a part needs is not installed; the message names it."""


@dataclass(frozen=True)
class Command:
    """A process."""

    argv: tuple[str, ...]
    folder: Path
    env: Mapping[str, str]


@dataclass(frozen=True)
class Contestant:
    """Commands that are timed together, and what must be true after them."""

    name: str
    commands: Sequence[Command]
    objects: Objects = field(default_factory=dict)
    """All of them must be there after a round, and not empty."""
    prepare: Callable[[], None] = lambda: None
    """What happens before each round and isn't timed."""
    remade: Optional[frozenset[str]] = None
    """The objects that a round must write; None: all."""
    exact: bool = True
    """Whether it must leave all others alone."""


@dataclass(frozen=True)
class Times:
    """What one contestant took, a number for each round."""

    seconds: list[float]
    peak_mb: list[float]
    """The largest of its processes, resident, in 10⁶ bytes."""


def compare(contestants: Sequence[Contestant], rounds: int) -> dict[str, Times]:
    """Runs the contestants in turn, `rounds` times and once before that, which isn't counted: it fills the caches of
    the system, and of those who keep one.
    """
    times = {one.name: Times([], []) for one in contestants}
    for number in range(rounds + 1):
        for one in contestants:
            seconds, peak = _round(one)
            print(f"    {number}/{rounds} {one.name:40} {seconds:9.3f} s", flush=True)
            if number:
                times[one.name].seconds.append(seconds)
                times[one.name].peak_mb.append(peak)
    return times


def _round(one: Contestant) -> tuple[float, float]:
    one.prepare()
    before = _stamps(one.objects.values())
    started = time.perf_counter()
    peak = max(run(command) for command in one.commands)
    seconds = time.perf_counter() - started
    _check(one, before)
    return seconds, peak


def run(command: Command) -> float:
    """Runs a command; its peak memory in 10⁶ bytes. Raises `Broken`, with the end of what it printed, if it fails."""
    log = command.folder / ".bench.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command.argv, cwd=command.folder, env=command.env, stdout=file, stderr=file)
        # The memory of this one child: that of `getrusage` is the largest of all that ever were.
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        text = log.read_text(encoding="utf-8", errors="replace")
        raise Broken(f"{' '.join(command.argv)[:500]}\nexit code {process.returncode}\n{text[-3000:]}")
    return usage.ru_maxrss * 1024 / 1e6


def _check(one: Contestant, before: Mapping[Path, int]) -> None:
    """Raises `Broken` unless every object is there, and those were written that had to be."""
    bad = [name for name, path in one.objects.items() if not path.is_file() or not path.stat().st_size]
    if bad:
        raise Broken(f"{one.name}: {len(bad)} of {len(one.objects)} objects are missing or empty: {bad[:5]}")
    after = _stamps(one.objects.values())
    written = {name for name, path in one.objects.items() if before.get(path) != after[path]}
    wanted = frozenset(one.objects) if one.remade is None else one.remade
    if not wanted <= written:
        raise Broken(f"{one.name}: not built again: {sorted(wanted - written)[:5]}")
    if one.exact and written != wanted:
        raise Broken(f"{one.name}: built without need: {sorted(written - wanted)[:5]}")


def _stamps(paths: Iterable[Path]) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in paths if path.is_file()}
