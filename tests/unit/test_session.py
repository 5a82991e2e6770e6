"""The session and its client, with a local shell in the place of a container."""

from __future__ import annotations

import dataclasses
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bpfgen.builders.settings import FILE, LOG, Settings, parse, render
from bpfgen.cc.job import Job
from bpfgen.cc.session import LOST, SessionRun, ask, wake

SOCKET = "session.sock"
SETTINGS = Settings("shell", "", "sha256:1", "/", ("/",), (), "", "out/sysroot/1")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a session's settings; sessions of it are ended afterwards."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "n").mkdir()
    (tmp_path / "n" / FILE).write_text(render(SETTINGS))
    yield tmp_path
    for process in sessions(tmp_path):
        os.kill(process, signal.SIGKILL)


def sessions(folder: Path) -> list[int]:
    """Sessions that run in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if b"bpfgen.builders.session" in (entry / "cmdline").read_bytes() and (entry / "cwd").resolve() == folder:
                found.append(int(entry.name))
        except (OSError, ValueError):
            continue
    return found


def run(*words: str) -> SessionRun:
    return SessionRun(f"n/{SOCKET}", list(words))


def wait_for(path: Path) -> None:
    """Until a file is there."""
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline


def test_woken_ahead(place: Path) -> None:
    """What a command runs in is started without one, and is the one that it then runs in."""
    wake(f"n/{SOCKET}")
    log = place / "n" / LOG
    deadline = time.monotonic() + 20
    while not log.exists() or "the builder runs" not in log.read_text():
        assert time.monotonic() < deadline
    found = ask(f"n/{SOCKET}", "status")
    assert found
    assert found["commands"] == found["active"] == 0
    assert run("true").end() == (0, b"")
    assert log.read_text().count("the builder runs") == 1


def test_settings_are_read_back() -> None:
    assert parse(render(SETTINGS)) == SETTINGS
    for text in ("", "[]", "{}", '{"kind": "docker"}'):
        with pytest.raises(ValueError, match=r"."):
            parse(text)


def test_status_output_and_messages(place: Path) -> None:
    one = run("sh", "-c", "echo 'it''s'; echo said >&2; exit 3")
    two = run("printf", "%s|", "a  b", "$HOME", "`id`", "'\"\\")
    assert one.end() == (3, b"said\n")
    assert one.output == b"its\n"
    assert two.end() == (0, b"")
    assert two.output == b"a  b|$HOME|`id`|'\"\\|"
    assert run("no-such-command").end()[0] == 127
    assert not list(place.glob("n/session.*.out"))


def test_many_at_once_have_one_session(place: Path) -> None:
    """Also where many start it at the same time."""
    children = []
    for number in range(8):
        child = os.fork()
        if child == 0:
            os._exit(run("sh", "-c", f"exit {number}").end()[0])
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == list(range(8))
    assert len(sessions(place)) == 1


def test_stopping_ends_the_command(place: Path) -> None:
    running = run("sh", "-c", f"echo $$ > {place}/pid; exec sleep 100")
    wait_for(place / "pid")
    running.stop()
    assert not running.running
    assert not (Path("/proc") / (place / "pid").read_text().strip()).exists()


def test_killed_session_is_started_again(place: Path) -> None:
    running = run("sh", "-c", f"if [ -e {place}/again ]; then exit 5; fi; touch {place}/again; exec sleep 100")
    wait_for(place / "again")
    (killed,) = sessions(place)
    os.kill(killed, signal.SIGKILL)
    assert running.end() == (5, b"")
    assert sessions(place) != [killed]


def test_killed_session_that_listens_yet(place: Path) -> None:
    """Its end of the command's connection may be closed before the socket that it listens at."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"n/{SOCKET}")
    listener.listen()

    def die() -> None:
        connection, _ = listener.accept()
        connection.recv(1 << 16)
        connection.close()
        select.select([listener], [], [])  # the command is asked for again
        listener.close()

    thread = threading.Thread(target=die)
    thread.start()
    assert run("sh", "-c", "exit 5").end() == (5, b"")
    thread.join()


def test_session_that_dies_twice_is_an_error(place: Path) -> None:
    """A command that kills the session of its folder, and nothing else."""
    ours = f"[ $(readlink $p/cwd) = {place} ] && grep -aq 'builders.sess[i]on' $p/cmdline"
    script = f"for p in /proc/[0-9]*; do if {ours}; then kill -9 ${{p#/proc/}}; fi; done; sleep 100"
    assert run("sh", "-c", script).end() == (1, LOST)


def test_new_settings_are_another_shell(place: Path) -> None:
    first = run("sh", "-c", "cut -d' ' -f5 /proc/$PPID/stat")
    first.end()
    (place / "n" / FILE).write_text(render(dataclasses.replace(SETTINGS, image="sha256:2")))
    second = run("sh", "-c", "cut -d' ' -f5 /proc/$PPID/stat")
    second.end()
    assert first.output != second.output
    assert len(sessions(place)) == 1


def test_commands_with_new_settings_wait_for_old_ones(place: Path) -> None:
    """Until settings are the old ones again, or the old commands have ended."""
    old = run("sh", "-c", f"touch {place}/runs; until [ -e {place}/end ]; do :; done; cut -d' ' -f5 /proc/$PPID/stat")
    wait_for(place / "runs")
    (place / "n" / FILE).write_text(render(dataclasses.replace(SETTINGS, image="sha256:2")))
    new = run("sh", "-c", f"touch {place}/new; cut -d' ' -f5 /proc/$PPID/stat")
    (place / "end").touch()
    assert [old.end()[0], new.end()[0]] == [0, 0]
    assert old.output != new.output


def test_old_settings_again(place: Path) -> None:
    old = run("sh", "-c", f"touch {place}/runs; until [ -e {place}/end ]; do :; done")
    wait_for(place / "runs")
    (place / "n" / FILE).write_text(render(dataclasses.replace(SETTINGS, image="sha256:2")))
    waiting = run("touch", f"{place}/end")
    (place / "n" / FILE).write_text(render(SETTINGS))
    last = run("touch", f"{place}/end")
    assert [running.end()[0] for running in (last, waiting, old)] == [0, 0, 0]


def test_killed_session_leaves_nothing(place: Path) -> None:
    running = run("sh", "-c", f"touch {place}/runs; exec sleep 100")
    wait_for(place / "runs")
    assert list(place.glob("n/session.[0-9]*"))
    (killed,) = sessions(place)
    os.kill(killed, signal.SIGKILL)
    running.stop()
    run("true").end()
    assert not list(place.glob("n/session.[0-9]*"))


def test_what_is_wrong_is_said(place: Path) -> None:
    (place / "n" / FILE).write_text("{}")
    status, messages = run("true").end()
    assert status == 1
    assert messages.startswith(b"bpfgen: error: ")


def test_paths_of_an_image() -> None:
    """Files that are shared keep their paths; others are below the sysroot."""
    options = ["-o", "out", "-r", "s", "-s", "out/sysroot/1", "-k", "/home/me"]
    job = Job([*options, "--", "clang", "-o", "out/a"])
    paths = ["bpf/a.c", "/home/me/a.h", "/home/me2/a.h", "/usr/include/a.h"]
    here = ["bpf/a.c", "/home/me/a.h", "out/sysroot/1/home/me2/a.h", "out/sysroot/1/usr/include/a.h"]
    assert [job.local(path) for path in paths] == here
    assert Job(["-o", "out", "--", "clang", "-o", "out/a"]).local("/usr/include/a.h") == "/usr/include/a.h"
