"""Runs of edges → a trace for chrome://tracing and Perfetto. Pure.

The format is Chrome's "Trace Event Format", the JSON object form with complete events (`ph` is `X`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from bpfgen.ninjalog import Run


def render(runs: Sequence[Run]) -> str:
    """The trace of one build, as JSON in ASCII: an event for each run, `ts` and `dur` in microseconds since ninja
    started, `tid` the lane.
    """
    events = [
        {
            "name": run.outputs[0],
            "cat": run.stage,
            "ph": "X",
            "ts": run.start * 1000,
            "dur": run.ms * 1000,
            "pid": 1,
            "tid": lane,
            "args": {"outputs": list(run.outputs)},
        }
        for run, lane in zip(runs, lanes(runs))
    ]
    return json.dumps({"displayTimeUnit": "ms", "traceEvents": events}, indent=1) + "\n"


def lanes(runs: Sequence[Run]) -> list[int]:
    """For each run the lowest lane, from 1, in which nothing else runs meanwhile. As many as ran at once at most."""
    ends: list[int] = []
    chosen = [0] * len(runs)
    for index in sorted(range(len(runs)), key=lambda i: (runs[i].start, runs[i].end)):
        run = runs[index]
        lane = next((lane for lane, end in enumerate(ends) if end <= run.start), len(ends))
        ends[lane : lane + 1] = [run.end]
        chosen[index] = lane + 1
    return chosen
