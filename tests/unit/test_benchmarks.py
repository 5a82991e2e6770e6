"""The benchmarks: what counts as a measurement, and that pages and plot say what `results.json` does."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import plot, report, run
from benchmarks.measure import Broken, Command, Contestant, Times, compare
from benchmarks.results import Case, Part, case, load, save

RESULTS = {
    "one": Part(
        "Tools & more",
        "2026-11-24",
        3,
        {"processor": "2 cores of X", "system": "Debian", "kernel": "6.18", "clang": "19.1"},
        [
            Case(
                "cold <build>",
                "make",
                {
                    "make": [2.0, 1.0, 90.0],
                    "ninja": [1.9, 1.9, 1.9],
                    "bpfgen": [0.9, 1.0, 0.1],
                    "bpfgen, all": [3, 3, 9],
                },
                note="A note.",
            ),
            Case("nothing", "make", {"make": [0.1], "bpfgen": [0.002]}, {"bpfgen": [12.6, 11.0, 40.0]}),
        ],
    )
}

TABLE = """\
| measure | who | time | of the peer's | peak memory |
|---|---|---|---|---|
| **cold <build>** | make | 2.00 s | 1 (the peer) | |
|  | ninja | 1.90 s | 0.95 | |
|  | bpfgen | 900 ms | 0.45 | |
|  | bpfgen, all | 3.00 s | 1.50 | |
| **nothing** | make | 100 ms | 1 (the peer) | |
|  | bpfgen | 2.0 ms | 0.020 | 13 MB |

- cold <build>: A note.
"""


def test_ratio_is_of_medians() -> None:
    """Not the median of ratios, which would be 0.45, 1 and 0.001."""
    one = RESULTS["one"].cases[0]
    assert (one.median("make"), one.median("bpfgen"), one.ratio("bpfgen")) == (2.0, 0.9, 0.45)
    assert one.ratio("make") == 1


def test_table() -> None:
    """Every contestant of every case, the notes, the machine, and what is lost."""
    text = report.full(RESULTS)
    assert TABLE in text
    assert "2 cores of X, Debian, kernel 6.18; clang 19.1." in text
    assert "Medians of 3 rounds, 24 November 2026." in text
    assert text.endswith("## Where bpfgen loses\n\n- Tools & more, cold <build>: bpfgen, all takes 1.58 of ninja.")


def test_machines_of_parts() -> None:
    """Parts from two machines: each says which."""
    other = replace(RESULTS["one"], machine={**RESULTS["one"].machine, "clang": "20.1"})
    text = report.full({**RESULTS, "two": other})
    assert text.index("clang 19.1") > text.index("## Tools")
    assert "clang 20.1" in text


def test_summary() -> None:
    """The first bpfgen of each case."""
    text = report.summary(RESULTS)
    assert "| Tools & more: cold <build> | make | 0.45 |" in text
    assert "takes 1.58 of ninja" in text


def test_builders_have_a_table_of_their_own() -> None:
    """A row for each kind; one that wasn't run says so."""
    times = {"native": [2.0], "bpfgen, docker": [2.2], "bpfgen, ssh": [2.5]}
    part = replace(RESULTS["one"], title="Builders", cases=[Case("cold", "native", times)])
    text = report.builders({"builders": part})
    rows = {line.split(" | ")[0]: line.split(" | ")[2] for line in text.splitlines()[2:] if line.startswith("| `")}
    assert rows["| `native`"] == "2.00 s |"
    assert rows["| `docker`"] == "1.10 |"
    assert rows["| `lima`"] == "not measured |"
    assert "docker" not in report.summary({"builders": part}).partition("Where bpfgen loses")[0]


def test_plot() -> None:
    """Well-formed, narrow enough for a page, with a bar for each bpfgen, cut at the edge."""
    root = ET.fromstring(plot.svg(RESULTS))
    space = "{http://www.w3.org/2000/svg}"
    assert int(root.attrib["width"]) <= 900
    texts = [text.text for kind in ("text", "tspan") for text in root.iter(f"{space}{kind}")]
    assert {"Tools & more", "cold <build>", "against make", "0.45", "1.50", "0.020"} <= set(texts)
    bars = [bar for bar in root.iter(f"{space}rect") if bar.attrib.get("x") == str(plot.LEFT)]
    assert [bar.attrib["class"] for bar in bars] == ["win", "loss", "win"]
    assert float(bars[1].attrib["width"]) < plot.WIDTH - plot.LEFT


def test_no_results() -> None:
    """Before the first run, the pages say so."""
    assert report.full({}) == report.summary({}) == report.builders({}) == report.EMPTY
    assert plot.svg({}) == ""


def test_pages_are_rendered() -> None:
    """What is committed is what `results.json` renders to: `python benchmarks/run.py --render`."""
    results = load(run.RESULTS)
    for page, mark, block in run.BLOCKS:
        text = page.read_text(encoding="utf-8")
        assert report.replaced(text, block(results), mark) == text
    assert (run.PLOT.read_text(encoding="utf-8") if run.PLOT.exists() else "") == plot.svg(results)


def test_results_tell_no_paths() -> None:
    """Results are public: no folders and no hosts."""
    text = run.RESULTS.read_text(encoding="utf-8") if run.RESULTS.exists() else ""
    assert re.findall(r"://|/(?:home|root|tmp|usr|work)\b", text) == []


def test_save(tmp_path: Path) -> None:
    """Reading gives what was written; a private word is refused."""
    path = tmp_path / "results.json"
    save(path, RESULTS, ["/home/me"])
    assert load(path) == RESULTS
    with pytest.raises(ValueError, match="2 cores"):
        save(path, RESULTS, ["2 cores"])


def test_case_rounds() -> None:
    """Tenths of milliseconds; memory only where it is asked for."""
    times = {"a": Times([0.123456], [1.26])}
    assert case("c", "a", times).seconds == {"a": [0.1235]}
    assert case("c", "a", times).peak_mb == {}
    assert case("c", "a", times, memory=True).peak_mb == {"a": [1.3]}


def contestant(folder: Path, script: str) -> Contestant:
    """A shell script that is to make the objects `a` and `b`."""
    command = Command(("sh", "-c", script), folder, dict(os.environ))
    return Contestant("it", (command,), {"a": folder / "a", "b": folder / "b"})


def test_compare(tmp_path: Path) -> None:
    """One number for each round that counts, and the largest process's memory."""
    times = compare([contestant(tmp_path, "echo 1 > a; echo 1 > b")], 2)["it"]
    assert len(times.seconds) == len(times.peak_mb) == 2
    assert min(times.seconds) > 0
    assert min(times.peak_mb) > 0.1


def test_work_not_done(tmp_path: Path) -> None:
    """A failure, a missing, an empty, a stale and a needless object: each stops the run."""
    for script, message in (
        ("echo no; exit 3", "exit code 3\nno"),
        ("echo 1 > a", r"1 of 2 objects are missing or empty: \['b'\]"),
        ("echo 1 > a; : > b", r"missing or empty: \['b'\]"),
    ):
        with pytest.raises(Broken, match=message):
            compare([contestant(tmp_path, script)], 1)
    (tmp_path / "b").write_text("old")
    with pytest.raises(Broken, match=r"not built again: \['b'\]"):
        compare([contestant(tmp_path, "echo 1 > a")], 1)
    both = contestant(tmp_path, "sleep 0.01; echo 1 > a; echo 1 > b")
    with pytest.raises(Broken, match=r"built without need: \['b'\]"):
        compare([replace(both, remade=frozenset("a"))], 1)
    compare([replace(both, remade=frozenset("a"), exact=False)], 1)
