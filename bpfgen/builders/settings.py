"""What a builder's container is made with; written by `bpfgen`, read by the session."""

from __future__ import annotations

import glob
import json
import os
from dataclasses import asdict
from typing import Any, Optional

from bpfgen.frozen import frozen

FILE = "builder.json"
"""The note with the settings, as JSON."""
SOCKET, LOG = "session.sock", "session.log"
"""Where the session listens, and what it says."""
LABEL, SESSION = "bpfgen.project", "bpfgen.session"
"""Labels of a container: the project's folder, and the process that holds it."""


@frozen
class Settings:
    """One container."""

    kind: str
    """`docker` or `podman`; `shell` for the tests of the session, which need no engine."""
    engine: str
    """How the engine is reached: an address, or a program."""
    image: str
    """The image's id."""
    root: str
    """The project's absolute path, which is the working folder too."""
    readable: tuple[str, ...]
    """Absolute paths that are mounted read-only where they are on the host; the project is one of them."""
    writable: tuple[str, ...]
    """Absolute paths below these that are mounted for writing."""
    user: str
    """`UID:GID`; empty where the engine is rootless, and makes the container's root the caller."""
    sysroot: str
    """The folder of the image's headers on this host, relative to the project."""


HARDENING = {
    "network": "none",
    "capabilities": "none",
    "new privileges": "no",
    "root file system": "read-only, /tmp in memory",
}
"""What every container is started with, for people."""
OPTIONS = (
    "--rm",
    "-i",
    "--pull=never",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--read-only",
    "--tmpfs=/tmp",
)
"""The same for an engine's `run`, without the network."""


def facts(settings: Optional[Settings]) -> list[tuple[str, str]]:
    """What `bpfgen explain --builder` prints, by name; of None, which is this host."""
    if settings is None:
        return [("kind", "native")]
    rows = [("kind", settings.kind), ("engine", settings.engine), ("image", settings.image)]
    rows.append(("user", settings.user or "root of a rootless engine, which is you"))
    rows += [("read-only", path) for path in settings.readable]
    rows += [("writable", path) for path in settings.writable]
    return [*rows, ("headers", settings.sysroot), *HARDENING.items()]


def said_files(folder: str) -> list[str]:
    """What commands wrote that a session ran, in the folder of notes; a session that is killed leaves them there."""
    return glob.glob(f"{glob.escape(folder)}/session.[0-9]*")


def is_stray(session: str) -> bool:
    """Whether nobody holds a container any more, by its label."""
    try:
        os.kill(int(session), 0)
    except (ValueError, ProcessLookupError):
        return True
    except PermissionError:
        return False
    return False


def render(settings: Settings) -> str:
    """As the note has it."""
    return json.dumps(asdict(settings), indent=1) + "\n"


def parse(text: str) -> Settings:
    """What `render` wrote; raises ValueError."""
    try:
        value: dict[str, Any] = json.loads(text)
        lists: dict[str, Any] = {name: tuple(value.pop(name)) for name in ("readable", "writable")}
        return Settings(**value, **lists)
    except (TypeError, KeyError) as error:
        raise ValueError(str(error)) from error
