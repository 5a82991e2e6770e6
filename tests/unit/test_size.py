"""`bpfgen size` and `bpfgen diff`, by hand-made data and real objects."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from bpfgen.bpf.elf import read_object
from bpfgen.builddiff import Build, Change, changes
from bpfgen.cli import run
from bpfgen.outputs.report.sizes import SHOWN, sizes
from bpfgen.outputs.report.treemap import Rectangle, treemap

OBJECTS = Path(__file__).parent.parent / "data" / "objects"
NEEDS, SAMPLE = str(OBJECTS / "needs.bpfel.o"), str(OBJECTS / "sample.bpfel.o")


def entry(path: str = NEEDS, name: str = "needs/bpfel") -> dict[str, Any]:
    """A manifest's entry, with JSON's values."""
    info = dataclasses.asdict(read_object(Path(path).read_bytes(), path))
    value: dict[str, Any] = json.loads(json.dumps({"id": name, "program": "needs", "path": path, **info}))
    return value


def test_sizes_of_real_objects(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["size", "--json", "--cpus", "4", SAMPLE]) == 0
    (found,) = json.loads(capsys.readouterr().out)["objects"]
    programs = {each["name"]: each for each in found["programs"]}
    assert programs["classify"]["chain"] == ["classify", "add"]
    assert (programs["add"]["instructions"], programs["add"]["bytes"], programs["add"]["subprogram"]) == (10, 80, True)
    maps = {each["name"]: each["memory"] for each in found["maps"]}
    assert maps["counters"] == 2 * (8 + 4 * 8)
    assert run(["size", SAMPLE, NEEDS]) == 0
    text = capsys.readouterr().out
    assert "ring" in text
    assert text.splitlines()[-1].startswith("bpfgen: 2 objects: ")


def test_baseline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Written, compared, and too much growth is an error."""
    file = tmp_path / "sizes.json"
    words = ["size", "--baseline", str(file), NEEDS]
    assert run(words) == 3
    assert "--update  writes it" in capsys.readouterr().err
    assert run([*words, "--update"]) == 0
    assert run([*words, "--fail-over", "0"]) == 0
    capsys.readouterr()
    value = json.loads(file.read_text())
    value["objects"][0]["programs"][0]["instructions"] = 47
    value["objects"][0]["bytes"] += 1
    file.write_text(json.dumps(value))
    assert run([*words, "--fail-over", "5"]) == 0
    assert run([*words, "--fail-over", "4"]) == 1
    assert "grew too much: " + f"{NEEDS}/enter: instructions 47 → 49 (+4.3 %)" in capsys.readouterr().out
    assert run([*words, "--fail-over", "4", "-q"]) == 1
    assert run([*words, "--update"]) == 0
    assert run([*words, "--fail-over", "0"]) == 0


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "cpus": 1, "objects": [{}]}', "[" * 9999]
)
def test_damaged_baseline(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "b.json").write_text(text)
    assert run(["size", "--baseline", str(tmp_path / "b.json"), NEEDS]) == 3
    assert "this file is no baseline" in capsys.readouterr().err


def test_size_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.o").write_bytes(b"no")
    assert run(["size", str(tmp_path / "x.o"), NEEDS]) == 3
    assert run(["size", "--update", NEEDS]) == 2
    assert run(["size", "--cpus", "-1", NEEDS]) == 2
    err = capsys.readouterr().err
    assert "no sound BPF object" in err
    assert "name a file: --baseline FILE" in err


TOML = '[project]\nname = "x"\n\n[targets]\narches = ["amd64"]\n\n[program.needs]\nsource = "a.c"\nportable = true\n'


