"""The committed baseline of instruction counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpfgen.errors import Failure
from bpfgen.verify.baseline import Baseline, baseline, merged, read, regressions, render
from bpfgen.verify.model import FAILS, OK, Count, Program, Report, Verified

BEFORE: Baseline = {"lts": {"amd64": {"a/bpfel": {"enter": 100, "leave": 100}, "gone/bpfel": {"x": 1}}}}


def report(kernel: str = "lts", **counts: int) -> Report:
    """A report of one object; a program with no instructions is refused."""
    programs = tuple(
        Program(name, "xdp", OK if count else FAILS, count=Count(count, 1, 1) if count else None)
        for name, count in counts.items()
    )
    return Report(kernel, "amd64", "5.10", "libbpf 1.7", "emulated", (Verified("a/bpfel", OK, programs),))


@pytest.mark.parametrize(
    ("enter", "leave", "growth", "texts"),
    [
        (100, 100, 0, []),
        (90, 10, 0, []),
        (105, 100, 5, []),
        (106, 100, 5, ["program enter takes the verifier 106 instructions, before 100 (+6.0 %)"]),
        (
            101,
            0,
            0,
            [
                "program enter takes the verifier 101 instructions, before 100 (+1.0 %)",
                "program leave isn't loaded any more",
            ],
        ),
    ],
)
def test_regressions(enter: int, leave: int, growth: int, texts: list[str]) -> None:
    """Growth beyond what is allowed, and programs that don't load any more; fewer instructions are none."""
    now = baseline([report(enter=enter, leave=leave)])
    found = [str(each) for each in regressions(BEFORE, now, growth)]
    assert found == [f"a/bpfel on lts amd64: {text}" for text in texts]


def test_only_what_is_verified_is_compared() -> None:
    """Another kernel's report says nothing of this one, and updating keeps what it doesn't know."""
    now = baseline([report("newest", enter=1)])
    assert list(regressions(BEFORE, now, 0)) == []
    assert merged(BEFORE, now) == {**BEFORE, **now}


def test_file(tmp_path: Path) -> None:
    """It is read as it was written; one that is gone or damaged is said with the way to a new one."""
    path = tmp_path / "b.json"
    with pytest.raises(Failure, match="there is no such file"):
        read(str(path))
    path.write_bytes(render(BEFORE))
    assert read(str(path)) == BEFORE
    for text in ("{", "[]", '{"k": {"amd64": {"a": {"p": "x"}}}}'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(Failure, match="damaged"):
            read(str(path))
