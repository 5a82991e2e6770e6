"""Verdicts as data."""

from __future__ import annotations

import json

from bpfgen.bpf.lines import Line
from bpfgen.verdicts.model import FAILS, OK, UNKNOWN, Reason, Verdict, from_json, to_json, worst

MISSING = Reason(
    FAILS,
    "helper",
    "bpf_loop",
    "the helper bpf_loop is there from 5.17 on",
    program="on_exec",
    line=Line("bpf/exec.c", 7, 3, "bpf_loop(8, step, 0, 0);"),
    source="upstream",
)
GUARDED = Reason(OK, "core", "task_struct.__state", "a guard leaves it out where it is missing")


def test_the_worst_counts() -> None:
    assert worst([]) == OK
    assert worst([GUARDED]) == OK
    assert worst([Reason(UNKNOWN, "limit", "x", "y"), MISSING, GUARDED]) == FAILS


def test_they_survive_json() -> None:
    verdict = Verdict("p/bpfel", "p", "out/obj/p/bpfel.bpf.o", "lts510", "arm64", FAILS, (MISSING, GUARDED))
    assert from_json(json.loads(json.dumps(to_json(verdict)))) == verdict
