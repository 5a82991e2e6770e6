"""`bpfgen doctor` on containers: a real dockerd of the tests' own, and podman, each of them broken in turn."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from dockerd import Daemon, pack
from doctor import NOBODY, as_nobody, command, doctor, follow, without

import bpfgen
from bpfgen.config.schema import Config
from bpfgen.config.schema import Project as Named
from bpfgen.config.schemabuilder import Image
from bpfgen.config.source import Document
from bpfgen.doctor import containers, engines
from bpfgen.doctor.subject import Subject

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(os.geteuid() != 0, reason="dockerd needs root"),
    pytest.mark.skipif(not (shutil.which("dockerd") and shutil.which("docker")), reason="there is no docker"),
]
BUILD = '[project]\nname = "p"\n[program.one]\nsource = "one.c"\n'


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """For everything of this module; short, because a socket's path may have no more than 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="bpfgen-", dir="/tmp") as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def daemon(folder: Path) -> Iterator[Daemon]:
    """A running one, with the image `bpf:19`: programs of this host, clang among them."""
    made = Daemon(folder)
    made.start()
    try:
        pack(folder / "image.tar", {"bpf:19": "", "bpf:s390x": "s390x"})
        made.docker("load", "--input", str(folder / "image.tar"))
        yield made
    finally:
        made.stop()


@pytest.fixture
def project(folder: Path) -> Iterator[Path]:
    """A project that the engine sees."""
    with tempfile.TemporaryDirectory(prefix="p ,", dir=folder) as name:
        os.chmod(name, 0o755)
        write(Path(name))
        yield Path(name)


def write(root: Path) -> None:
    """A project."""
    (root / "build.toml").write_text(BUILD)
    (root / "one.c").touch()


def test_container(daemon: Daemon, project: Path) -> None:
    """By the SDK where it is installed, as it is for the tests; what the image lacks is said."""
    found = doctor("--builder", "docker", "--image", "bpf:19", cwd=project, env=daemon.env)
    assert {name: found[name]["level"] for name in ("docker", "image", "sharing", "clang", "libbpf")} == {
        "docker": "ok",
        "image": "ok",
        "sharing": "ok",
        "clang": "ok",
        "libbpf": "warning",
    }
    assert found["clang"]["found"] == "clang-19 (clang 19.1.7) in the image bpf:19"


def test_both_ways_find_the_same(daemon: Daemon, project: Path) -> None:
    """The SDK and the command, on what is well and on what isn't."""
    sdk = pytest.importorskip("docker")
    where = daemon.env["DOCKER_HOST"]
    ways: list[engines.Engine] = [
        engines.ByCommand("docker", ("docker", "--host", where), where),
        engines.BySdk(sdk.DockerClient(base_url=where), where),
    ]
    hidden = daemon.hidden / "p"
    hidden.mkdir()
    write(hidden)
    for root, image in ((project, "bpf:19"), (project, "none:1"), (project, "bpf:s390x"), (hidden, "bpf:19")):
        subject = Subject(str(root), "build.toml", Document("build.toml", "", {}), Config(Named("p")), (), ("amd64",))
        one, other = (containers.check(subject, "docker", way, Image(image=image)) for way in ways)
        assert one == other


def test_no_engine(daemon: Daemon, project: Path) -> None:
    """It isn't running; what the hint says, starting it, mends it."""
    daemon.stop()
    found = doctor("--builder", "docker", "--image", "bpf:19", cwd=project, env=daemon.env)["docker"]
    assert (found["level"], found["found"]) == ("failure", f"no docker engine runs at unix://{daemon.socket}")
    assert "start the one that it names" in found["hint"]
    daemon.start()
    assert doctor("--builder", "docker", cwd=project, env=daemon.env)["docker"]["level"] == "ok"


def test_a_socket_that_refuses(folder: Path, project: Path) -> None:
    """What an engine that was killed leaves behind."""
    path = folder / "left.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    env = {**os.environ, "DOCKER_HOST": f"unix://{path}"}
    found = doctor("--builder", "docker", cwd=project, env=env)["docker"]
    assert (found["level"], found["found"]) == ("failure", f"no docker engine runs at unix://{path}")


