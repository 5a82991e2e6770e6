"""`bpfgen stats` after real builds."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from project import NINJA, Project

pytestmark = pytest.mark.real

CONFIG = """
[targets]
arches = ["amd64", "s390x"]
[program."*"]
source = "bpf/*.c"
portable = true
[go]
"""
NINJAS = [path for path in (NINJA, "/usr/bin/ninja") if os.path.exists(path)]


@pytest.fixture(params=NINJAS)
def built(tmp_path: Path, request: pytest.FixtureRequest) -> Project:
    """Two programs, built once by each ninja there is: their logs are of different versions."""
    project = Project(tmp_path / "p", ninja=request.param)
    project.program("one")
    project.program("two")
    project.config(CONFIG)
    project.make()
    return project


def stats(project: Project, *words: str) -> Any:
    """What `bpfgen stats --format json` says."""
    return json.loads(project.bpfgen("stats", "--format", "json", *words).stdout)


def edges(project: Project) -> dict[str, str]:
    """Output → rule without its number, of everything that is built by default; read from Ninja itself."""
    queries = project.ninja("-t", "targets", "all").splitlines()
    rules = dict(line.rsplit(": ", 1) for line in queries)
    built = (name for name in rules if name.startswith("out/") and ".bpfgen" not in name)
    return {name: rules[name].partition(".")[0] for name in built}


def outputs(found: Any) -> set[str]:
    """Every output of the listed edges."""
    return {name for edge in found["slowest"] for name in edge["outputs"]}


def test_full_build(built: Project) -> None:
    found, rules = stats(built, "--top", "1000"), edges(built)
    assert outputs(found) == set(rules)
    assert {name: edge["stage"] for edge in found["slowest"] for name in edge["outputs"]} == rules
    build, stages = found["build"], found["stages"]
    assert build["edges"] == len(found["slowest"]) == sum(row["edges"] for row in stages)
    assert build["work_ms"] == sum(edge["ms"] for edge in found["slowest"]) == sum(row["total_ms"] for row in stages)
    assert build["wall_ms"] == max(edge["start_ms"] + edge["ms"] for edge in found["slowest"])
    assert build["parallelism"] == round(build["work_ms"] / build["wall_ms"], 2)
    assert sum(row["share"] for row in stages) == pytest.approx(1, abs=0.01)
    assert {row["stage"] for row in stages} == set(rules.values())
    times = [edge["ms"] for edge in found["slowest"]]
    assert times == sorted(times, reverse=True)


def test_only_the_last_build(built: Project) -> None:
    whole = outputs(stats(built, "--top", "1000"))
    built.program("two", "int more;\n")
    built.ninja()
    last = outputs(stats(built, "--top", "1000"))
    assert {name for name in last if "/one/" in name} == set()
    assert {"out/obj/two/bpfel.bpf.o", "out/manifest.json"} <= last
    assert outputs(stats(built, "--all", "--top", "1000")) >= whole
    built.ninja()  # has nothing to do, and so is no build
    assert outputs(stats(built, "--top", "1000")) == last


def test_a_longer_build_after_a_short_one(tmp_path: Path) -> None:
    """The second build's first edge ends later than the whole first build, and makes other files: the times that ninja
    1.12 and later log tell the two apart.
    """
    project = Project(tmp_path)
    project.program("one")
    project.program("two", "".join(f"int f{i}(int a) {{ return a * {i}; }}\n" for i in range(2000)))
    project.config(CONFIG.replace("[go]", ""))
    project.bpfgen()
    for name in ("one", "two"):
        project.ninja(f"out/obj/{name}/bpfel.bpf.o")
        assert outputs(stats(project)) == {f"out/obj/{name}/bpfel.bpf.o"}


def test_the_ninja_file_is_a_build_of_its_own(built: Project) -> None:
    built.program("three")
    assert "bpfgen: wrote build.ninja" in built.ninja()
    last = outputs(stats(built, "--top", "1000"))
    assert "out/obj/three/bpfel.bpf.o" in last
    assert not [name for name in last if "/one/" in name or name == "build.ninja"]
    assert "build.ninja" in outputs(stats(built, "--all", "--top", "1000"))


def test_failed_edges_are_in_no_log(built: Project) -> None:
    built.write("bpf/two.c", "#error no\n")
    built.program("one", "int more;\n")
    built.ninja("-k0", code=1)
    last = outputs(stats(built, "--top", "1000"))
    assert "out/obj/one/bpfel.bpf.o" in last
    assert not {name for name in last if "/two/" in name}


def test_table(built: Project) -> None:
    text = built.bpfgen("stats", "--top", "2").stdout
    first, empty, head, *rest = text.splitlines()
    assert re.fullmatch(r"last build: \d+\.\d\d s, \d+ edges, \d+\.\d\d s of work, \d+\.\d at a time", first)
    assert (empty, head.split()) == ("", ["STAGE", "EDGES", "TOTAL", "SHARE", "MEDIAN", "SLOWEST"])
    assert {line.split()[0] for line in rest[: rest.index("")]} == set(edges(built).values())
    assert len(rest[rest.index("") + 1 :]) == 1 + 2
    assert "\x1b[1m" in built.bpfgen("stats", "--color", "always").stdout
    assert "newest run of every edge" in built.bpfgen("stats", "--all").stdout


def test_trace(built: Project) -> None:
    root = built.root.parent
    said = built.bpfgen("-C", "p", "stats", "--trace", "t.json", cwd=root).stdout
    assert said.startswith("bpfgen: wrote t.json\nlast build: ")
    written = (built.root / "t.json").read_text(encoding="utf-8")
    found = stats(built, "--top", "1000")
    events = json.loads(written)["traceEvents"]
    assert {(e["ph"], e["pid"]) for e in events} == {("X", 1)}
    assert {name for e in events for name in e["args"]["outputs"]} == outputs(found)
    assert sum(e["dur"] for e in events) == found["build"]["work_ms"] * 1000
    assert built.bpfgen("stats", "--trace", "-").stdout == written
    assert not built.bpfgen("stats", "--trace", "t.json").stdout.startswith("bpfgen: ")
    assert "would write" in built.bpfgen("stats", "-n", "--trace", "u.json").stdout
    assert not (built.root / "u.json").exists()
    assert built.bpfgen("-q", "stats", "--trace", "u.json").stdout.startswith("last build: ")


def test_nothing_was_built(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.program("one")
    project.config(CONFIG)
    said = project.bpfgen("stats", code=1).stderr
    assert said == "build.ninja: error: there is no Ninja file of bpfgen's here\n  hint: run bpfgen and ninja first\n"
    project.bpfgen()
    said = project.bpfgen("stats", code=1).stderr
    assert said == "out/.ninja_log: error: nothing was built yet\n  hint: run ninja first\n"
    project.write("out/.ninja_log", "# ninja log v99\n")
    assert "out/.ninja_log:1:1: error: " in project.bpfgen("stats", code=1).stderr


def test_damaged_log(built: Project) -> None:
    with open(built.root / "out/.ninja_log", "ab") as file:
        file.write(b"\xff\xfe\n12\t3")
    found = stats(built)
    assert found["build"]["skipped_rows"] == 2
    assert "2 damaged lines of Ninja's log left out" in built.bpfgen("stats").stdout


@pytest.mark.parametrize("words", [["--top", "-1"], ["--top", "x"], ["--all", "--trace", "-"]])
def test_wrong_command_line(tmp_path: Path, words: list[str]) -> None:
    Project(tmp_path).bpfgen("stats", *words, code=2)


def test_plain_bpfgen_imports_none_of_it(built: Project) -> None:
    script = "import sys; from bpfgen.cli import run; run([]); print(*sys.modules)"
    loaded = built.run([sys.executable, "-c", script]).stdout.split()
    assert "bpfgen.commands.generate" in loaded
    assert not {"bpfgen.ninjalog", "bpfgen.trace", "bpfgen.commands.stats", "statistics"} & set(loaded)
