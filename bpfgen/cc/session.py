"""Runs clang where the builder has it: asks the session (see `builders.session`), which it starts if there is none.

A frame is four bytes of length, big-endian, and a value as `marshal` writes it: both ends are one interpreter. The
request is the list of words; the answer is (status, output, messages). Closing either way cancels. A request that is a
string asks the session itself (see `ask`, `wake`).
"""

from __future__ import annotations

import marshal
import os
import sys
from _socket import AF_UNIX, SHUT_WR, SOCK_STREAM, socket

from bpfgen.cc.job import Run

LOCK = "session.lock"
WAKE = "wake"
ASK_SECONDS = 90.0
"""Longer than a session waits for an engine."""
LOST = b"bpfgen: error: the builder's session ended twice in mid-command; see session.log beside its socket\n"
BOOT = "import sys; sys.path.insert(0, sys.argv.pop(1)); from bpfgen.builders.session import main; sys.exit(main())"


class SessionRun(Run):
    """A command that runs in the session."""

    def __init__(self, path: str, words: list[str]) -> None:
        """Starts it; `path` is the session's socket. Raises OSError."""
        self.running = True
        self.output = b""
        """What was written to the standard output, after the end."""
        self._path = path
        self._words = words
        self._connection = self._asked()

    def _asked(self) -> socket:
        connection = connected(self._path)
        try:
            connection.sendall(frame(self._words))
        except OSError:
            pass  # the end shows it
        return connection

    def end(self) -> tuple[int, bytes]:
        """As `Run.end`. A session that is lost is started again, once."""
        self.running = False
        answer = self._answer() or self._again()
        if answer is None:
            return 1, LOST
        status, self.output, messages = answer
        return status, messages

    def _again(self) -> tuple[int, bytes, bytes] | None:
        """By another session. One that was killed may listen for a moment longer than it answers: Linux closes a
        process's files in any order. It resets what it didn't read, and nobody listens then.
        """
        for _ in range(2):
            self._connection = self._asked()
            try:
                return self._received()
            except OSError:
                continue
        return None

    def _answer(self) -> tuple[int, bytes, bytes] | None:
        try:
            return self._received()
        except OSError:
            return None

    def _received(self) -> tuple[int, bytes, bytes] | None:
        try:
            data = received(self._connection)
        finally:
            self._connection.close()
        return marshal.loads(data) if data else None  # noqa: S302 - of a process of our own

    def stop(self) -> None:
        """Cancels it, and waits until nothing of it runs."""
        if self.running:
            self.running = False
            try:
                self._connection.shutdown(SHUT_WR)
            except OSError:
                pass
            self._answer()


def ask(path: str, what: str) -> dict[str, object] | None:
    """What a session says to `status`; empty to `stop`, once it has ended. None where none listens; raises OSError."""
    try:
        connection = _connect(path)
    except OSError:
        return None
    try:
        connection.settimeout(ASK_SECONDS)
        connection.sendall(frame(what))
        data = received(connection)
    except ConnectionError:  # it was about to end
        data = b""
    finally:
        connection.close()
    return marshal.loads(data) if data else {}  # noqa: S302 - of a process of our own


def wake(path: str) -> None:
    """Has the builder start, so that a command that comes soon needn't wait for it; raises OSError."""
    connection = connected(path)
    try:
        connection.sendall(frame(WAKE))
    except ConnectionError:  # it is ending; the command starts another one
        pass
    finally:
        connection.close()


def frame(value: list[str] | tuple[int, bytes, bytes] | str | dict[str, object]) -> bytes:
    """A value as it goes over the socket."""
    data = marshal.dumps(value)
    return len(data).to_bytes(4, "big") + data


def is_whole(data: bytes) -> bool:
    """Whether a frame has come to its end."""
    return len(data) >= 4 and len(data) >= 4 + int.from_bytes(data[:4], "big")


def received(connection: socket) -> bytes:
    """The data of one frame; empty where the other end closed before it was whole."""
    data = b""
    while not is_whole(data):
        more = connection.recv(1 << 16)
        if not more:
            return b""
        data += more
    return data[4:]


def connected(path: str) -> socket:
    """A connection to the session, which is started if none listens; raises OSError."""
    try:
        return _connect(path)
    except OSError:
        pass
    import fcntl

    folder = os.path.dirname(path)
    lock = os.open(f"{folder}/{LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # others start it meanwhile
        try:
            return _connect(path)
        except OSError:
            _start(path, lock)
    finally:
        os.close(lock)
    return _connect(path)


def _connect(path: str) -> socket:
    connection = socket(AF_UNIX, SOCK_STREAM)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def _start(path: str, lock: int) -> None:
    """Starts a session, and waits until it listens. It keeps the lock until then, should this process be ended."""
    read, write = os.pipe()
    for inherited in (write, lock):
        os.set_inheritable(inherited, True)
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    words = [sys.executable, "-c", BOOT, package, path, str(write), str(lock)]
    null = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null, target) for target in (0, 1, 2)]
    try:
        process = os.posix_spawn(words[0], words, os.environ, file_actions=actions)
    finally:
        os.close(write)
        os.close(null)
    os.read(read, 1)
    os.close(read)
    os.waitpid(process, 0)  # it goes on as a process of its own