def test_a_socket_that_is_not_ours(daemon: Daemon, project: Path) -> None:
    """A user who isn't in the socket's group; being in it, as the hint says, mends it."""
    python, env = as_nobody()
    env["DOCKER_HOST"] = daemon.env["DOCKER_HOST"]
    words = ("--builder", "docker", "--image", "bpf:19")
    found = doctor(*words, cwd=project, env=env, python=python, user=NOBODY, group=NOBODY, extra_groups=[])["docker"]
    assert (found["level"], found["found"][:30]) == ("failure", "you may not open docker's sock")
    assert command(found) == "usermod -aG daemon nobody"
    gid = daemon.socket.stat().st_gid
    mended = doctor(*words, cwd=project, env=env, python=python, user=NOBODY, group=NOBODY, extra_groups=[gid])
    assert mended["sharing"]["level"] == "ok"


def test_no_image(daemon: Daemon, project: Path) -> None:
    """The hint pulls it; there is no registry here, so a tag stands for it."""
    words = ("--builder", "docker", "--image", "registry.invalid/bpf:1")
    found = doctor(*words, cwd=project, env=daemon.env)["image"]
    assert command(found) == "docker pull registry.invalid/bpf:1"
    daemon.docker("tag", "bpf:19", "registry.invalid/bpf:1")
    assert doctor(*words, cwd=project, env=daemon.env)["image"]["level"] == "ok"


def test_image_of_another_architecture(daemon: Daemon, project: Path) -> None:
    found = doctor("--builder", "docker", "--image", "bpf:s390x", cwd=project, env=daemon.env)["image"]
    assert (found["level"], "is for s390x, and the engine runs on" in found["found"]) == ("failure", True)
    assert command(found).startswith("docker pull --platform linux/")


def test_sharing(daemon: Daemon, project: Path) -> None:
    """An engine with another view of the files; moving the project, as the hint says, mends it."""
    root = daemon.hidden / "q"
    root.mkdir()
    write(root)
    words = ("--builder", "docker", "--image", "bpf:19")
    found = doctor(*words, cwd=root, env=daemon.env)["sharing"]
    assert (found["level"], str(root) in found["found"]) == ("failure", True)
    moved = project / "moved"
    root.rename(moved)
    assert doctor(*words, cwd=moved, env=daemon.env)["sharing"]["level"] == "ok"


def test_leaves_nothing(daemon: Daemon, project: Path) -> None:
    """No container is left, and no folder is made for a mount."""
    doctor("--builder", "docker", "--image", "bpf:19", cwd=project, env=daemon.env)
    said = subprocess.run(["docker", "ps", "-aq"], env=daemon.env, check=True, capture_output=True, text=True)
    assert said.stdout == ""


@pytest.mark.parametrize("kind", ["docker", "podman"])
def test_no_command(project: Path, tmp_path: Path, kind: str) -> None:
    """Neither a command nor an SDK: the hint names a package that there is."""
    lib = tmp_path / "lib"
    lib.mkdir()
    (lib / "bpfgen").symlink_to(os.path.dirname(str(bpfgen.__file__)))
    for site in filter(lambda path: path.endswith("site-packages"), sys.path):
        for path in Path(site).iterdir():
            if not path.name.startswith(("docker", "bpfgen")) and not (lib / path.name).exists():
                (lib / path.name).symlink_to(path)
    # -S leaves out site-packages, where the SDK is.
    done = subprocess.run(
        [sys.executable, "-S", "-m", "bpfgen", "doctor", "--json", "--builder", kind],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(lib), "PATH": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
    )
    found = {row["check"]: row for row in json.loads(done.stdout)["findings"]}[kind]
    assert found["found"] == f"{kind} isn't installed"
    subprocess.run(["sh", "-ec", command(found)], check=True, capture_output=True)


