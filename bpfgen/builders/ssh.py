"""ssh: one connection for a build, which every command there shares and which ends when nobody used it for a while."""

from __future__ import annotations

import hashlib
import os
import shlex
import stat
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from bpfgen.builders import Unavailable
from bpfgen.builders.settings import Remote
from bpfgen.builders.stream import PipeStream
from bpfgen.config.schemabuilder import Ssh
from bpfgen.frozen import frozen

if TYPE_CHECKING:
    from bpfgen.config.schema import Config  # the session has no need of it

IDLE_SECONDS = 30
OWN = ("BatchMode=", "ConnectTimeout=", "ServerAliveInterval=", "Control")
"""How the values of bpfgen's own options begin."""
Output = Callable[[str], bytes]
"""What a script prints there."""
CONNECT_SECONDS = 15
Ready = TypeVar("Ready")


@frozen
class Login:
    """How a machine is reached."""

    host: str
    """What ssh calls it."""
    options: tuple[str, ...]
    """Words of ssh."""
    path: str
    """Where it has the project, shared; empty where bpfgen is to copy it."""


def login(root: str, config: Config) -> Login:
    """That of `[builder.ssh]`."""
    assert config.builder.ssh is not None  # config.checkbuilder has seen to it
    return login_of(root, config.builder.ssh)


def login_of(root: str, table: Ssh) -> Login:
    """That of a table like `[builder.ssh]`."""
    options = []
    for option, value in (("-F", table.config), ("-i", table.key)):
        options += [option, os.path.join(root, os.path.expanduser(value))] if value else []
    options += ["-o", "IdentitiesOnly=yes"] if table.key else []
    options += ["-p", str(table.port)] if table.port else []
    options += ["-l", table.user] if table.user else []
    return Login(table.host, tuple(options), table.path or "")


def connection(found: Login) -> tuple[tuple[str, ...], str]:
    """The words that connect, and the connection's socket; raises Unavailable."""
    control = f"{_runtime()}/{hashlib.sha256(repr((found.host, found.options)).encode()).hexdigest()[:16]}"
    settings = {
        "BatchMode": "yes",  # no question is asked, of a password or of a key
        "ConnectTimeout": str(CONNECT_SECONDS),
        "ServerAliveInterval": "15",
        "ControlMaster": "auto",
        "ControlPersist": str(IDLE_SECONDS),
        "ControlPath": control,
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    return ("ssh", "-T", *options, *found.options), control


def _runtime() -> str:
    """A folder that is this user's alone. Its name is short: that of a socket has at most 104 bytes (unix(7))."""
    folder = os.path.join(os.environ.get("XDG_RUNTIME_DIR") or "/tmp", f"bpfgen-{os.getuid()}")  # noqa: S108 - checked
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise Unavailable(f"{folder}: {error.strerror}\n  hint: unset XDG_RUNTIME_DIR") from error
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise Unavailable(f"{folder} isn't a folder of yours alone\n  hint: remove it")
    return folder


def over(control: str) -> tuple[str, ...]:
    """The words of ssh that take the connection that is there, and make none: the host is any word then."""
    return ("ssh", "-T", "-F", "/dev/null", "-S", control, "-o", "ControlMaster=no", "-o", "ProxyCommand=false")


def shell(script: str) -> str:
    """A command for the login shell there, whichever that is."""
    return f"exec sh -c {shlex.quote(script)}"


def output(words: Sequence[str], host: str, script: str) -> bytes:
    """What a script prints there; raises Unavailable."""
    command = (*words, "--", host, shell(script))
    status, data, said = _run(command)
    if status == 255 and not said.strip():  # the connection that is there was just ending
        status, data, said = _run(command)
    if status == 255:
        raise refused(words, host, said)
    return data


def opened(remote: Remote, script: str, ready: Callable[[PipeStream], Ready]) -> Ready:
    """Connects by a script that goes on running: `ready` waits until it does, and raises EOFError where it ends.

    Raises Unavailable.
    """
    words = (*remote.connection, "--", remote.host, shell(script))
    for last in (False, True):
        with tempfile.TemporaryFile() as messages:
            stream = started(words, messages.fileno())
            try:
                return ready(stream)
            except EOFError:
                status = stream.ended()
                messages.seek(0)
                said = messages.read().decode(errors="replace")
        if said.strip() or last:
            break  # else the connection that is there was just ending
    if status == 255:
        raise refused(remote.connection, remote.host, said)
    raise Unavailable(f"{remote.name} has no usable shell: {said.strip() or 'it says nothing'}")


def _run(words: Sequence[str]) -> tuple[int, bytes, str]:
    """The exit code, the output, and the messages."""
    # Not a pipe: old versions' master keeps it open.
    with tempfile.TemporaryFile() as messages:
        try:
            done = subprocess.run(
                words,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=messages.fileno(),
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise Unavailable(f"there is no {words[0]}\n  hint: install it from your system's packages") from error
        messages.seek(0)
        return done.returncode, done.stdout, messages.read().decode(errors="replace")


def refused(words: Sequence[str], host: str, said: str) -> Unavailable:
    """Why there is no connection, as the doctor says it."""
    from bpfgen.doctor.remote import refused as explained

    kept = list(words)
    for word in words:  # a person's ssh has no need of what only builds want
        if word.startswith(OWN):
            at = kept.index(word)
            del kept[at - 1 : at + 1]
    finding = explained(said, host, [word for word in kept if word != "-T"])
    return Unavailable(f"{finding.found}\n  hint: {finding.hint}")


def channel(remote: Remote, script: str, errors: int) -> PipeStream:
    """A script that runs there, over the connection that is there; raises Unavailable."""
    return started((*over(remote.control), "--", "bpfgen", shell(script)), errors)


def started(words: Sequence[str], errors: int) -> PipeStream:
    """ssh, with a descriptor for its messages; raises Unavailable."""
    try:
        return PipeStream(words, errors)
    except FileNotFoundError as error:
        raise Unavailable(f"there is no {words[0]}\n  hint: install it from your system's packages") from error
    except OSError as error:
        raise Unavailable(f"{words[0]}: {error.strerror}") from error
