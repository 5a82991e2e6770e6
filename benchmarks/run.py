"""Measures bpfgen against its peers, alternating, and prints medians and ratios: `python benchmarks/run.py`.

Every figure is a whole process, started from here; a ratio compares medians of one run, because machines drift.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BPFGEN = str(Path(sys.executable).with_name("bpfgen"))
Command = tuple[Sequence[str], Path]


def main() -> None:
    """Runs the named benchmarks, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all, if none is named")
    parser.add_argument("--rounds", type=int, default=9, help="runs of each command (default: 9)")
    args = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, medians of {args.rounds}")
    for name in args.names or BENCHMARKS:
        print(f"\n{name}")
        with tempfile.TemporaryDirectory() as folder:
            BENCHMARKS[name](Path(folder), args.rounds)


def start_up(folder: Path, rounds: int) -> None:
    """`bpfgen` on this repository against a bare interpreter: nothing changed, and everything read again."""
    tree = folder / "tree"
    for name in ("bpf", "include"):
        shutil.copytree(ROOT / name, tree / name)
    shutil.copy(ROOT / "build.toml", tree)
    run((BPFGEN, "-q"), tree)
    time.sleep(0.1)  # so that the files are older than what memo.py trusts
    run((BPFGEN, "-q"), tree)
    commands: Mapping[str, Command] = {
        "python -c pass": ((sys.executable, "-c", "pass"), tree),
        "bpfgen, nothing changed": ((BPFGEN,), tree),
        "bpfgen, read again": ((BPFGEN, "-q"), tree),
    }
    compare(commands, rounds)


def scale(folder: Path, rounds: int) -> None:
    """Generation of synthetic projects of growing size; the last column is what a unit costs."""
    for programs in (100, 1_000, 5_000):
        project = synthetic(folder / str(programs), programs)
        times = [run((BPFGEN, "-q", "-v"), project) for _ in range(max(3, rounds // 3))]
        units = programs * 10
        median = statistics.median(times)
        print(f"  {units:7} units {median:8.3f} s {median / units * 1e6:8.1f} µs a unit")


def synthetic(folder: Path, programs: int) -> Path:
    """A project of `programs` × 10 architectures, from one glob."""
    (folder / "bpf").mkdir(parents=True)
    for number in range(programs):
        (folder / "bpf" / f"p{number:05}.c").write_text("int x;\n")
    arches = ["amd64", "arm64", "arm", "riscv64", "ppc64le", "ppc64", "s390x", "loong64", "mips", "mips64le"]
    text = f'[project]\nname = "synthetic"\n[targets]\narches = {arches}\n[program."*"]\nsource = "bpf/*.c"\n'
    (folder / "build.toml").write_text(text)
    return folder


def compare(commands: Mapping[str, Command], rounds: int) -> None:
    """Runs the commands in turn; prints each one's median and its ratio to the first one's."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for name, (argv, folder) in list(commands.items()) * (rounds + 1):
        times[name].append(run(argv, folder))
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    first = next(iter(medians.values()))
    for name, median in medians.items():
        print(f"  {name:32} {median * 1000:9.1f} ms {median / first:7.2f}")


def run(argv: Sequence[str], folder: Path) -> float:
    """Seconds that a command takes."""
    started = time.perf_counter()
    subprocess.run(argv, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


BENCHMARKS: Mapping[str, Callable[[Path, int], None]] = {"start-up": start_up, "scale": scale}

if __name__ == "__main__":
    main()
