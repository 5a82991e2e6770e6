"""`graph`: what one build may be made of."""

from __future__ import annotations

import pytest

from bpfgen.errors import Failure
from bpfgen.graph import CLEAN, GENERATE, STEP, Action, Edge, build_graph, outputs

DO = Action(("do",), ())


def test_two_producers_are_refused_all_at_once() -> None:
    edges = [Edge(("a", "b"), rule=STEP, action=DO), Edge(("b",)), Edge(("c",)), Edge(("c",))]
    with pytest.raises(Failure) as caught:
        build_graph(edges, (), "out", "#", {})
    assert [problem.message for problem in caught.value.problems] == [
        'two Ninja edges would make "b"',
        'two Ninja edges would make "c"',
    ]


def test_target_named_as_a_file_that_is_read_is_refused() -> None:
    """`[program."x.c"]` would make Ninja build x.c from its own object."""
    edges = [Edge(("x.o",), ("x.c",), rule=STEP, action=DO), Edge(("x.c",), ("x.o",))]
    with pytest.raises(Failure, match=r'the target "x\.c" has the name of a file'):
        build_graph(edges, (), "out", "#", {})


def test_outputs_are_what_steps_write() -> None:
    edges = [
        Edge(("build.ninja",), rule=GENERATE, action=DO),
        Edge(("a", "b"), rule=STEP, action=DO),
        Edge(("all",), ("a",)),
        Edge(("clean",), rule=CLEAN, action=DO),
    ]
    assert outputs(build_graph(edges, ("all",), "out", "#", {})) == ("a", "b")