def test_size_of_the_last_build(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Objects are those of the manifest that `build.toml` still has, and `--only` leaves."""
    (tmp_path / "build.toml").write_text(TOML)
    (tmp_path / "a.c").touch()
    words = ["-C", str(tmp_path), "size"]
    assert run(words) == 1
    assert "nothing is built yet" in capsys.readouterr().err
    write(tmp_path / "out", [entry(), entry(name="gone/bpfel")])
    assert run([*words, "--json"]) == 0
    assert [each["object"] for each in json.loads(capsys.readouterr().out)["objects"]] == ["needs/bpfel"]
    assert run([*words, "--only", "other"]) == 3


def test_too_much_stack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is named; whether a kernel takes it, `bpfgen check` and kernels say."""
    data = Path(NEEDS).read_bytes()
    # `*(u8 *)(r10 - 0x10)`, signed, in `twice`: further down.
    low = bytes.fromhex("91a1f0ff00000000")
    assert data.count(low) == 1
    (tmp_path / "deep.o").write_bytes(data.replace(low, bytes.fromhex("91a100fe00000000")))
    assert run(["size", str(tmp_path / "deep.o")]) == 0
    out = capsys.readouterr().out
    assert "deep.o/enter: stack 544 is over 512" in out
    assert "/twice: stack" not in out


def build(*entries: dict[str, Any], **verdicts: str) -> Build:
    """One with verdicts of `needs/bpfel` on amd64, by kernel."""
    found = {("needs/bpfel", kernel, "amd64"): verdict for kernel, verdict in verdicts.items()}
    return Build({each["id"]: each for each in entries}, found)


def rows(before: Build, now: Build) -> list[tuple[str, str, str, str, Any, Any]]:
    """What changed, without the object."""
    return [(c.kind, c.name, c.change, c.what, c.before, c.now) for c in changes(before, now)]


def test_same() -> None:
    assert rows(build(entry(), old="ok"), build(entry(), old="ok")) == []


def test_changes_of_an_object() -> None:
    """Everything that can change in one."""
    old, new = entry(), entry()
    new["license"], new["size"], new["sha256"] = "MIT", old["size"] + 8, "other"
    new["programs"][0]["instructions"] += 3
    new["programs"][1]["section"] = "classifier"
    new["programs"][2]["name"] = "known"
    new["maps"][0]["max_entries"] = 9
    del new["maps"][1]
    assert rows(build(old), build(new)) == [
        ("object", "", "changed", "license", "GPL", "MIT"),
        ("object", "", "changed", "size", old["size"], old["size"] + 8),
        ("program", "enter", "changed", "instructions", 49, 52),
        ("program", "classify", "changed", "section", "tc", "classifier"),
        ("program", "unknown", "removed", "", None, None),
        ("program", "known", "added", "", None, None),
        ("map", "outer", "changed", "max_entries", 4, 9),
        ("map", "bloom", "removed", "", None, None),
    ]


def test_other_bytes_are_a_change() -> None:
    """Exit code 0 says the same: so bytes that differ in nothing else are named."""
    new = {**entry(), "sha256": "other"}
    assert [row[3] for row in rows(build(entry()), build(new))] == ["contents"]


def test_two_functions_of_one_name() -> None:
    old, new = entry(), entry()
    twin = {**old["subprograms"][0], "instructions": 5}
    old["subprograms"].append(twin)
    new["subprograms"].append({**twin, "instructions": 6})
    assert rows(build(old), build(new)) == [("function", "twice", "changed", "instructions", 5, 6)]


def test_objects_and_kernels() -> None:
    """What isn't there any more is said once, and a kernel that isn't asked any more is none that stops."""
    now = build(entry(name="new/bpfel"))
    found = list(changes(build(entry(), lts="ok"), now))
    assert found == [Change("needs/bpfel", "object", "", "removed"), Change("new/bpfel", "object", "", "added")]
    before = build(entry(), a="ok", b="fails", c="conditional", d="ok", e="ok")
    after = build(entry(), a="fails", b="conditional", c="ok", d="ok", f="ok")
    found = list(changes(before, after))
    assert [(c.name, c.change, c.stops, c.starts) for c in found] == [
        ("a amd64", "changed", True, False),
        ("b amd64", "changed", False, True),
        ("c amd64", "changed", False, False),
        ("e amd64", "removed", False, False),
        ("f amd64", "added", False, False),
    ]
    assert next(iter(changes(Build(None, before.verdicts), build(entry(), a="fails")))).stops


def write(folder: Path, entries: list[Any], **verdicts: str) -> Path:
    """A folder as a build leaves it."""
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps({"objects": entries}))
    found = [{"object": "needs/bpfel", "kernel": k, "arch": "amd64", "verdict": v} for k, v in verdicts.items()]
    if verdicts:
        (folder / "verdicts.json").write_text(json.dumps({"verdicts": found}))
    return folder


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Text, JSON and exit codes, of folders and of files."""
    changed = copy.deepcopy(entry())
    changed["programs"][0]["instructions"] += 3
    one = write(tmp_path / "one", [entry()], lts54="ok")
    two = write(tmp_path / "two", [changed], lts54="fails")
    assert run(["diff", str(one), str(one)]) == 0
    assert capsys.readouterr().out == "bpfgen: the same\n"
    assert run(["diff", str(one), str(two)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "needs/bpfel",
        "  program enter: instructions 49 → 52 (+3)",
        "  kernel lts54 amd64 no longer loads it: ok → fails",
        "bpfgen: 2 changes in 1 object; 1 no longer load, 0 newly load",
    ]
    assert run(["diff", "--json", str(one / "verdicts.json"), str(two / "verdicts.json")]) == 1
    value = json.loads(capsys.readouterr().out)
    assert (value["same"], [c["stops"] for c in value["changes"]]) == (False, [True])
    assert run(["diff", "-q", str(one / "manifest.json"), str(two)]) == 1
    assert capsys.readouterr().out == ""
    assert run(["diff", NEEDS, NEEDS]) == 0
    assert run(["diff", str(OBJECTS), str(OBJECTS)]) == 0


def test_trouble(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both are looked at, and it is 2 whatever is wrong."""
    one = write(tmp_path / "one", [{"id": "x"}])
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.o").write_bytes(b"\x7fELF")
    assert run(["diff", str(one), str(tmp_path / "nothing")]) == 2
    err = capsys.readouterr().err
    assert "or a damaged one" in err
    assert "No such file" in err
    for name in ("empty", "bad.o"):
        assert run(["diff", NEEDS, str(tmp_path / name)]) == 2
    verdicts = write(tmp_path / "two", [], a="ok") / "verdicts.json"
    assert run(["diff", NEEDS, str(verdicts)]) == 2
    assert "one says only what objects have" in capsys.readouterr().err


