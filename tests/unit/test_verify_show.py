"""Reports as people read them, and failures as they are passed on."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpfgen.errors import Failure, Location, Problem
from bpfgen.verify import show, trouble
from bpfgen.verify.classify import Refusal
from bpfgen.verify.model import ACCEPTED, FAILS, OK, UNDESCRIBED, Count, Program, Report, Verified

HELPER = Refusal("helper", "unknown func bpf_loop#181")
VERIFIER = Refusal("verifier", "R1 invalid mem access 'scalar'")
GOOD = Program("good", "xdp", OK, count=Count(52, 4, 3))
REPORTS = (
    Report(
        "lts510",
        "amd64",
        "5.10.0",
        "libbpf 1.7",
        "emulated",
        (
            Verified("a/bpfel", OK, (GOOD,), assumed=(("events", 1024),)),
            Verified("b/x86_bpfel", FAILS, (GOOD, Program("bad", "tc", FAILS, False, HELPER, ("0: x",))), HELPER),
        ),
    ),
    Report(
        "lts61",
        "arm64",
        "6.1.0",
        "libbpf 1.7",
        "emulated",
        (
            Verified("a/bpfel", ACCEPTED, (Program("good", "xdp", FAILS, True, VERIFIER),), VERIFIER, "", "it is old"),
            Verified("c/bpfel", OK, (GOOD,), unneeded=True),
        ),
    ),
)


def test_table() -> None:
    """Objects down, kernels across; colours take no room."""
    assert show.table(REPORTS, lambda text, _: text).splitlines() == [
        "             lts510 amd64  lts61 arm64",
        "a/bpfel      ok            accepted",
        "b/x86_bpfel  fails         -",
        "c/bpfel      -             ok",
    ]
    painted = show.table(REPORTS, lambda text, verdict: f"<{verdict}>{text}</>").splitlines()
    assert painted[2] == "b/x86_bpfel  <fails>fails</>         -"


def test_details() -> None:
    """What isn't simply loaded; with more words, all of it."""
    assert list(show.details(REPORTS[0], False)) == [
        "b/x86_bpfel on lts510 amd64 (5.10.0): fails: helper: unknown func bpf_loop#181",
        "  bad (tc) is refused: unknown func bpf_loop#181",
    ]
    more = list(show.details(REPORTS[0], True))
    assert "  sizes of maps that nobody named: events = 1024" in more
    assert "  good: 52 instructions, 4 states, 3 at once" in more
    assert "    0: x" in more
    assert list(show.details(REPORTS[1], False)) == [
        "a/bpfel on lts61 arm64 (6.1.0): accepted: verifier: R1 invalid mem access 'scalar'",
        "  accepted: it is old",
        "c/bpfel on lts61 arm64 (6.1.0): loads, so the table of its program need not accept anything there",
    ]


def test_what_is_undescribed() -> None:
    """The way to describe it is shown."""
    refusal = Refusal("description", "failed to find kernel BTF type ID of 'dummy_fentry'")
    program = Program("enter", "fentry/dummy_fentry", UNDESCRIBED, refusal=refusal)
    verified = Verified("tool/bpfel", UNDESCRIBED, (program,), refusal)
    *_, last = show.details(Report("k", "amd64", "6.1", "libbpf 1.7", "emulated", (verified,)), False)
    assert last == '    hint: name the function:  attach = { enter = "…" }  in [program.tool.load]'


def test_summary() -> None:
    """One line."""
    assert show.summary(REPORTS) == "bpfgen: 3 objects on 2 kernels: 2 loaded, 1 refused as accepted, 1 refused"


def test_failures_are_kept(tmp_path: Path) -> None:
    """A step's failure is read as it was, until what it was of is made."""
    path = str(tmp_path / "made")
    first = Failure([Problem(Location("build.toml", 3, 7), "is empty", "fetch it again")], 3)
    with pytest.raises(Failure), trouble.told(path):
        raise first
    found = trouble.failure([path, str(tmp_path / "other")])
    assert (list(map(str, found.problems)), found.code) == (
        ["build.toml:3:7: error: is empty\n  hint: fetch it again"],
        3,
    )
    with pytest.raises(OSError, match="gone"), trouble.told(path):
        raise FileNotFoundError(2, "gone", "file")
    assert [problem.message for problem in trouble.failure([path]).problems] == ["file: gone"]
    with trouble.told(path):
        pass
    assert not trouble.failure([path]).problems
    assert not Path(path + trouble.SUFFIX).exists()
