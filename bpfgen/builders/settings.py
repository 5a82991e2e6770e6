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
class Remote:
    """A machine behind ssh."""

    name: str
    """The host, for people."""
    connection: tuple[str, ...]
    """The words of ssh that connect, or take the connection that is there; without the host."""
    host: str
    control: str
    """The connection's socket (ssh_config(5), "ControlPath")."""
    base: str
    """An absolute folder there that is bpfgen's."""
    project: str
    """The project's absolute folder there."""
    copied: bool
    """Whether bpfgen copies the project there; if not, the folder is shared."""
    out: str
    """The output folder, relative to the project."""
    mapped: tuple[str, ...]
    """Absolute folders of this host, besides the project, whose files are below `base` there."""
    look: str
    """A script that prints what tells the compiler and the headers there from others."""
    seen: str
    """What it printed."""


@frozen
class Settings:
    """One container, or a remote machine."""

    kind: str
    """`docker`, `podman`, or a kind of remote machine; `shell` for the tests of the session, which need no engine."""
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
    """The folder of the builder's headers on this host, relative to the project."""
    remote: Optional[Remote] = None
    """With which of the rest only `kind`, `root`, `readable` and `sysroot` count."""


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
    if settings.remote:
        remote = settings.remote
        how = "copied with rsync" if remote.copied else "shared"
        rows = [("kind", settings.kind), ("host", remote.name), ("project", f"{remote.project}, {how}")]
        return [*rows, ("scratch", remote.base), ("headers", settings.sysroot)]
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
        remote: dict[str, Any] = value.pop("remote", None) or {}
        remote.update({name: tuple(remote[name]) for name in ("connection", "mapped") if remote})
        return Settings(**value, **lists, remote=Remote(**remote) if remote else None)
    except (TypeError, KeyError) as error:
        raise ValueError(str(error)) from error
