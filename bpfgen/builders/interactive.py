"""A person's own command where the builder's compiler runs: in a container for it, which may write the project."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence

from bpfgen.builders import Unavailable
from bpfgen.builders.settings import Settings


def words(
    settings: Settings, command: Sequence[str], terminal: bool, network: bool, variables: Mapping[str, str]
) -> list[str]:
    """The words that run a command in a container like the session's; raises Unavailable.

    `terminal` gives it one; `network` gives it the engine's own network, where the session's container has none.
    """
    options = ["--rm", "-i", "--pull=never", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--read-only"]
    options += ["--tmpfs=/tmp", f"--workdir={settings.root}"]
    options += ["-t"] if terminal else []
    options += [] if network else ["--network=none"]
    options += [f"--user={settings.user}"] if settings.user else []
    options += [f"--env={name}={value}" for name, value in variables.items()]
    options += [_mount(settings, path, path == settings.root) for path in settings.readable]
    options += [_mount(settings, path, True) for path in settings.writable]
    return [*_engine(settings), "run", *options, "--entrypoint=", settings.image, *command]


def _engine(settings: Settings) -> list[str]:
    if settings.kind == "podman":
        return [settings.engine]
    found = shutil.which("docker")
    if found is None:
        raise Unavailable(
            "there is no docker command\n  hint: install it; builds need the engine alone, this needs both"
        )
    return [found, f"--host={settings.engine}"]


def _mount(settings: Settings, path: str, writable: bool) -> str:
    if settings.kind == "podman":
        from bpfgen.builders.podman import mount

        return mount(path, "rw" if writable else "ro")
    # The option's value is a line of CSV (docker's manual, "--mount").
    quoted = path.replace('"', '""')
    fields = ["type=bind", *(f'"{name}={quoted}"' for name in ("src", "dst"))]
    return "--mount=" + ",".join([*fields, *([] if writable else ["readonly"])])
