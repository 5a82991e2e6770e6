"""`bpfgen` alone on this repository, against the start of a bare interpreter."""

from __future__ import annotations

import shutil
import sys

from benchmarks.measure import Command, Contestant, compare
from benchmarks.ours import Project
from benchmarks.results import Case, case
from benchmarks.tools import ROOT, Tools
from benchmarks.workloads.edits import settle

TITLE = "Start-up"


def measure(tools: Tools, rounds: int) -> list[Case]:
    """What runs before every build, where nothing changed; and what an edit of `build.toml` costs."""
    root = tools.work / "tree"
    for name in ("bpf", "include"):
        shutil.copytree(ROOT / name, root / name)
    project = Project(tools, root).write((ROOT / "build.toml").read_text(encoding="utf-8"))
    bare = Command((sys.executable, "-c", "pass"), root, tools.environment())
    again = Contestant("bpfgen, read again", (project.generate("-q"),))  # with an option, it reads everything
    settle(again)
    contestants = [
        Contestant("python -c pass", (bare,)),
        Contestant("bpfgen, nothing changed", (project.generate(),)),
        again,
    ]
    times = compare(contestants, rounds)
    return [case("bpfgen alone", contestants[0].name, times)]
