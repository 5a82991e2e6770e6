"""`ninjalog`: rows, builds and edges of Ninja's log, and what a damaged one gives."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpfgen.errors import EXIT_FAILED, Failure
from bpfgen.graph import CC, LINK, Action, Edge, build_graph
from bpfgen.ninja import render
from bpfgen.ninjalog import GONE, Log, Run, last_build, newest, parse, read_stages

STAGES = {"a.o": "cc", "b.o": "cc", "c": "link", "d": "step", "d2": "step"}
SECOND = 1_000_000_000
# As ninja 1.13 wrote it. `c` is an edge with `restat`: its MTIME is its own, that of `a.o` when its command started.
SEVEN = """\
# ninja log v7
0\t205\t1795500114351869616\ta.o\t318c80dff0b5c88d
205\t260\t1795500114559936847\tc\t2b485fb968e6b7d1
0\t204\t1795500115615869556\ta.o\t318c80dff0b5c88d
204\t258\t1795500115823567569\tc\t2b485fb968e6b7d1
"""


def log_of(*rows: tuple[int, int, int, str], version: int = 7) -> Log:
    """A log; each row is START, END, the second at which its ninja started, and OUTPUT."""
    lines = [
        f"{start}\t{end}\t{s * SECOND + start * 1_000_000}\t{name}\t{ord(name[0]):x}" for start, end, s, name in rows
    ]
    return parse("\n".join([f"# ninja log v{version}", *lines, ""]), "log")


def names(runs: Sequence[Run]) -> list[str]:
    """The outputs of runs."""
    return [" ".join(run.outputs) for run in runs]


def test_rows() -> None:
    log = parse(SEVEN, "log")
    assert (log.version, log.skipped, len(log.rows)) == (7, 0, 4)
    assert last_build(log, STAGES, "build.ninja") == (Run(0, 204, "cc", ("a.o",)), Run(204, 258, "link", ("c",)))


@pytest.mark.parametrize("version", [5, 6, 7])
def test_last_build(version: int) -> None:
    log = log_of(
        (0, 9, 1, "a.o"), (1, 12, 1, "b.o"), (12, 20, 1, "c"), (0, 5, 2, "b.o"), (5, 8, 2, "c"), version=version
    )
    assert names(last_build(log, STAGES, "build.ninja")) == ["b.o", "c"]
    assert [(*run.outputs, run.ms) for run in newest(log, STAGES)] == [("b.o", 5), ("a.o", 9), ("c", 3)]


def test_last_build_that_no_order_shows() -> None:
    """The first edge of the second build ended later than the whole first build: only the clock tells them apart."""
    assert names(last_build(log_of((0, 9, 1, "a.o"), (0, 30, 2, "b.o")), STAGES, "build.ninja")) == ["b.o"]


def test_last_build_of_a_repeated_output() -> None:
    """Before version 6, an output that was made again shows it."""
    log = log_of((0, 9, 1, "a.o"), (0, 30, 2, "b.o"), (0, 40, 2, "a.o"), version=5)
    assert names(last_build(log, STAGES, "build.ninja")) == ["b.o", "a.o"]


def test_old_times_of_version_5() -> None:
    """Up to ninja 1.11, an output that was left alone has the time of an input: it is of this build all the same."""
    log = log_of((0, 9, 3, "a.o"), (9, 12, 1, "c"), (12, 15, 3, "d"), version=5)
    assert names(last_build(log, STAGES, "build.ninja")) == ["a.o", "c", "d"]


@given(st.randoms(use_true_random=False))
def test_recompacted(order: random.Random) -> None:
    """A log that Ninja rewrote has its rows in no order."""
    rows = [(0, 9, 1, "a.o"), (0, 5, 2, "b.o"), (5, 8, 2, "c"), (8, 9, 2, "d")]
    order.shuffle(rows)
    assert names(last_build(log_of(*rows), STAGES, "build.ninja")) == ["b.o", "c", "d"]


@pytest.mark.parametrize("version", [5, 7])
def test_remade_ninja_file(version: int) -> None:
    """Ninja makes its own file in a build before the build, in the same second, and perhaps nothing else."""
    remade = [(0, 9, 1, "build.ninja"), (0, 9, 1, "beside.json")]
    log = log_of(*remade, (0, 30, 1, "a.o"), version=version)
    assert names(last_build(log, STAGES, "build.ninja")) == ["a.o"]
    log = log_of((0, 30, 1, "a.o"), *((s, e, 2, name) for s, e, _, name in remade), version=version)
    assert names(last_build(log, STAGES, "build.ninja")) == ["build.ninja beside.json"]


def test_outputs_of_one_edge() -> None:
    log = log_of((0, 9, 1, "d"), (0, 9, 1, "d2"), (0, 9, 1, "a.o"))
    assert last_build(log, STAGES, "build.ninja") == (Run(0, 9, "cc", ("a.o",)), Run(0, 9, "step", ("d", "d2")))


def test_gone() -> None:
    """What the Ninja file has no longer was in the last build, and is no edge."""
    log = log_of((0, 9, 1, "old.o"), (0, 9, 1, "a.o"))
    assert [run.stage for run in last_build(log, STAGES, "build.ninja")] == ["cc", GONE]
    assert names(newest(log, STAGES)) == ["a.o"]


def test_names_keep_their_letters() -> None:
    log = log_of((0, 9, 1, "a b\u2028\udcffé:$.o"))
    assert names(last_build(log, {}, "build.ninja")) == ["a b\u2028\udcffé:$.o"]


@pytest.mark.parametrize("text", ["", "# ninja log v7\n", "# ninja log v5"])
def test_empty(text: str) -> None:
    assert last_build(parse(text, "log"), STAGES, "build.ninja") == ()
    assert newest(parse(text, "log"), STAGES) == ()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "0\t9\t1\ta.o",
        "0\t9\t1\ta.o\t1\t2",
        "x\t9\t1\ta.o\t1",
        "9\t0\t1\ta.o\t1",
        "-1\t9\t1\ta.o\t1",
        "0\t9\t1\t\t1",
        "0\t9\t1\ta.o\tnot hex",
        "0\t9\t1\t\x1b[31ma.o\t1",
        f"0\t{'9' * 5000}\t1\ta.o\t1",
        "٠\t9\t1\ta.o\t1",
    ],
)
def test_damaged_row(line: str) -> None:
    log = parse(f"# ninja log v7\n{line}\n0\t9\t1\tb.o\t1\n", "log")
    assert log.skipped == 1
    assert names(last_build(log, STAGES, "build.ninja")) == ["b.o"]


@pytest.mark.parametrize("length", range(len("204\t258\t1795500115823567569\tc\t2b485fb968e6b7d1")))
def test_cut_off(length: int) -> None:
    """The row that a killed ninja was writing."""
    whole, _, last = SEVEN.rstrip("\n").rpartition("\n")
    log = parse(f"{whole}\n{last[:length]}", "log")
    assert (len(log.rows), log.skipped) == (3, bool(length))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# ninja log v4\n", "bpfgen reads versions 5 to 7 of Ninja's log, and not 4"),
        ("# ninja log v8\n", "bpfgen reads versions 5 to 7 of Ninja's log, and not 8"),
        ("# ninja log v\n", "is not a log of Ninja's"),
        ("\n", "is not a log of Ninja's"),
        ("# ninjadeps\n\x04", "is not a log of Ninja's"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(Failure) as caught:
        parse(text, "out/.ninja_log")
    assert f"out/.ninja_log:1:1: error: {message}\n  hint: " in str(caught.value)
    assert caught.value.code == EXIT_FAILED


@given(st.data())
def test_damage_is_no_traceback(data: st.DataObject) -> None:
    """Letters of a log lost, doubled and changed give a log or the message."""
    text = SEVEN.replace("v7", f"v{data.draw(st.integers(5, 7))}")
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(text)))
        new = data.draw(st.one_of(st.sampled_from(["", "\n", "\t", "0", "-", text]), st.text(max_size=3)))
        text = text[:at] + new + text[at + data.draw(st.integers(0, 9)) :]
    with contextlib.suppress(Failure):
        log = parse(text, "log")
        assert all(
            run.ms >= 0 and run.outputs for run in (*last_build(log, STAGES, "build.ninja"), *newest(log, STAGES))
        )
        assert bool(last_build(log, STAGES, "build.ninja")) is bool(log.rows)


@given(st.text())
def test_any_text_is_no_traceback(text: str) -> None:
    read_stages(text)
    with contextlib.suppress(Failure):
        last_build(parse(text, "log"), {}, "build.ninja")


NAME = st.text(st.one_of(st.sampled_from(" $:.é'#"), st.characters(categories=("L", "N"))), min_size=1, max_size=8)


@given(st.lists(NAME.filter(lambda name: name not in {".", ".."}), min_size=2, max_size=6, unique=True))
def test_stages_of_what_is_written(outputs: list[str]) -> None:
    """Every output of a file that `ninja.render` wrote has its rule, whatever its letters; inputs have none."""
    first, *more = outputs
    action = Action(("true",), ())
    edges = [Edge((first,), ("x.c",), rule=CC, action=action), Edge(tuple(more), (first,), rule=LINK, action=action)]
    text = render(build_graph(edges, (first,), "out", "# comment", {}))
    assert read_stages(text) == {first: "cc", **dict.fromkeys(more, "link")}


@pytest.mark.parametrize(
    ("line", "stages"),
    [
        ("build a b | c: new-rule.1 d | e || f", dict.fromkeys("abc", "new-rule")),
        ("build ./a//b/../c: r", {"a/c": "r"}),
        ("build a$ $:$$b: r", {"a :$b": "r"}),
        ("build a", {}),
        ("  build a: r", {}),
    ],
)
def test_stages(line: str, stages: dict[str, str]) -> None:
    assert read_stages(f"rule r\n  command = x\n{line}\ndefault a\n") == stages
