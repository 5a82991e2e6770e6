"""A short part of the fuzzer for every run of the tests, and the inputs that failed once."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import fuzz
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutate import mutant
from targets import CORPUS, TARGETS

from bpfgen.bpf.malformed import Malformed

SEED = 2026
COUNTS = {"types": 400, "object": 300, "compare": 60, "resolve": 150, "judge": 150}


@pytest.mark.parametrize("name", TARGETS)
def test_damage_gives_a_clear_error_or_none(name: str) -> None:
    make, read = TARGETS[name]
    seeds = make()
    for seed in seeds:
        read(seed)
    refused = 0
    for number in range(COUNTS[name]):
        try:
            read(mutant(seeds, SEED, number))
        except Malformed as error:
            refused += bool(str(error))
    assert 0 < refused < COUNTS[name]


@pytest.mark.parametrize("path", sorted(CORPUS.iterdir()), ids=lambda path: path.name)
def test_what_failed_once(path: Path) -> None:
    for name in ("types",) if path.suffix == ".btf" else ("object", "compare", "resolve", "judge"):
        with suppress(Malformed):
            TARGETS[name][1](path.read_bytes())


@given(st.sampled_from(sorted(TARGETS)), st.data())
def test_a_word_anywhere(name: str, data: st.DataObject) -> None:
    make, read = TARGETS[name]
    whole = bytearray(data.draw(st.sampled_from(make())))
    at = data.draw(st.integers(0, len(whole) // 4 - 1)) * 4
    whole[at : at + 4] = data.draw(st.binary(min_size=4, max_size=4))
    with suppress(Malformed):
        read(bytes(whole))


def test_the_fuzzer_sees_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other exception and an input without end; its process is the one that limits memory."""

    def read(data: bytes) -> None:
        if len(data) % 2:
            raise KeyError(len(data))
        while True:
            pass

    monkeypatch.setitem(TARGETS, "types", (TARGETS["types"][0], read))
    monkeypatch.setattr(fuzz, "SECONDS", 0.05)
    found = [fuzz.outcome(SEED, number) or "" for number in range(0, 400, 8)]
    kinds = {each.strip().splitlines()[-1].partition(":")[0] for each in found}
    assert kinds == {"KeyError", "fuzz.TooSlow"}
