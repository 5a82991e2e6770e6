"""A dockerd of the tests' own, and images for it that are made of this host's programs."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import time
from pathlib import Path
from typing import Any

SECONDS = 60
PATH = "/usr/bin:/bin"
TOOLS = ("sh", "ls", "tr", "sort", "grep", "sed", "clang-19")


class Daemon:
    """A dockerd that can be stopped and started again, and sees nothing of `hidden`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.socket, self.hidden = folder, folder / "docker.sock", folder / "hidden"
        self.hidden.mkdir()
        self.env = {**os.environ, "DOCKER_HOST": f"unix://{self.socket}"}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Until it answers."""
        data = [f"--data-root={self.folder}/data", f"--exec-root={self.folder}/exec", f"--pidfile={self.folder}/pid"]
        words = ["dockerd", *data, "-H", f"unix://{self.socket}", "--iptables=false", "--bridge=none", "--group=daemon"]
        hide = 'mount -t tmpfs none "$1"; shift; exec "$@"'
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                ["unshare", "-m", "sh", "-ec", hide, "sh", str(self.hidden), *words], stdout=log, stderr=log
            )
        end = time.monotonic() + SECONDS
        while subprocess.run(["docker", "version"], env=self.env, capture_output=True, check=False).returncode:
            assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < end, "dockerd doesn't answer"

    def stop(self) -> None:
        """Ends it, and waits for it."""
        if self._process:
            self._process.terminate()
            self._process.wait(SECONDS)

    def docker(self, *words: str, **more: Any) -> None:
        """Runs docker's command."""
        subprocess.run(["docker", *words], env=self.env, check=True, stdout=subprocess.DEVNULL, **more)


def closure(names: tuple[str, ...]) -> set[str]:
    """Programs, and the libraries that they load."""
    programs = {str(shutil.which(name)) for name in names}
    said = subprocess.run(["ldd", *programs], check=True, capture_output=True, text=True).stdout
    words = [word for line in said.splitlines() for word in line.split()]
    return programs | {word for word in words if word.startswith("/") and not word.endswith(":")}


def pack(path: Path, images: dict[str, str]) -> None:
    """Images of one layer, programs of this host, as `docker load` and `podman load` take them; each may claim another
    architecture than this host's.
    """
    layer = path.with_suffix(".layer")
    with tarfile.open(layer, "w", dereference=True) as tar:
        for program in sorted(closure(TOOLS)):
            tar.add(program, program.lstrip("/"))
        tar.add(str(shutil.which("sh")), "bin/sh")
    digest = hashlib.sha256(layer.read_bytes()).hexdigest()
    own = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    with tarfile.open(path, "w") as tar:
        manifest = []
        for number, (name, arch) in enumerate(images.items()):
            layers = {"type": "layers", "diff_ids": [f"sha256:{digest}"]}
            config = {"architecture": arch or own, "os": "linux", "config": {"Env": [f"PATH={PATH}"]}, "rootfs": layers}
            add(tar, f"{number}.json", json.dumps(config).encode())
            manifest.append({"Config": f"{number}.json", "RepoTags": [name], "Layers": ["layer.tar"]})
        tar.add(layer, "layer.tar")
        add(tar, "manifest.json", json.dumps(manifest).encode())
    layer.unlink()


def add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    """Adds a small file."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
