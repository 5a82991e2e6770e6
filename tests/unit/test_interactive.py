"""`builders.interactive`: the engine's words for a person's command."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bpfgen.builders import Unavailable
from bpfgen.builders.interactive import FIRST, words
from bpfgen.builders.settings import OPTIONS, Settings

PATH = '/a b,c:"d"$'
PATIENT = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print("ready", flush=True)
signal.sigwait({signal.SIGTERM})
print("ended")
raise SystemExit(9)
"""
SETTINGS = Settings("docker", "unix:///e.sock", "sha256:1", PATH, (PATH, "/h"), (f"{PATH}/out",), "1:2", "out/s")


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A docker command that is there; it is never run."""
    path = tmp_path / "docker"
    path.write_text("")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert shutil.which("docker") == str(path)
    return str(path)


def test_words(docker: str) -> None:
    """Mounts are lines of CSV; the project may be written, other folders not."""
    said = words(SETTINGS, ["ls", "-l"], terminal=True, network=False, variables={"A": "b c"})
    assert said[:3] == [docker, "--host=unix:///e.sock", "run"]
    assert said[-7:] == ["--entrypoint=/bin/sh", "sha256:1", "-c", FIRST[True], "sh", "ls", "-l"]
    assert {"-t", "--network=none", "--user=1:2", "--env=A=b c", *OPTIONS} < set(said)
    assert {f"--label=bpfgen.project={PATH}", f"--label=bpfgen.session={os.getpid()}"} < set(said)
    mounts = [next(csv.reader([word[len("--mount=") :]])) for word in said if word.startswith("--mount=")]
    assert mounts == [
        ["type=bind", f"src={PATH}", f"dst={PATH}"],
        ["type=bind", "src=/h", "dst=/h", "readonly"],
        ["type=bind", f"src={PATH}/out", f"dst={PATH}/out"],
    ]


def test_network_and_no_terminal(docker: str) -> None:
    said = words(replace(SETTINGS, user=""), ["id"], terminal=False, network=True, variables={})
    assert not {"-t", "--network=none"} & set(said)
    assert not any(word.startswith("--user") for word in said)


def test_no_docker_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Unavailable, match="no docker command"):
        words(SETTINGS, ["id"], terminal=False, network=False, variables={})


def test_podman() -> None:
    settings = replace(
        SETTINGS, kind="podman", engine="/usr/bin/podman", root="/a:b", readable=("/a:b", "/h"), writable=()
    )
    said = words(settings, ["id"], terminal=False, network=False, variables={})
    assert said[:2] == ["/usr/bin/podman", "run"]
    assert "--mount=type=bind,src=/a:b,dst=/a:b,ro=false" in said
    assert "--volume=/h:/h:ro" in said
    with pytest.raises(Unavailable, match="a colon and a comma"):
        words(replace(settings, readable=("/a:b,c",)), ["id"], terminal=False, network=False, variables={})


@pytest.mark.parametrize("terminal", [False, True])
def test_first_process_is_transparent(terminal: bool) -> None:
    """Words, input and status are the command's."""
    script = 'cat; printf "%s|" "$@"; exit 7'
    words = ("sh", "-c", FIRST[terminal], "sh", "sh", "-c", script, "sh", "a b", "$x", "")
    done = subprocess.run(words, input=b"in\0", capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (7, b"in\0a b|$x||", b"")
    assert (
        subprocess.run(("sh", "-c", FIRST[terminal], "sh", "no-such"), capture_output=True, check=False).returncode
        == 127
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_first_process_hands_signals_on(number: signal.Signals) -> None:
    """To a command that has its own way with them, and may take its time."""
    words = ("sh", "-c", FIRST[False], "sh", sys.executable, "-c", PATIENT)
    # In the background of a shell, tests inherit that interrupts are ignored; then no shell can heed them.
    heed = partial(signal.signal, number, signal.SIG_DFL)
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, preexec_fn=heed) as process:  # noqa: PLW1509
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(20) == 9
        assert process.stdout.read() == "ended\n"