@pytest.mark.parametrize("numbers", [[1], [6, 6, 4, 3, 2, 2, 1], [1000, 1], [5] * 50, []])
def test_treemap_fills_the_whole(numbers: list[int]) -> None:
    """Areas are the numbers, and all of them together are the whole."""
    whole = Rectangle(0, 0, 960, 320)
    found = list(treemap(numbers, whole))
    total = sum(numbers)
    for number, place in zip(numbers, found):
        assert place.width * place.height == pytest.approx(960 * 320 * number / total)
        assert -1e-6 <= place.x <= place.x + place.width <= 960 + 1e-6
        assert -1e-6 <= place.y <= place.y + place.height <= 320 + 1e-6
    assert len(found) == len(numbers)
    if numbers == [6, 6, 4, 3, 2, 2, 1]:
        assert max(max(p.width / p.height, p.height / p.width) for p in found) < 3


def test_many_programs_in_the_picture() -> None:
    """The small ones are one frame; the table has them all. A program without instructions has no frame."""
    objects = {f"p{index}": [entry()] for index in range(SHOWN + 5)}
    empty = {**entry(), "programs": [], "subprograms": []}
    found = sizes({**objects, "empty": [empty], "none": []})
    assert len(found.tiles) == SHOWN
    assert found.tiles[0].name == "6 others"
    assert len(found.rows) == SHOWN + 6
    assert found.rows[0].memory.endswith("+")
