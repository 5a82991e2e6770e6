"""`trace`: the lanes, and the form that Chrome and Perfetto read."""

from __future__ import annotations

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from bpfgen.ninjalog import Run
from bpfgen.trace import lanes, render

RUNS = st.lists(
    st.builds(
        lambda start, ms, name: Run(start, start + ms, "cc", (name,)),
        st.integers(0, 50),
        st.integers(0, 20),
        st.text(min_size=1, max_size=5),
    ),
    max_size=30,
)


@given(RUNS)
def test_lanes_never_overlap(runs: list[Run]) -> None:
    pairs = itertools.combinations(zip(runs, lanes(runs)), 2)
    assert not [(a, b) for (a, x), (b, y) in pairs if x == y and max(a.start, b.start) < min(a.end, b.end)]


@given(RUNS)
def test_lanes_are_few(runs: list[Run]) -> None:
    """No more of them than edges that ran at once, and none is left out."""
    # A run of no time counts as one that is there at its start.
    busy = [sum(b.start <= a.start < max(b.end, b.start + 1) for b in runs) for a in runs]
    used = set(lanes(runs))
    assert used == set(range(1, len(used) + 1))
    assert len(used) <= max(busy, default=0)


@given(RUNS)
def test_render_is_json_in_ascii(runs: list[Run]) -> None:
    text = render(runs)
    assert text.isascii()
    events = json.loads(text)["traceEvents"]
    assert [(e["name"], e["ts"], e["dur"]) for e in events] == [
        (r.outputs[0], r.start * 1000, r.ms * 1000) for r in runs
    ]


def test_event() -> None:
    trace = json.loads(render([Run(0, 7, "cc", ("a.o",)), Run(3, 5, "step", ("b", "c"))]))
    assert trace["traceEvents"][1] == {
        "name": "b",
        "cat": "step",
        "ph": "X",
        "ts": 3000,
        "dur": 2000,
        "pid": 1,
        "tid": 2,
        "args": {"outputs": ["b", "c"]},
    }
