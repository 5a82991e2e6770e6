"""`verdicts.json`: the step, what it takes over, and what it says of damage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bpfgen.bpf.object import BpfObject
from bpfgen.errors import EXIT_INPUT, EXIT_OK, Failure
from bpfgen.outputs import verdicts
from bpfgen.parallel import in_parts
from bpfgen.verdicts import judge as judging
from bpfgen.verdicts.model import Reason, from_json
from bpfgen.verdicts.subject import Subject
from bpfgen.verdicts.target import Target

OBJECTS = Path(__file__).parents[1] / "data" / "objects"
NAMES = ("needs", "sample", "debug", "legacy")


def kernel(name: str, upstream: str, **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": name,
        "arch": "amd64",
        "upstream": upstream,
        "assume": [],
        "btf": None,
        "profile": None,
        "min_btf": False,
    }
    return {**row, **more}


def entry(name: str) -> dict[str, Any]:
    path = f"{name}.o"
    return {"id": f"{name}/bpfel", "program": name, "path": path, "kernels": ["old", "new"], "arches": ["amd64"]}


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A project with four objects and two kernels, in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        Path(f"{name}.o").write_bytes((OBJECTS / f"{name}.bpfel.o").read_bytes())
    part = {"path": "v.json", "loader": "libbpf", "loads": {}, "kernels": [kernel("old", "5.4"), kernel("new", "6.12")]}
    head = {"bpfgen": "1", "project": "p", "toolchain": {}}
    return {**head, "objects": [entry(name) for name in NAMES], "verdicts": part}


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kernels that an object was judged for, in order."""
    found: list[str] = []
    true = judging.judge

    def noted(subject: Subject, target: Target) -> tuple[Reason, ...]:
        found.append(target.known.name)
        return true(subject, target)

    monkeypatch.setattr(judging, "judge", noted)
    return found


def written() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(Path("v.json").read_text(encoding="utf-8"))
    return value


def test_every_object_on_every_kernel(plan: dict[str, Any]) -> None:
    verdicts.write(plan, "v.json")
    value = written()
    found = {(each.program, each.kernel): each.verdict for each in map(from_json, value["verdicts"])}
    assert len(found) == len(value["verdicts"]) == 8
    assert (found["needs", "old"], found["debug", "old"]) == ("fails", "ok")
    assert [(row["name"], row["versions"]) for row in value["kernels"]] == [
        ("old", "from 5.4, before 5.5"),
        ("new", "from 6.12, before 6.13"),
    ]


def test_only_what_changed_is_judged(plan: dict[str, Any], judged: list[str]) -> None:
    verdicts.write(plan, "v.json")
    assert judged == ["old", "new"] * 4
    before = Path("v.json").read_bytes()
    judged.clear()
    verdicts.write(plan, "v.json")
    assert (judged, Path("v.json").read_bytes()) == ([], before)
    Path("debug.o").write_bytes(Path("sample.o").read_bytes())
    verdicts.write(plan, "v.json")
    assert judged == []  # these bytes have been judged
    plan["verdicts"]["kernels"][0]["upstream"] = "5.8"
    verdicts.write(plan, "v.json")
    assert judged == ["old"] * 4
    judged.clear()
    plan["verdicts"]["loads"]["needs"] = {"attach": {}, "optional": ["nosuch"]}
    verdicts.write(plan, "v.json")
    assert judged == ["old", "new"]
    judged.clear()
    plan["verdicts"]["loader"] = "cilium"
    verdicts.write(plan, "v.json")
    assert judged == ["old", "new"] * 4


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"format": 1}', "\x00", '"verdict": "fine"'])
def test_a_damaged_file_is_forgotten(plan: dict[str, Any], damage: str) -> None:
    verdicts.write(plan, "v.json")
    before = Path("v.json").read_text(encoding="utf-8")
    text = before.replace('"verdict": "fails"', damage) if damage.startswith('"') else damage
    Path("v.json").write_text(text, encoding="utf-8")
    verdicts.write(plan, "v.json")
    assert Path("v.json").read_text(encoding="utf-8") == before


def test_all_that_is_damaged_is_named(plan: dict[str, Any]) -> None:
    Path("needs.o").write_bytes(b"int main(void)")
    Path("debug.o").write_bytes(Path("debug.o").read_bytes()[:-1])
    with pytest.raises(Failure) as failure:
        verdicts.write(plan, "v.json")
    assert [str(each.where) for each in failure.value.problems] == ["debug.o", "needs.o"]
    assert not Path("v.json").exists()


@pytest.mark.parametrize(("key", "data"), [("btf", b"\x9f\xeb\x01"), ("profile", b"{}")])
def test_a_damaged_kernel(plan: dict[str, Any], key: str, data: bytes) -> None:
    Path("k").write_bytes(data)
    plan["verdicts"]["kernels"][1][key] = "k"
    Path("plan.json").write_text(json.dumps(plan), encoding="utf-8")
    done = step("plan.json")
    assert (done.returncode, done.stderr[:10]) == (EXIT_INPUT, "k: error: ")
    assert not Path("v.json").exists()


def test_the_step(plan: dict[str, Any]) -> None:
    """Objects for several processes, in the order of the plan."""
    plan["objects"] = [entry(name) for name in NAMES * 5]
    for index, each in enumerate(plan["objects"]):
        each["id"] += f"-{index:02}"
        each["path"] = f"{each['program']}-{index}.o"
        Path(each["path"]).write_bytes(Path(f"{each['program']}.o").read_bytes() + bytes(index))
    Path("plan.json").write_text(json.dumps(plan), encoding="utf-8")
    done = step("plan.json")
    assert (done.returncode, done.stdout, done.stderr) == (EXIT_OK, "", "")
    assert [each["object"] for each in written()["verdicts"][::2]] == [each["id"] for each in plan["objects"]]


def step(plan: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bpfgen.steps", "verdicts", plan, "v.json"]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_parts() -> None:
    """Whatever the number of processors, each thing gets its own result; errors come through."""
    things = list(range(23))
    assert in_parts(lambda part: [each * each for each in part], things, 1) == [each * each for each in things]
    assert in_parts(lambda part: [os.getpid() for _ in part], things, 24) == [os.getpid()] * 23
    with pytest.raises(Failure):
        in_parts(_failing, things, 1)


def _failing(_part: object) -> list[int]:
    raise Failure([])


def test_two_byte_orders_say_the_same(plan: dict[str, Any]) -> None:
    """But for what is in the files."""
    plan["objects"] = [entry("needs")]
    verdicts.write(plan, "v.json")
    before = written()["verdicts"]
    data = (OBJECTS / "needs.bpfeb.o").read_bytes()
    assert not BpfObject(data).elf.little
    Path("needs.o").write_bytes(data)
    verdicts.write(plan, "v.json")
    assert written()["verdicts"] == before
