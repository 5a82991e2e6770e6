"""Measures bpfgen against its peers, in turn, and writes the results: `python benchmarks/run.py`.

Every figure is of whole processes, started from here; a ratio compares medians of one run, because machines drift.
Names choose parts; the results of the others stay. `--render` only writes the pages and the plot anew.
"""

from __future__ import annotations

import argparse
import datetime
import os
import shlex
import socket
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import plot, report  # noqa: E402 - the path is set above
from benchmarks.measure import Broken, Missing  # noqa: E402
from benchmarks.results import Part, load, save  # noqa: E402
from benchmarks.tools import Tools, find, machine  # noqa: E402
from benchmarks.workloads import builders, cilium, libbpf, own, startup, synthetic  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results.json"
PLOT = ROOT / "benchmarks" / "results.svg"
FRONT = ROOT / "README.md"
BLOCKS = (
    (ROOT / "benchmarks" / "README.md", report.BEGIN, report.full),
    (FRONT, report.BEGIN, report.summary),
    (FRONT, report.BUILDERS, report.builders),
)
"""What is written where: the page, the mark where it begins, and the text."""
PARTS = {
    "libbpf-tools": libbpf,
    "cilium-examples": cilium,
    "own-programs": own,
    "builders": builders,
    "scale": synthetic,
    "start-up": startup,
}


def main(argv: Sequence[str]) -> int:
    """Runs the named parts, or all; the exit code."""
    args = _arguments(argv)
    if args.render:
        render()
        return 0
    missing = []
    for name in args.names or PARTS:
        print(f"{name}", flush=True)
        try:
            part = _measure(name, args)
        except Missing as problem:
            missing.append(f"{name}: {problem}")
            continue
        if args.quick:
            print(report.full({name: part}))
            continue
        known = {**load(RESULTS), name: part}
        save(RESULTS, {key: known[key] for key in PARTS if key in known}, _private())
        render()
    for line in missing:
        print(f"not measured: {line}", file=sys.stderr)
    return 1 if missing else 0


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PARTS)}; all, if none is named")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count, after one that doesn't (default: 5)")
    parser.add_argument("--render", action="store_true", help="measure nothing; write the pages from results.json")
    parser.add_argument("--quick", action="store_true", help="few programs, and nothing is written: to try the command")
    script = os.environ.get("BPFGEN") or shlex.quote(str(Path(sys.executable).with_name("bpfgen")))
    parser.add_argument(
        "--bpfgen", default=script, metavar="COMMAND", help="default: $BPFGEN, or the one beside this Python"
    )
    args = parser.parse_args(argv)
    unknown = [name for name in args.names if name not in PARTS]
    if unknown or args.rounds < 1:
        parser.error(f"there is no part {unknown[0]}" if unknown else "at least one round")
    return args


def _measure(name: str, args: argparse.Namespace) -> Part:
    with tempfile.TemporaryDirectory(prefix="bpfgen-bench-") as folder:
        tools: Tools = find(tuple(shlex.split(args.bpfgen)), Path(folder), args.quick)
        (Path(folder) / name).mkdir()
        tools = replace(tools, work=Path(folder) / name)
        module = PARTS[name]
        cases = module.measure(tools, args.rounds)
        return Part(module.TITLE, datetime.date.today().isoformat(), args.rounds, machine(tools), cases)


def render() -> None:
    """Writes the pages and the plot from the results."""
    results = load(RESULTS)
    for page, mark, block in BLOCKS:
        page.write_text(report.replaced(page.read_text(encoding="utf-8"), block(results), mark), encoding="utf-8")
    if results:
        PLOT.write_text(plot.svg(results), encoding="utf-8")


def _private() -> list[str]:
    """What a committed file may not tell of this machine."""
    words = (str(ROOT), f"{Path.home()}/", socket.gethostname(), tempfile.gettempdir())
    return [word for word in words if len(word) > 3]


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Broken as broken:
        sys.exit(f"not a measurement: {broken}")
