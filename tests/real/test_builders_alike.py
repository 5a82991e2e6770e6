"""libbpf-tools through docker, podman and ssh: every object is the one that this host's compiler makes."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from project import Project
from sshd import SSHD, Server

sys.path.append(str(Path(__file__).parent))
import engines
import fetch

TOOLS = ("apt-get", "bpftool", "debootstrap", "dockerd", "podman", "rsync", "ssh", "tar", "xz")
pytestmark = [
    pytest.mark.real,
    pytest.mark.input,
    pytest.mark.skipif(os.geteuid() != 0, reason="starts engines, as root"),
    *(pytest.mark.skipif(not shutil.which(tool), reason=f"needs {tool}") for tool in TOOLS),
    pytest.mark.skipif(SSHD is None, reason="needs sshd"),
]

HERE = Path(__file__).parent
COUNT = 53


def project(folder: Path, builder: str = "") -> Project:
    made = Project(folder)
    shutil.copytree(fetch.libbpf_tools() / "libbpf-tools", folder / "libbpf-tools", symlinks=True)
    toml = (HERE / "libbpf_tools" / "build.toml").read_text(encoding="utf-8")
    made.write("build.toml", f'{toml}\n[cache]\nlauncher = "none"\n{builder}')
    return made


def objects(made: Project, env: Mapping[str, str]) -> dict[str, bytes]:
    made.bpfgen(env=env)
    made.ninja("objects", env=env)
    folder = made.root / "out/obj"
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.o"))}


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    found = objects(project(tmp_path_factory.mktemp("native") / "project"), os.environ)
    assert len(found) == COUNT
    return found


@contextlib.contextmanager
def ssh(folder: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    server = Server(folder)
    server.start()
    server.let_in()
    try:
        yield f'[builder.ssh]\nhost = "box"\nconfig = "{folder}/config"\n', os.environ
    finally:
        server.stop()


@contextlib.contextmanager
def engine(kind: str, folder: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    with getattr(engines, kind)(folder) as env:
        yield f'[builder.{kind}]\nimage = "{engines.IMAGE}"\n', env


@pytest.mark.parametrize("kind", ["docker", "podman", "ssh"])
def test_the_bytes_of_this_host(kind: str, tmp_path_factory: pytest.TempPathFactory, native: dict[str, bytes]) -> None:
    folder = tmp_path_factory.mktemp(kind)
    with ssh(folder) if kind == "ssh" else engine(kind, folder) as (table, env):
        made = project(tmp_path_factory.mktemp("elsewhere") / "project", f'[builder]\nkind = "{kind}"\n{table}')
        found = objects(made, env)
        assert list(found) == list(native)
        assert [name for name in native if native[name] != found[name]] == []
        made.bpfgen("builder", "stop", env=env)
