"""What large projects cost, counted and not timed: from the configuration to the texts, all in memory."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from types import FrameType
from typing import Any

from test_golden import HOST

from bpfgen import compdb, ninja
from bpfgen.compile import layout_of, unit_edges
from bpfgen.config.schema import Config, Kernel, Program, Project, Targets
from bpfgen.matrix import Unit, expand
from bpfgen.plan import Inputs, make_graph, make_plan, render_plan
from bpfgen.sources import NamedProgram

ARCHES = ("amd64", "arm64", "riscv64", "s390x", "ppc64")
KERNELS = {"old": Kernel("5.4"), "new": Kernel("6.1", "new.btf")}
CELLS = len(ARCHES) * len(KERNELS)
CONFIG = Config(
    Project("x"),
    targets=Targets(arches=ARCHES),
    kernel=KERNELS,
    program={"*": Program(source="*.c", per_kernel=True)},
)


def units(programs: int) -> tuple[Unit, ...]:
    """The units of a glob that found so many files."""
    return expand(CONFIG, [NamedProgram(f"p{n:05}", "*", (f"p{n:05}.c",)) for n in range(programs)])


def texts(programs: int) -> tuple[str, str, str]:
    """`build.ninja`, `compile_commands.json` and `plan.json`."""
    made = units(programs)
    plan = make_plan(CONFIG, made, HOST)
    graph = make_graph(plan, CONFIG, made, HOST, Inputs("build.toml", (".",), (), ()))
    return ninja.render(graph), compdb.render(graph, HOST.root), render_plan(plan)


def calls(programs: int) -> int:
    """How many functions are called to make the texts."""
    count = 0

    def note(_frame: FrameType, event: str, _arg: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    gc.disable()  # who wants to know of its runs is called by them
    sys.setprofile(note)
    try:
        texts(programs)
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


def peak(programs: int) -> int:
    """How many bytes are in use at most while the texts are made."""
    tracemalloc.start()
    try:
        texts(programs)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_each_program_costs_the_same() -> None:
    """Whatever their number: no function is called more often for the hundredth one than for the tenth."""
    texts(1)  # what is read and cached once
    first, second, third = (calls(programs) for programs in (20, 60, 100))
    assert third - second == second - first


def test_memory_grows_with_the_units() -> None:
    """And not with their square; hash tables that double are in it, too."""
    texts(1)
    assert peak(200) < 2.5 * peak(100)


def test_equal_words_are_made_and_written_once() -> None:
    """Programs of a table share settings, commands share words, and the Ninja file has a rule for each run of them."""
    made = units(30)
    assert len({id(unit.settings) for unit in made}) == len(KERNELS)
    known: Any = {}
    edges = [edge for unit in made for edge in unit_edges(unit, HOST, layout_of(CONFIG), known)]
    assert len({id(edge.action.base) for edge in edges if edge.action}) == CELLS
    assert edges == [edge for unit in made for edge in unit_edges(unit, HOST, layout_of(CONFIG))]
    assert texts(30)[0].count("\nrule cc.") == CELLS
