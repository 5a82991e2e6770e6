#!/usr/bin/env python3
"""Reads damaged objects and types, a million of them, and keeps each that gives anything but a clear error.

  .venv/bin/python tests/fuzz/fuzz.py                 a million inputs, a process for each processor
  .venv/bin/python tests/fuzz/fuzz.py --count 1000    fewer
  .venv/bin/python tests/fuzz/fuzz.py --only 4711     that input alone, with its traceback
  .venv/bin/python tests/fuzz/fuzz.py --seeds out     inputs are made of the objects below out/

A failing input is written to tests/fuzz/failures/, with as few changes as it takes. When it is mended, it goes to
tests/fuzz/corpus/, which CI reads.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any, Optional

from mutate import apply, recipe
from targets import OBJECTS, TARGETS

from bpfgen.bpf.malformed import Malformed

HERE = Path(__file__).parent
SECONDS = 2.0
"""For an input, and for each 64 KiB of it, on a busy machine."""
MEGABYTES = 256
"""More than the process had before."""
SHARES = ("types", "object", "types", "object", "types", "resolve", "types", "compare")
"""Which target input number N is for, by N modulo 8."""


class TooSlow(Exception):
    """An input took longer than the limit."""


def main() -> int:
    """Runs the processes; 1 when an input failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", type=int, metavar="N")
    parser.add_argument("--seeds", type=Path, default=OBJECTS, metavar="DIR")
    args = parser.parse_args()
    _SEEDS.update({name: make(args.seeds) for name, (make, _read) in TARGETS.items()})
    if args.only is not None:
        return _only(args.seed, args.only)
    start = time.monotonic()
    workers = [_Worker(args, number) for number in range(args.jobs)]
    said = 0
    while [worker for worker in workers if worker.running()]:  # each is asked: it restarts what died
        time.sleep(0.5)
        if time.monotonic() - start > 60 * (said + 1):
            said += 1
            print(_summary(workers, start), flush=True)
    print(_summary(workers, start))
    return 1 if any(worker.counts[2] for worker in workers) else 0


def _summary(workers: list[_Worker], start: float) -> str:
    done, failed, refused = (sum(worker.counts[index] for worker in workers) for index in (1, 2, 3))
    seconds, peak = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    return f"{done} inputs in {seconds:.0f} s: {refused} refused, {failed} failed; {peak} MB resident at most"


class _Worker:
    """A process that takes every Nth input; when it dies, the next one goes on behind the input that killed it."""

    def __init__(self, args: argparse.Namespace, number: int) -> None:
        self._args, self._number = args, number
        # The input at work, inputs done, failed, refused.
        self.counts: Any = multiprocessing.Array("q", [args.first + number, 0, 0, 0], lock=False)
        self._process = self._start()

    def running(self) -> bool:
        """Whether there is work left; restarts a process that died."""
        if self._process.is_alive():
            return True
        if self._process.exitcode:
            number = self.counts[0]
            _keep(self._args.seed, number, f"the process ended with {self._process.exitcode}", reduce=False)
            self.counts[0] += self._args.jobs
            self.counts[1] += 1
            self.counts[2] += 1
            self._process = self._start()
            return True
        return False

    def _start(self) -> Any:
        process = multiprocessing.Process(target=_work, args=(self._args, self.counts), daemon=True)
        process.start()
        return process


def _work(args: argparse.Namespace, counts: Any) -> None:
    _limit_memory()
    for number in range(counts[0], args.first + args.count, args.jobs):
        counts[0] = number
        found = outcome(args.seed, number)
        counts[1] += 1
        if found == "refused":
            counts[3] += 1
        elif found is not None:
            counts[2] += 1
            _keep(args.seed, number, found)


def _limit_memory() -> None:
    kilobytes = int(Path("/proc/self/statm").read_text().split()[0]) * (resource.getpagesize() // 1024)
    limit = (kilobytes // 1024 + MEGABYTES) << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def outcome(seed: int, number: int, dropped: frozenset[int] = frozenset()) -> Optional[str]:
    """None where the input was read, `refused` where it was with a clear error, else a traceback."""
    data, read = _input(seed, number, dropped)
    signal.signal(signal.SIGALRM, _too_slow)
    try:
        signal.setitimer(signal.ITIMER_REAL, SECONDS * (1 + len(data) / 0x10000))
        try:
            read(data)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except Malformed:
        return "refused"
    except Exception:
        return traceback.format_exc()
    return None


def _too_slow(*_: object) -> None:
    raise TooSlow


_SEEDS = {name: make() for name, (make, _read) in TARGETS.items()}
"""What inputs are made of."""


def _input(seed: int, number: int, dropped: frozenset[int]) -> tuple[bytes, Any]:
    name = SHARES[number % len(SHARES)]
    data, changes = recipe(_SEEDS[name], seed, number)
    return apply(data, [change for index, change in enumerate(changes) if index not in dropped]), TARGETS[name][1]


def _keep(seed: int, number: int, what: str, reduce: bool = True) -> None:
    """Writes an input that failed, without the changes that it fails without."""
    dropped: frozenset[int] = frozenset()
    kind = _kind(what)
    for index in range(8) if reduce else ():
        found = outcome(seed, number, dropped | {index})
        if found not in (None, "refused") and _kind(found or "") == kind:
            dropped |= {index}
    folder = HERE / "failures"
    folder.mkdir(exist_ok=True)
    suffix = "btf" if SHARES[number % len(SHARES)] == "types" else "o"
    (folder / f"{seed}-{number}.{suffix}").write_bytes(_input(seed, number, dropped)[0])
    (folder / f"{seed}-{number}.txt").write_text(what, encoding="utf-8")
    print(f"input {number} ({SHARES[number % len(SHARES)]}): {what.strip().splitlines()[-1]}", flush=True)


def _kind(what: str) -> str:
    """The exception's name, of a traceback."""
    return what.strip().splitlines()[-1].partition(":")[0]


def _only(seed: int, number: int) -> int:
    found = outcome(seed, number)
    print(found or "read")
    return 0 if found in (None, "refused") else 1


if __name__ == "__main__":
    sys.exit(main())
