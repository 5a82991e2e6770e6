"""Outcomes with what build.toml says of an object → verdicts."""

from __future__ import annotations

from typing import Any

import pytest

from bpfgen.verify.classify import CRASH
from bpfgen.verify.job import Needs
from bpfgen.verify.judge import dead, judge
from bpfgen.verify.model import Count, Report, from_json, to_json

COUNTS = "processed 52 insns (limit 1000000) max_states_per_insn 1 total_states 4 peak_states 3 mark_read 2"
GOOD = {"name": "good", "section": "xdp", "ok": True, "log": ["stack depth 24", COUNTS]}
BAD = {
    "name": "bad",
    "section": "tc",
    "ok": False,
    "message": "program bad: load program",
    "log": ["R1 invalid mem access"],
}
DUMMY = {
    "name": "dummy",
    "section": "fentry/dummy_x",
    "ok": False,
    "message": "prog 'dummy': failed to find kernel BTF type ID of 'dummy_x': -ESRCH",
}


def end(*programs: dict[str, Any], ok: bool = False, message: str = "") -> dict[str, Any]:
    """The last event of an object."""
    return {"event": "end", "object": "a/bpfel", "ok": ok, "message": message, "programs": list(programs)}


@pytest.mark.parametrize(
    ("said", "needs", "verdict", "kind"),
    [
        (end(GOOD, ok=True), Needs(), "ok", ""),
        (end(GOOD, BAD), Needs(), "fails", "verifier"),
        (end(GOOD, BAD), Needs(optional=("bad",)), "ok", ""),
        (end(BAD), Needs(optional=("bad",)), "fails", "verifier"),
        (end(GOOD, BAD), Needs(accept={"k": "it is old"}), "accepted", "verifier"),
        (end(GOOD, BAD), Needs(accept={"other": "it is old"}), "fails", "verifier"),
        (end(GOOD, DUMMY), Needs(), "undescribed", "description"),
        (end(DUMMY, BAD), Needs(), "fails", "verifier"),
        (end(message="struct_ops init_kern: not found"), Needs(), "fails", "program_type"),
        (end(message="elf: no such section"), Needs(), "fails", "object"),
        (end(GOOD, message="map 'm': failed to create: -ENOMEM"), Needs(), "fails", "map"),
        (dead("a/bpfel", CRASH, "the kernel panics: Oops"), Needs(), "fails", "crash"),
    ],
)
def test_verdict(said: dict[str, Any], needs: Needs, verdict: str, kind: str) -> None:
    """What holds of the whole object, and the worst reason."""
    found = judge(said, needs, "k")
    assert (found.verdict, found.refusal.kind if found.refusal else "") == (verdict, kind)


def test_figures() -> None:
    """veristat's, of the verifier's last line; newer kernels write another one before it."""
    (program,) = judge(end(GOOD, ok=True), Needs(), "k").programs
    assert program.count == Count(instructions=52, states=4, peak=3)


def test_accepted_for_nothing() -> None:
    """An object that loads where it may be refused is said to."""
    assert judge(end(GOOD, ok=True), Needs(accept={"k": "it is old"}), "k").unneeded


def test_json_round_trip() -> None:
    """A report's file says all of it."""
    said = (end(GOOD, BAD, {**DUMMY, "skipped": True}), {**end(GOOD, ok=True), "assumed": {"events": 1024}})
    objects = tuple(judge(each, Needs(optional=("bad",)), "k") for each in said)
    report = Report("k", "amd64", "6.1.0", "libbpf 1.7", "emulated", objects)
    assert from_json(to_json(report)) == report
