"""What images are called in bpfgen.lock, with real engines and a registry of its own on a loopback port."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import time
import urllib.request
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from bpfgen.builders import Unavailable, image
from bpfgen.config.schemabuilder import Image

sys.path.append(str(Path(__file__).parent))
from engines import dockerd, podman_folders, unmount

NEEDED = ("dockerd", "docker", "podman", "docker-registry")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(os.geteuid() != 0, reason="starts an engine, as root"),
    *(pytest.mark.skipif(not shutil.which(tool), reason=f"needs {tool}") for tool in NEEDED),
]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a registry, which ends with the tests."""
    folder = tmp_path_factory.mktemp("registry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"localhost:{probe.getsockname()[1]}"
    config = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(folder)}}, "http": {"addr": address}}
    (folder / "config.yml").write_text(json.dumps(config))
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(("docker-registry", "serve", str(folder / "config.yml")), stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://{address}/v2/").close()
                break
            assert time.monotonic() < deadline, (folder / "log").read_text()
        yield address
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="module", params=["docker", "podman"])
def engine(
    request: pytest.FixtureRequest, registry: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """Kind and address of an engine without images; its commands find it by the environment."""
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        if request.param == "docker":
            env = stack.enter_context(dockerd(folder))
            address = env["DOCKER_HOST"]
        else:
            stack.callback(unmount, folder / "data/overlay")
            env, address = podman_folders(folder, insecure=registry), str(shutil.which("podman"))
        for name, value in env.items():
            patch.setenv(name, value)
        yield request.param, address


def run(*words: str, data: bytes = b"") -> str:
    done = subprocess.run(words, input=data, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def publish(kind: str, reference: str, content: str) -> str:
    """Pushes an image of one file, and has the engine forget it; its id."""
    archive = BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo("file")
        member.size = len(content)
        tar.addfile(member, BytesIO(content.encode()))
    run(kind, "import", "-", reference, data=archive.getvalue())
    found = run(kind, "image", "inspect", "--format={{.Id}}", reference)
    run(kind, "push", reference)
    run(kind, "rmi", "-f", reference)
    return f"sha256:{found.rpartition(':')[2]}"


def test_tag_is_a_digest_from_then_on(engine: tuple[str, str], registry: str, tmp_path: Path) -> None:
    """On another machine, too, and when the tag means another image since."""
    kind, address = engine
    reference = f"{registry}/acme/bpf-{kind}:19"
    first = publish(kind, reference, "one")
    wanted = Image(image=reference)
    assert image.find(str(tmp_path), kind, address, wanted, {}).id == first
    locked = json.loads((tmp_path / "bpfgen.lock").read_text())["images"][kind][reference]
    assert locked.startswith(f"{registry}/acme/bpf-{kind}@sha256:")
    run(kind, "rmi", "-f", first)
    second = publish(kind, reference, "two")
    assert second != first
    # Nothing is known there but the lock file.
    assert image.find(str(tmp_path), kind, address, wanted, {}).id == first
    (tmp_path / "bpfgen.lock").unlink()
    run(kind, "rmi", "-f", first)
    assert image.find(str(tmp_path), kind, address, wanted, {}).id == second


def test_locked_image_is_nowhere(engine: tuple[str, str], tmp_path: Path) -> None:
    """One that came from no registry, on another machine."""
    kind, address = engine
    name = f"sha256:{'1' * 64}"
    (tmp_path / "bpfgen.lock").write_text(json.dumps({"images": {kind: {"acme:1": name}}}))
    with pytest.raises(Unavailable, match=rf'no image "{name}".*, which bpfgen.lock has for "acme:1"\n  hint: remove'):
        image.find(str(tmp_path), kind, address, Image(image="acme:1"), {})
