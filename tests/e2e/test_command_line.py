"""The command line: options, exit codes, help and completion."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from project import Project

from bpfgen.cli import COMMANDS

CONFIG = '[targets]\narches = ["amd64", "s390x"]\n[program."*"]\nsource = "bpf/*.c"\n'


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Two programs for two architectures; nothing is generated."""
    made = Project(tmp_path / "p")
    made.program("one")
    made.program("two")
    made.config(CONFIG)
    return made


def test_says_in_one_line_what_changed(project: Project) -> None:
    assert project.bpfgen().stdout == "bpfgen: wrote build.ninja: 4 objects of 2 programs\n"
    assert project.bpfgen().stdout == ""
    project.program("three")
    assert project.bpfgen().stdout == "bpfgen: wrote build.ninja: 6 objects of 3 programs (2 new)\n"
    project.remove("bpf/one.c")
    assert project.bpfgen("-q").stdout == ""


def test_verbose(project: Project) -> None:
    assert "  + one/x86_bpfel\n" in project.bpfgen("-v").stdout
    assert "up to date" in project.bpfgen("-v").stdout


def test_dry_run_writes_nothing(project: Project) -> None:
    before = sorted(project.root.rglob("*"))
    assert "would write" in project.bpfgen("--dry-run").stdout
    assert sorted(project.root.rglob("*")) == before
    project.bpfgen()
    before = sorted(project.root.rglob("*"))
    assert "would remove" in project.bpfgen("clean", "-n").stdout
    assert sorted(project.root.rglob("*")) == before


@pytest.mark.parametrize(
    "words", [["-C", "p"], ["-f", "p/build.toml"], ["-C", "p", "-f", "build.toml"], ["generate", "-Cp"]]
)
def test_directory_and_file(project: Project, words: list[str]) -> None:
    project.bpfgen(*words, cwd=project.root.parent)
    assert (project.root / "build.ninja").exists()
    assert not (project.root.parent / "build.ninja").exists()


@pytest.mark.parametrize(
    ("words", "programs"),
    [
        (["--only", "one"], {"one/x86_bpfel", "one/s390_bpfeb"}),
        (["--only", "t*", "--skip", "s390x"], {"two/x86_bpfel"}),
        (["--skip", "*/x86_bpfel"], {"one/s390_bpfeb", "two/s390_bpfeb"}),
    ],
)
def test_selection(project: Project, words: list[str], programs: set[str]) -> None:
    project.bpfgen(*words)
    entries = json.loads((project.root / "out/.bpfgen/plan.json").read_text(encoding="utf-8"))["objects"]
    assert {entry["id"] for entry in entries} == programs


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--oops"], 2),
        (["oops"], 2),
        (["-C", "nowhere"], 3),
        (["-f", "a|b.toml"], 3),
        (["-f", "."], 3),
        (["--only", "nothing"], 3),
        (["inspect", "build.toml"], 3),
        (["inspect", "nothing.o"], 1),
        (["explain", "nothing"], 3),
        (["--help"], 0),
        (["--version"], 0),
    ],
)
def test_exit_codes(project: Project, words: list[str], code: int) -> None:
    done = project.bpfgen(*words, code=code)
    assert (": error: " in done.stderr) is (code != 0)


def test_help_names_every_command() -> None:
    done = subprocess.run([sys.executable, "-m", "bpfgen", "--help"], capture_output=True, text=True, check=True)
    assert not [name for name in COMMANDS if f"  {name} " not in done.stdout]
    assert "exit codes:" in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_has_examples(name: str) -> None:
    done = subprocess.run([sys.executable, "-m", "bpfgen", name, "--help"], capture_output=True, text=True, check=True)
    assert f"bpfgen {name}" in done.stdout
    assert "examples:" in done.stdout


@pytest.mark.real
@pytest.mark.parametrize(
    ("words", "expected"), [("mat", "matrix"), ("--dry", "--dry-run"), ("clean --out", "--outputs")]
)
def test_bash_completes(project: Project, words: str, expected: str) -> None:
    assert shutil.which("bash")
    project.write("script", project.bpfgen("completion", "bash").stdout)
    parts = ["bpfgen", *words.split()]
    script = f"""
    source ./script
    COMP_WORDS=({" ".join(parts)}) COMP_CWORD={len(parts) - 1} COMP_LINE="{" ".join(parts)}"
    $(complete -p bpfgen | sed 's/.*-F \\([^ ]*\\) .*/\\1/') bpfgen {parts[-1]} {parts[-2]}
    printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    assert expected in project.run(["bash", "-c", script]).stdout.split()
