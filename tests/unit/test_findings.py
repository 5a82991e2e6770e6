"""What a project makes of verdicts, and how it is said."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Optional

import pytest
from madeverdicts import KERNELS, LOOP, RINGBUF, STATE, sample, verdict

from bpfgen import verdicts
from bpfgen.bpf.lines import Line
from bpfgen.config.schemacheck import Allow
from bpfgen.errors import Location
from bpfgen.findings import github, listing
from bpfgen.findings.checked import Checked, Selection, checked, to_json
from bpfgen.findings.kinds import KINDS
from bpfgen.findings.policy import ACCEPTED, ERROR, NOTE, WARNING, Finding
from bpfgen.findings.rows import Cell, loads, ordered
from bpfgen.findings.rules import Rules, from_json
from bpfgen.findings.rules import to_json as rules_to_json
from bpfgen.verdicts.model import CONDITIONAL, FAILS, OK, UNKNOWN

OLD = Allow("nobody has it any more", kernel="lts54")

ALL = Selection()


def look(*allow: Allow, required: Optional[dict[str, list[str]]] = None, selection: Selection = ALL) -> Checked:
    """The sample by some rules."""
    return checked(sample(), KERNELS, Rules(allow, required or {}), selection)


def levels(shown: Checked) -> dict[str, str]:
    """Needs of findings, with their levels."""
    return {f"{finding.program} {finding.need}": finding.level for finding in shown.findings}


def place(finding: Finding) -> Location:
    """As `places` has it, without a project."""
    return finding.place or Location("build.toml", 7, 1)


def text(shown: Checked, everything: bool = False) -> list[str]:
    """Lines of findings, without colour."""
    findings = shown.findings if everything else listing.short(shown.findings)[0]
    return list(listing.lines(findings, place, lambda words, _colour: words, everything))


def test_levels() -> None:
    """`fails` is an error, `conditional` and `unknown` are warnings; what a guard saves is a note."""
    assert levels(look()) == {
        "exec map_type:ringbuf": ERROR,
        "exec helper:bpf_loop": ERROR,
        "exec core:task_struct.__state": ERROR,
        "nat map_type:ringbuf": ERROR,
        "exec kfunc:bpf_odd": WARNING,
        "nat attach_target:nf_nat_ipv4": WARNING,
        "exec core:task_struct.state": NOTE,
    }
    assert not look().is_ok


def test_what_is_accepted() -> None:
    """Each part of an allow counts; what is accepted on one kernel is an error on the other."""
    shown = look(OLD, Allow("r", program="n*", arch="arm64", need="map_type:ring*"), Allow("never", kernel="lts61"))
    found = [(f.need, f.level, listing.where(f), f.accepted) for f in shown.findings if f.reason.kind != "core"]
    assert found == [
        ("helper:bpf_loop", ERROR, "lts510", ""),
        ("kfunc:bpf_odd", WARNING, "rhel", ""),
        ("attach_target:nf_nat_ipv4", WARNING, "lts510 amd64", ""),
        ("map_type:ringbuf", ACCEPTED, "lts54", OLD.reason),
        ("helper:bpf_loop", ACCEPTED, "lts54", OLD.reason),
        ("map_type:ringbuf", ACCEPTED, "lts510 arm64", "r"),
    ]
    assert shown.unused == (2,)
    assert from_json(rules_to_json(Rules((OLD,), {"a": ("b",)}))) == Rules((OLD,), {"a": ("b",)})


def test_what_is_required() -> None:
    """There, a warning is an error, and nothing is accepted."""
    shown = look(OLD, required={"nat": ["lts510"], "exec": ["lts54"]})
    assert levels(shown)["nat attach_target:nf_nat_ipv4"] == ERROR
    assert levels(shown)["exec map_type:ringbuf"] == ERROR
    assert shown.unused == (0,)
    assert look(Allow("all"), required={}).is_ok


def test_table() -> None:
    """Architectures stand together where they are equal, kernels from the oldest to the newest."""
    shown = look(OLD)
    assert listing.table(shown.rows, shown.kernels, lambda words, _colour: words).splitlines() == [
        "PROGRAM    ARCHITECTURES  lts54    lts510       lts61  rhel     LOADS",
        "count      amd64 arm64    ok       ok           ok     ok       from 5.4 on, and on rhel",
        "exec       amd64 arm64    (fails)  fails        ok     unknown  from 6.1 on; unknown: rhel",
        "nat        amd64          -        conditional  ok     -        from 5.10 on; on conditions: lts510",
        "nat        arm64          -        fails        ok     -        from 6.1 on",
        "nat@debug  amd64 arm64    -        -            ok     -        on lts61",
    ]
    assert listing.summary(shown.rows, shown.findings) == (
        "3 programs on 4 kernels: 14 ok, 1 conditional, 2 unknown, 5 fail; 3 errors, 2 warnings, 3 accepted"
    )


def test_colours_are_of_verdicts_alone() -> None:
    """A program that is called `ok` has no colour, and widths are those of the text."""
    shown = checked([verdict("ok/bpfel", "lts61", "amd64", LOOP)], KERNELS, Rules(), Selection())
    painted = listing.table(shown.rows, shown.kernels, lambda words, colour: f"<{colour}>{words}</>")
    assert painted.splitlines()[1] == "ok       amd64          <red>fails</>  nowhere"


def test_lines() -> None:
    """As compilers write them, kernels together; a few of each program unasked."""
    shown = look()
    assert text(shown)[:3] == [
        "build.toml:7:1: error: exec: there is no map type ringbuf before 5.8 (on lts54) [map_type:ringbuf]",
        f"bpf/exec.c:12:5: error: exec/on_exec: {LOOP.message} (on lts54, lts510) [helper:bpf_loop]",
        f"bpf/exec.c:30:9: error: exec/on_switch: {STATE.message} (on lts54, lts510) [core:task_struct.__state]",
    ]
    assert listing.short(shown.findings)[1] == "… and 1 more of exec: bpfgen check -v shows all"
    assert "    return BPF_CORE_READ(task, __state);" in text(shown, everything=True)
    assert text(shown, everything=True)[-2].startswith("bpf/exec.c:28:9: note: exec/on_switch: a guard leaves it out")


def test_functions_stand_together() -> None:
    """What a header's line asks for is said once for all functions that it is in."""
    found = [verdict("p/bpfel", "lts61", "amd64", LOOP, replace(LOOP, program="on_exit"))]
    (finding,) = checked(found, KERNELS, Rules(), ALL).findings
    assert listing.message(finding).startswith("p/on_exec, on_exit: there is no helper")


