"""`bpfgen builder`, with a local shell in the place of a container."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bpfgen.builders.settings import FILE, LOG, SOCKET, Settings, render
from bpfgen.cc.session import SessionRun, ask
from bpfgen.cli import run

NOTES = Path("out/.bpfgen")
PATH = f"{NOTES}/{SOCKET}"
STOPPED = b"bpfgen: error: the builder's session was stopped\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project whose last `bpfgen` chose the local shell; its session is stopped afterwards."""
    monkeypatch.chdir(tmp_path)
    NOTES.mkdir(parents=True)
    (NOTES / FILE).write_text(render(Settings("shell", "", "sha256:1", "/", ("/",), (), "", "out/sysroot/1")))
    yield tmp_path
    ask(PATH, "stop")


def status(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    capsys.readouterr()
    assert run(["builder", "status", "--json"]) == 0
    facts: dict[str, object] = json.loads(capsys.readouterr().out)
    return facts


def test_start_status_stop(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(capsys) == {"kind": "shell", "running": False, "engine": "", "image": "sha256:1"}
    assert run(["builder", "start"]) == 0
    assert capsys.readouterr().out == "bpfgen: the session runs\n"
    facts = status(capsys)
    assert facts["running"]
    assert (facts["commands"], facts["active"], facts["container"]) == (1, 0, "")
    process = Path("/proc") / str(facts["pid"])
    assert b"bpfgen.builders.session" in (process / "cmdline").read_bytes()
    assert run(["builder", "status"]) == 0
    assert f"runs as process {facts['pid']}" in capsys.readouterr().out
    assert run(["builder", "stop"]) == 0
    assert not Path(PATH).exists()
    assert run(["builder", "stop"]) == 0
    assert capsys.readouterr().out == "bpfgen: the session has ended\nbpfgen: no session runs\n"


def test_status_starts_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And what a session that was killed leaves is no session, whatever has its number now."""
    Path(PATH).touch()
    (NOTES / "session.json").write_text(json.dumps({"pid": os.getpid(), "started": 0}))
    assert status(capsys)["running"] is False
    assert run(["builder", "stop"]) == 0
    assert not (NOTES / LOG).exists()


def test_stop_fails_what_runs(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It isn't started again, and ends."""
    running = SessionRun(PATH, ["sh", "-c", f"echo $$ > {place}/pid; exec sleep 100"])
    deadline = time.monotonic() + 20
    while not (place / "pid").exists() or not (place / "pid").read_text():
        assert time.monotonic() < deadline
    assert status(capsys)["active"] == 1
    assert run(["builder", "stop"]) == 0
    assert running.end() == (1, STOPPED)
    assert status(capsys)["running"] is False


def test_start_that_fails(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (NOTES / FILE).write_text((NOTES / FILE).read_text().replace('"shell"', '"podman"').replace('""', '"/none"', 1))
    assert run(["builder", "start"]) == 1
    assert capsys.readouterr().err.startswith("bpfgen: error: /none: No such file")


def test_dry_run_and_quiet(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["builder", "start", "--dry-run"]) == 0
    assert capsys.readouterr().out == "bpfgen: would start the shell session\n"
    assert status(capsys)["running"] is False
    assert run(["builder", "start", "-q"]) == 0
    assert run(["builder", "stop", "-n"]) == 0
    assert status(capsys)["running"] is True
    assert run(["builder", "stop", "-q"]) == 0
    assert capsys.readouterr().out == ""


def test_logs(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["builder", "logs"]) == 1
    assert capsys.readouterr().out == "bpfgen: no session has run yet\n"
    (NOTES / LOG).write_text("one\ntwo\nthree\n")
    for more, said in (
        ([], "one\ntwo\nthree\n"),
        (["--lines", "1"], "three\n"),
        (["--lines", "9"], "one\ntwo\nthree\n"),
    ):
        assert run(["builder", "logs", *more]) == 0
        assert capsys.readouterr().out == said


def test_logs_are_followed(place: Path) -> None:
    (NOTES / LOG).write_text("one\n")
    words = (sys.executable, "-m", "bpfgen", "builder", "logs", "--follow")
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout is not None
        assert follower.stdout.readline() == "one\n"
        with (NOTES / LOG).open("a") as log:
            log.write("two\n")
        assert follower.stdout.readline() == "two\n"
        follower.terminate()