@pytest.mark.skipif(not shutil.which("podman"), reason="there is no podman")
def test_podman(project: Path, folder: Path) -> None:
    """An image that isn't there, and then is."""
    # Limits of a sandbox that may raise none, and has cgroups of both versions.
    (folder / "containers.conf").write_text(
        '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n'
        '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "runc"\n'
    )
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\nrunroot = "{folder}/run"\ngraphroot = "{folder}/graph"\n'
    )
    names = {"CONTAINERS_CONF": "containers.conf", "CONTAINERS_STORAGE_CONF": "storage.conf"}
    env = {**os.environ, **{name: str(folder / file) for name, file in names.items()}}
    words = ("--builder", "podman", "--image", "localhost/bpf:19")
    found = doctor(*words, cwd=project, env=env)
    assert (found["podman"]["level"], command(found["image"])) == ("ok", "podman pull localhost/bpf:19")
    pack(folder / "podman.tar", {"localhost/bpf:19": ""})
    subprocess.run(["podman", "load", "--input", folder / "podman.tar"], env=env, check=True, capture_output=True)
    found = doctor(*words, cwd=project, env=env)
    assert {name: found[name]["level"] for name in ("image", "sharing", "clang")} == dict.fromkeys(
        ("image", "sharing", "clang"), "ok"
    ), found


CONTAINER = '[builder]\nkind = "KIND"\n[builder.docker]\nKEY = "VALUE"\n'


def builder(root: Path, kind: str, key: str, value: str) -> None:
    """Has build.toml name a builder."""
    text = CONTAINER.replace("KIND", kind).replace("KEY", key).replace("VALUE", value)
    (root / "build.toml").write_text(BUILD + text)


def test_the_builder_of_build_toml(daemon: Daemon, project: Path) -> None:
    """As it names it; `auto` means it where this host's clang can't be used."""
    builder(project, "docker", "image", "bpf:19")
    found = doctor(cwd=project, env=daemon.env)
    assert (found["builder"]["found"], found["sharing"]["level"]) == (
        'docker, as build.toml says  kind = "docker"',
        "ok",
    )
    builder(project, "auto", "image", "bpf:19")
    assert doctor(cwd=project, env=daemon.env)["builder"]["found"].startswith("native, as this host has a clang")
    with (project / "build.toml").open("a") as file:
        file.write('[toolchain]\nrequire = "==19.1.7"\n')
    found = doctor(cwd=project, env=daemon.env, before=without("/usr/bin/clang-19"))
    assert found["builder"]["found"].startswith("docker, as no clang of this host can be used")
    assert found["clang"]["found"] == "clang-19 (clang 19.1.7) in the image bpf:19"


def test_no_dockerfile(daemon: Daemon, project: Path) -> None:
    """The hint's command writes it."""
    builder(project, "docker", "dockerfile", "bpf/Dockerfile")
    found = doctor(cwd=project, env=daemon.env)["image"]
    assert (found["level"], found["found"]) == ("failure", 'there is no file "bpf/Dockerfile"')
    path = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"
    follow(found, project, env={**os.environ, "PATH": path})
    assert doctor(cwd=project, env=daemon.env)["image"]["found"] == "is built from bpf/Dockerfile by the next bpfgen"


def test_a_broken_sdk(daemon: Daemon, project: Path, tmp_path: Path) -> None:
    """The command is asked instead; a build would need the package, so it is a failure."""
    (tmp_path / "docker.py").write_text("raise TypeError('broken')")
    env = {**daemon.env, "PYTHONPATH": str(tmp_path)}
    found = doctor("--builder", "docker", "--image", "bpf:19", cwd=project, env=env)
    assert (found["sharing"]["level"], found["docker package"]["level"]) == ("ok", "failure")
    assert command(found["docker package"]) == "pip install 'bpfgen[docker]'"
    (tmp_path / "docker.py").unlink()  # it is installed: the hint has been followed
    assert "docker package" not in doctor("--builder", "docker", cwd=project, env=env)