def test_places() -> None:
    """Compilers are given `./bpf/x.c`; columns that aren't known aren't shown."""
    line = Line("./bpf/../bpf/x.c", 3, 0, "x")
    (finding,) = checked(
        [verdict("p/bpfel", "lts61", "amd64", replace(LOOP, line=line))], KERNELS, Rules(), ALL
    ).findings
    assert str(finding.place) == "bpf/x.c:3"


def test_every_kernel() -> None:
    """Where it is all of them, they aren't listed."""
    found = [verdict("p/bpfel", kernel, "amd64", RINGBUF) for kernel in KERNELS]
    (finding,) = checked(found, KERNELS, Rules(), Selection()).findings
    assert listing.where(finding) == "every kernel"


@pytest.mark.parametrize(
    ("selection", "rows"),
    [
        (Selection(only=["arm64"]), ["count arm64", "exec arm64", "nat arm64", "nat@debug arm64"]),
        (Selection(skip=["arm64", "lts61"]), ["count amd64", "exec amd64", "nat amd64"]),
        (Selection(only=["*_bpfel"], skip=["*@debug"]), ["nat amd64", "nat arm64"]),
        (Selection(only=["nat"], kernels=["lts510"]), ["nat amd64", "nat arm64"]),
        (Selection(kernels=["lts9*"]), []),
    ],
)
def test_selection(selection: Selection, rows: list[str]) -> None:
    """It is of single kernels and architectures; nothing is said of unused tables then."""
    shown = look(Allow("never", kernel="lts61"), selection=selection)
    assert [f"{row.name} {' '.join(row.arches)}" for row in shown.rows] == rows
    assert not shown.unused


