"""Engines for the tests: a dockerd of their own, a podman with storage of its own, and an image made of Debian."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "real"
PACKAGES = "clang-19,libbpf-dev,linux-libc-dev"
LEAVE_OUT = ("usr/share/doc", "usr/share/man", "usr/share/locale", "var/cache", "var/lib/apt", "usr/lib/gcc")
IMAGE = "localhost/bpfgen-test:19"


def rootfs() -> Path:
    """The archive of a small Debian with clang and libbpf's headers; made once per checkout, in about a minute."""
    key = hashlib.sha256(f"{PACKAGES} {LEAVE_OUT}".encode()).hexdigest()[:12]
    archive = CACHE / f"image-{key}.tar"
    if not archive.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="image-", dir=CACHE) as folder:
            root, partial = Path(folder) / "root", Path(folder) / "image.tar"
            _run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(root))
            _run("tar", "-C", str(root), *(f"--exclude=./{name}" for name in LEAVE_OUT), "-cf", str(partial), ".")
            partial.replace(archive)
    return archive


@contextlib.contextmanager
def docker(folder: Path, group: int = 0) -> Iterator[dict[str, str]]:
    """The environment in which docker commands reach an engine with `IMAGE`, which ends with the context."""
    with dockerd(folder, group) as env:
        _run("docker", "import", str(rootfs()), IMAGE, env=env)
        yield env


@contextlib.contextmanager
def dockerd(folder: Path, group: int = 0) -> Iterator[dict[str, str]]:
    """The same without an image."""
    start_dockerd(folder, group)
    try:
        yield {**os.environ, "DOCKER_HOST": f"unix://{folder}/docker.sock"}
    finally:
        end_dockerd(folder, signal.SIGTERM)
        unmount(folder / "data")
        shutil.rmtree(folder / "data", ignore_errors=True)


def start_dockerd(folder: Path, group: int = 0) -> None:
    """Starts an engine that has its files and its socket in a folder; returns when it answers."""
    socket, log = folder / "docker.sock", folder / "log"
    words = ["dockerd", f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"]
    words += [f"--host=unix://{socket}", "--iptables=false", "--bridge=none", f"--group={group}"]
    env = {**os.environ, "DOCKER_HOST": f"unix://{socket}"}
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    said = [(os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600), (os.POSIX_SPAWN_DUP2, 1, 2)]
    engine = os.posix_spawnp(words[0], words, env, file_actions=said, setsid=True)
    deadline = time.monotonic() + 60
    while subprocess.run(("docker", "info"), env=env, check=False, capture_output=True).returncode:
        assert os.waitpid(engine, os.WNOHANG) == (0, 0), log.read_text()[-2000:]
        assert time.monotonic() < deadline, log.read_text()[-2000:]


def end_dockerd(folder: Path, how: signal.Signals) -> None:
    """Ends the engine that was started there."""
    engine = int((folder / "pid").read_text())
    os.kill(engine, how)
    os.waitpid(engine, 0)
    # Its containerd ends with it, but counts as running where nobody collects it.
    (folder / "exec/containerd/containerd.pid").unlink(missing_ok=True)


@contextlib.contextmanager
def podman(folder: Path) -> Iterator[dict[str, str]]:
    """The same for podman."""
    env = podman_folders(folder)
    _run("podman", "import", str(rootfs()), IMAGE, env=env)
    try:
        yield env
    finally:
        _run("podman", "rm", "-af", env=env)
        _run("podman", "rmi", "-af", env=env)
        unmount(folder / "data/overlay")
        # podman mounts its storage on itself, and leaves that so.
        subprocess.run(("umount", str(folder / "data" / "overlay")), check=False, capture_output=True)


def podman_folders(folder: Path, insecure: str = "") -> dict[str, str]:
    """The environment in which podman has its files in a folder, and asks a registry without TLS. Its limits
    are those of a sandbox that may raise none, and has cgroups of both versions.
    """
    (folder / "containers.conf").write_text(
        '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n'
        '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "runc"\n'
    )
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/data"\nrunroot = "{folder}/run"\n'
    )
    (folder / "registries.conf").write_text(
        f'[[registry]]\nlocation = "{insecure}"\ninsecure = true\n' if insecure else ""
    )
    names = {
        "CONTAINERS_CONF": "containers.conf",
        "CONTAINERS_STORAGE_CONF": "storage.conf",
        "CONTAINERS_REGISTRIES_CONF": "registries.conf",
    }
    return {**os.environ, **{name: str(folder / file) for name, file in names.items()}}


def unmount(folder: Path) -> None:
    """What an engine mounts on itself and leaves, once more by one that follows a killed one."""
    while not subprocess.run(("umount", str(folder)), check=False, capture_output=True).returncode:
        pass


def _run(*words: str, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(words, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
