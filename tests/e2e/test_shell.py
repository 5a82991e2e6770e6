"""`bpfgen run`, `shell` and `builder` where clang runs on this host; tests/real has them with engines."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest
from project import BPFGEN, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "a b'c")
    made.program("one")
    made.config('[program."*"]\nsource = "bpf/*.c"\n')
    return made


def test_run(project: Project) -> None:
    """In the project's folder, wherever one is; words stay words."""
    (project.root / "bpf" / "deep").mkdir()
    said = project.bpfgen(
        "-C", str(project.root), "run", "--", "printf", "%s|", "a b", "$x", "--flag", cwd=project.root
    )
    assert said.stdout == "a b|$x|--flag|"
    assert project.bpfgen("run", "pwd").stdout.strip() == str(project.root)
    assert project.bpfgen("run", "--", "sh", "-c", "exit 7", code=7)
    assert "no command is given" in project.bpfgen("run", code=2).stderr
    assert "no-such-command: No such file" in project.bpfgen("run", "no-such-command", code=127).stderr
    assert "bpf: Permission denied" in project.bpfgen("run", "./bpf", code=126).stderr
    assert project.bpfgen("run", "--dry-run", "--", "rm", "a b").stdout == "rm 'a b'\n"
    assert project.bpfgen("run", "sh", "-c", "echo $BPFGEN_PLACE").stdout == "test, native\n"


def test_shell(project: Project) -> None:
    """On a terminal: the prompt says where one is, and what is typed is kept."""
    ours, theirs = pty.openpty()
    shell = subprocess.Popen((*BPFGEN, "shell"), cwd=project.root, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, b"echo $((40 + 2)) > answer\nexit 5\n")
    assert shell.wait(30) == 5
    said = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "(bpfgen test, native)" in said
    assert (project.root / "answer").read_text() == "42\n"
    assert "echo $((40 + 2))" in (project.root / "out/.bpfgen/history").read_text()
    project.bpfgen()
    project.bpfgen("clean")
    assert not (project.root / "out").exists()


def test_builder(project: Project) -> None:
    project.bpfgen()
    assert "on this host" in project.bpfgen("builder", "status").stdout
    assert json.loads(project.bpfgen("builder", "status", "--json").stdout) == {"kind": "native", "running": False}
    for action in ("start", "stop", "logs"):
        assert "there is no session" in project.bpfgen("builder", action, code=1).stdout
    assert "invalid choice" in project.bpfgen("builder", "restart", code=2).stderr