ORDER = {"a": "5.4", "b": "5.10", "c": "5.15", "d": "6.1", "x": None}


@pytest.mark.parametrize(
    ("letters", "said"),
    [
        ("oooo-", "from 5.4 on"),
        ("ooooo", "from 5.4 on, and on x"),
        ("oooof", "from 5.4 on, except x"),
        ("fooo-", "from 5.10 on"),
        ("fofo-", "from 5.10 on, except c"),
        ("fof--", "on b only"),
        ("oofo-", "from 5.4 on, except c"),
        ("ooff-", "on a, b only"),
        ("fffo-", "from 6.1 on"),
        ("fff-o", "on x only"),
        ("---o-", "on d"),
        ("f-c--", "from 5.15 on; on conditions: c"),
        ("ccc--", "from 5.4 on, on conditions"),
        ("uuoo-", "from 5.15 on; unknown: a, b"),
        ("ffff-", "nowhere"),
        ("ffuf-", "nowhere for sure"),
        ("uu---", "unknown"),
    ],
)
def test_loads(letters: str, said: str) -> None:
    """Where it loads, in words."""
    kinds = {"o": OK, "c": CONDITIONAL, "u": UNKNOWN, "f": FAILS}
    cells = [Cell(kinds[letter], NOTE) if letter in kinds else None for letter in letters]
    assert loads(cells, list(ORDER), ORDER) == said


def test_order_of_kernels() -> None:
    """By version, not by text; those without one last."""
    assert ordered(KERNELS) == ["lts54", "lts510", "lts61", "rhel"]


def test_json() -> None:
    """It says what the table and the lines say."""
    value = to_json(look(OLD))
    assert value["ok"] is False
    assert value["kernels"] == ["lts54", "lts510", "lts61", "rhel"]
    assert value["programs"][1]["kernels"]["lts54"] == {"verdict": FAILS, "level": ACCEPTED}
    assert value["findings"][0] == {
        "level": ERROR,
        "verdict": FAILS,
        "kind": "helper",
        "name": "bpf_loop",
        "message": LOOP.message,
        "program": "exec",
        "functions": ["on_exec"],
        "file": "bpf/exec.c",
        "line": 12,
        "column": 5,
        "text": LOOP.line.text if LOOP.line else "",
        "source": "upstream",
        "objects": ["exec/bpfel"],
        "accepted": "",
        "kernels": {"lts510": ["amd64", "arm64"]},
    }


@pytest.mark.parametrize(
    ("where", "message", "line"),
    [
        (Location("a.c", 3, 7), "m", "::error file=a.c,line=3,col=7,title=t::m"),
        (Location("a.c"), "m", "::error file=a.c,title=t::m"),
        (
            Location("a,b:c%.c", 1),
            "100 %, a::b\r\nc",
            "::error file=a%2Cb%3Ac%25.c,line=1,title=t::100 %25, a::b%0D%0Ac",
        ),
    ],
)
def test_github(where: Location, message: str, line: str) -> None:
    """Messages are escaped less than properties, as the toolkit of GitHub's actions does it."""
    assert github.command(ERROR, where, "t", message) == line
    assert github.command(NOTE, where, "t", message).startswith("::notice ")


def test_every_kind_is_explained() -> None:
    """The kinds that rules name, and those that `Reason` documents."""
    folder = Path(verdicts.__file__).parent
    sources = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.py")))
    named = set(re.findall(r'\.reason\(\s*\w+,\s*"(\w+)"', sources))
    documented = re.findall(r'kind: str\n    """(.*?)"""', sources, re.DOTALL)
    assert named
    assert named | set(re.findall(r"`(\w+)`", documented[0])) == set(KINDS)
