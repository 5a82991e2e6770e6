"""Static verdicts against real loading: three sets of objects on Debian's four kernels, by both loaders."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import tomli
import verified

from bpfgen.frozen import frozen
from bpfgen.verdicts.model import CONDITIONAL, FAILS, OK, UNKNOWN, Verdict, from_json

pytestmark = [pytest.mark.real, pytest.mark.input]

DOCS = verified.REPOSITORY / "docs" / "verify.md"
BEGIN, END = "<!-- static against real -->\n", "<!-- end -->\n"
MOVING = "k7"
"""The kernel of Debian's unstable suite: what is written of it isn't true for long."""
OBJECTS = 75
ALL = ("k5_10", "k6_1", "k6_12", "k7")
CLOSE, UNKNOWNS = 0.99, 0.02
"""The part of all pairs that agrees at least, and the part that is unknown at most."""

# Loader and program → the kernels where verdict and loading disagree, the kind of the refusal, why it isn't foretold.
DISAGREEMENTS: Mapping[tuple[str, str], tuple[Sequence[str], str, str]] = {}
"""This is exact: one that is new fails the test, and so does one that is gone."""

KINDS = {
    "map": {"map_type", "map_flags", "map_size", "map_entry"},
    "program_type": {"program_type", "attach_target"},  # the loaders' words for a struct_ops that the kernel lacks
    "verifier": {"call"},  # its words for what a global function does with an argument
}
"""Kinds of refusals that have other names in verdicts."""


@frozen
class Pair:
    """One object on one kernel, by one loader."""

    loader: str
    verdict: Verdict
    refusals: tuple[str, ...]
    """Kinds; none where the kernel loads the object with all programs that aren't optional."""
    described: bool
    """Whether build.toml names the function or the module that it is loaded with."""

    @property
    def agrees(self) -> bool:
        """`conditional` is right where the condition that it names decides: it loads where that was met, else it is
        refused for want of it.
        """
        verdict = self.verdict.verdict
        if verdict != CONDITIONAL:
            return verdict == (FAILS if self.refusals else OK)
        unmet = {each.kind for each in self.verdict.reasons if each.verdict == CONDITIONAL}
        if self.refusals:
            return set(self.refusals) <= {*unmet, "description"}
        return self.described


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    """All of them."""
    folder = verified.verified(tmp_path_factory)
    programs = tomli.loads((folder / "project" / "build.toml").read_text(encoding="utf-8"))["program"]
    described = {name for name, table in programs.items() if {"attach", "modules"} & set(table.get("load", {}))}
    return [pair for loader in verified.LOADERS for pair in _pairs(loader, verified.said(folder, loader), described)]


def _pairs(loader: str, said: dict[str, Any], described: set[str]) -> Iterator[Pair]:
    real = {(each["object"], report["kernel"]): each for report in said["real"] for each in report["objects"]}
    for verdict in map(from_json, said["static"]):
        each = real.pop((verdict.object, verdict.kernel))
        needed = [program["refusal"] for program in each["programs"] if not program["optional"]]
        found = [] if each["verdict"] == "ok" else list(filter(None, needed)) or [each["refusal"]]
        kinds = sorted({refusal["kind"] for refusal in found})
        yield Pair(loader, verdict, tuple(kinds), verdict.program in described)
    assert not real


def test_disagreements(pairs: list[Pair]) -> None:
    """Those that are listed, and no other."""
    found: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
    for pair in pairs:
        if not pair.agrees:
            kernels, kinds = found.setdefault((pair.loader, pair.verdict.program), (set(), set()))
            kernels.add(pair.verdict.kernel)
            kinds.update(pair.refusals or ("loads",))
    assert found == {key: (set(kernels), {kind}) for key, (kernels, kind, _) in DISAGREEMENTS.items()}


def test_shares(pairs: list[Pair]) -> None:
    """Whatever is listed: of 100 pairs 99 agree and 2 are unknown at most."""
    for loader in verified.LOADERS:
        own = [pair for pair in pairs if pair.loader == loader]
        assert len(own) == OBJECTS * len(ALL)
        assert sum(pair.agrees for pair in own) >= CLOSE * len(own)
        assert sum(pair.verdict.verdict == UNKNOWN for pair in own) <= UNKNOWNS * len(own)


def test_no_ok_lacks_a_feature(pairs: list[Pair]) -> None:
    """Where `ok` is refused, it is by the verifier, for what the code does."""
    wrong = {pair.refusals for pair in pairs if pair.verdict.verdict == OK and pair.refusals}
    assert wrong <= {("verifier",)}


def test_reasons(pairs: list[Pair]) -> None:
    """Each refusal that was foretold is of a kind that was foretold."""
    for pair in pairs:
        if pair.verdict.verdict == FAILS and pair.refusals:
            said = {each.kind for each in pair.verdict.reasons if each.verdict in (FAILS, CONDITIONAL)}
            for kind in pair.refusals:
                assert said & KINDS.get(kind, {kind}), (pair.loader, pair.verdict.program, pair.verdict.kernel, kind)


def test_docs(pairs: list[Pair], update: bool) -> None:
    """The tables in docs/verify.md, but for the kernel that moves; `--update` writes them."""
    text = DOCS.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    old, _, after = rest.partition(END)
    new = "\n".join([*_matrix(pairs), "", _sum(pairs), *_listed()]) + "\n"
    if update:
        DOCS.write_text(f"{before}{BEGIN}{new}{END}{after}", encoding="utf-8")
    assert _still(old if not update else new) == _still(new)


COLUMNS = ((OK, False), (OK, True), (CONDITIONAL, False), (CONDITIONAL, True), (FAILS, True), (FAILS, False))
"""Verdict, and whether the object is refused."""


def _matrix(pairs: list[Pair]) -> Iterator[str]:
    heads = [f"`{verdict}`, {'refused' if refused else 'loads'}" for verdict, refused in COLUMNS]
    heads = ["kernel", "loader", *heads, "`unknown`", "agree"]
    yield f"| {' | '.join(heads)} |"
    yield "|---|---|" + "--:|" * (len(heads) - 2)
    for kernel in ALL:
        for loader in verified.LOADERS:
            own = [pair for pair in pairs if (pair.loader, pair.verdict.kernel) == (loader, kernel)]
            counts = Counter((pair.verdict.verdict, bool(pair.refusals)) for pair in own)
            cells = [counts[column] for column in COLUMNS]
            share = f"{sum(pair.agrees for pair in own)} of {len(own)}"
            unknown = len(own) - sum(cells)
            name = kernel[1:].replace("_", ".")
            yield f"| {name} | {loader} | {' | '.join(map(str, cells))} | {unknown} | {share} |"


def _sum(pairs: list[Pair]) -> str:
    return f"In all, {sum(pair.agrees for pair in pairs)} of {len(pairs)} pairs agree."


def _listed() -> Iterator[str]:
    if not DISAGREEMENTS:
        return
    yield ""
    yield "| program | loader | kernels | refused by | why no verdict says it |"
    yield "|---|---|---|---|---|"
    for (loader, program), (kernels, kind, why) in sorted(DISAGREEMENTS.items(), key=lambda row: row[0][::-1]):
        names = ", ".join(kernel[1:].replace("_", ".") for kernel in kernels)
        yield f"| {program} | {loader} | {names} | {kind} | {why} |"


def _still(text: str) -> str:
    return re.sub(rf"^(?:\| {MOVING[1:]} \||In all, ).*\n", "", text, flags=re.MULTILINE)
