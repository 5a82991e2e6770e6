"""`builders.interactive`: the engine's words for a person's command."""

from __future__ import annotations

import csv
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bpfgen.builders import Unavailable
from bpfgen.builders.interactive import words
from bpfgen.builders.settings import Settings

PATH = '/a b,c:"d"$'
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
    assert said[-4:] == ["--entrypoint=", "sha256:1", "ls", "-l"]
    assert {"-t", "--network=none", "--user=1:2", "--env=A=b c", "--cap-drop=ALL", "--read-only"} < set(said)
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
