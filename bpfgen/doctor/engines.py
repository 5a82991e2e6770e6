"""docker and podman, asked by their commands, or docker by its SDK where that is installed."""

from __future__ import annotations

import contextlib
import importlib
import re
import shutil
from collections.abc import Sequence
from typing import Any, Optional, Protocol

from bpfgen.doctor import SECONDS, Answer, ask
from bpfgen.doctor.reason import address


class Silent(Exception):
    """An engine gives no answer; what was said instead."""


class Engine(Protocol):
    """What is asked of an engine. Each function raises Silent."""

    @property
    def kind(self) -> str:
        """`docker` or `podman`."""

    @property
    def where(self) -> str:
        """Its address; empty where it has none."""

    def architecture(self) -> str:
        """What its containers run on, by Go's name."""

    def image(self, name: str) -> Optional[str]:
        """The architecture of an image; None where the engine hasn't got it."""

    def run(self, image: str, folder: str, script: str) -> Answer:
        """Runs a shell script in a container that sees `folder` at its path, has no network and is gone afterwards."""


class ByCommand:
    """An engine behind `docker`, `podman`, or whatever words stand for them."""

    def __init__(self, kind: str, words: Sequence[str], where: str = "") -> None:
        self.kind, self.where, self._words = kind, where, tuple(words)

    def architecture(self) -> str:
        """By what the engine says of itself, not the command."""
        asked = (
            ("info", "--format={{.Host.Arch}}") if self.kind == "podman" else ("version", "--format={{.Server.Arch}}")
        )
        said = ask((*self._words, *asked))
        if said.code != 0:
            raise Silent(said.text)
        return said.last

    def image(self, name: str) -> Optional[str]:
        """By `image inspect`."""
        said = ask((*self._words, "image", "inspect", "--format={{.Architecture}}", name))
        if said.code == 0:
            return said.last
        if re.search(r"no such (image|object)|image not known|invalid reference", said.text, re.IGNORECASE):
            return None
        raise Silent(said.text)

    def run(self, image: str, folder: str, script: str) -> Answer:
        """By `run`; with `--mount`, which makes no folder where there is none, as `-v` does."""
        mount = f'--mount=type=bind,"src={folder}","dst={folder}",readonly'
        words = ("run", "--rm", "--network=none", "--pull=never", mount, "--entrypoint=/bin/sh", image, "-c", script)
        return ask((*self._words, *words), 2 * SECONDS)


class BySdk:
    """docker's engine behind a client of its SDK."""

    kind = "docker"

    def __init__(self, client: Any, where: str = "") -> None:
        self.where, self._client = where, client

    def architecture(self) -> str:
        """By what the engine says of itself."""
        try:
            return str(self._client.version()["Arch"])
        except Exception as error:  # the SDK lets through what its libraries raise
            raise Silent(str(error)) from error

    def image(self, name: str) -> Optional[str]:
        """By the SDK's exception for what isn't there."""
        try:
            return str(self._client.api.inspect_image(name)["Architecture"])
        except Exception as error:
            if type(error).__name__ in {"ImageNotFound", "NotFound"}:
                return None
            raise Silent(str(error)) from error

    def run(self, image: str, folder: str, script: str) -> Answer:
        """By a container that is removed when it ends, or doesn't start."""
        container = None
        try:
            mount = {"Type": "bind", "Source": folder, "Target": folder, "ReadOnly": True}
            container = self._client.containers.create(
                image, ["-c", script], entrypoint=["/bin/sh"], mounts=[mount], network_mode="none"
            )
            container.start()
            status = int(container.wait(timeout=int(2 * SECONDS))["StatusCode"])
            return Answer(status, bytes(container.logs()).decode(errors="replace").strip())
        except Exception as error:  # see above
            return Answer(None, str(error))
        finally:
            if container is not None:
                with contextlib.suppress(Exception):
                    container.remove(force=True)


def find(kind: str) -> Optional[Engine]:
    """The engine of a kind; None where neither its command nor an SDK is installed. Docker's SDK is imported here."""
    command = shutil.which(kind)
    if kind == "podman":
        return ByCommand(kind, (command,)) if command else None
    where = address()
    made = sdk()
    if made is not None:
        return BySdk(_Lazy(made, where), where)
    return ByCommand(kind, (command, "--host", where), where) if command else None


def sdk() -> Optional[Any]:
    """Docker's SDK; None where it isn't installed, or can't be imported, which is a machine's matter, too."""
    try:
        module = importlib.import_module("docker")
    except Exception:  # of whatever it imports
        return None
    return module if hasattr(module, "DockerClient") else None  # else it is a folder of that name


class _Lazy:
    """A client that is made when it is needed, because making one asks the engine."""

    def __init__(self, sdk: Any, where: str) -> None:
        self._sdk, self._where, self._made = sdk, where, None

    def __getattr__(self, name: str) -> Any:
        if self._made is None:
            self._made = self._sdk.DockerClient(base_url=self._where, timeout=int(2 * SECONDS))
        return getattr(self._made, name)
