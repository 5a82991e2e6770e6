"""The session: one process for each checkout that holds a builder's container and gives it commands (see `cc.session`).
Of a remote machine it holds channels (see `channels`), for which the same is true.

Commands are taken at once; the container starts meanwhile, in a thread. Its life hangs on its standard input, which
this process holds: however the process ends, the container does, and the engine removes it.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import selectors
import socket
import sys
import threading
import time
from typing import Any, Optional

from bpfgen.builders import Gone, Unavailable, engine
from bpfgen.builders.said import last_line, say_to, taken, text_of
from bpfgen.builders.settings import FILE, LOG, Settings, parse, said_files
from bpfgen.builders.stream import LOOP, PipeStream, Stream
from bpfgen.cc.session import WAKE, frame, is_whole
from bpfgen.files import remove

IDLE_SECONDS = 20.0
STOPPED = "the builder's session was stopped"


class Command:
    """What a client asked for."""

    def __init__(self, number: int, connection: socket.socket) -> None:
        self.number = number
        self.connection = connection
        self.data = b""
        self.words: list[str] = []
        self.pid = 0
        """In the container; 0 until it is known."""
        self.sent = False
        self.cancelled = False


class Session:
    """Commands, and the container they run in."""

    def __init__(self, path: str) -> None:
        """Listens at `path`; raises OSError."""
        self.folder = os.path.dirname(path)
        self.path = path
        self.commands: dict[int, Command] = {}
        self.stream: Optional[Stream] = None
        self._starting = False
        self._failure = ""
        self._stale = False
        """Whether what is asked for now waits for another container."""
        self._settings = ""
        self._number = 0
        self._answered = 0
        self._said = b""
        self._began = self._used = time.monotonic()
        self._stopper: Optional[int] = None
        """The descriptor of whoever had it stopped; it closes with this process, when nothing is left."""
        self._selector = selectors.DefaultSelector()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        os.chmod(path, 0o600)
        self._listener.listen(1024)
        self._wake, self._waker = socket.socketpair()
        for source in (self._listener, self._wake):
            self._selector.register(source, selectors.EVENT_READ, source)

    def serve(self) -> None:
        """Until nothing was asked for `IDLE_SECONDS`, or the container is lost."""
        try:
            while self.commands or time.monotonic() - self._used < IDLE_SECONDS:
                for key, _ in self._selector.select(1.0):
                    if not self._handle(key.data):
                        return
        finally:
            # In this order: whoever finds no socket starts another session.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
            self._listener.close()
            if self.stream:
                self.stream.close()
                if self._stopper is not None:
                    self.stream.gone()

    def _handle(self, source: object) -> bool:
        """Whether to go on."""
        if source is self._listener:
            self._accept()
        elif source is self._wake:
            return self._started()
        elif isinstance(source, Command):
            self._read(source)
            return self._stopper is None or self._starting or self._fail()
        else:
            return self._hear()
        return True

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        self._number += 1
        command = Command(self._number, connection)
        self.commands[command.number] = command
        self._selector.register(connection, selectors.EVENT_READ, command)

    def _renew(self) -> None:
        """A container with the settings of now; the old one goes once nothing runs in it."""
        text = text_of(f"{self.folder}/{FILE}")
        if self._starting:
            return
        if self.stream and text == self._settings:
            if self._stale:  # no longer
                self._stale = False
                self._send_all()
            return
        if self.stream:
            self._stale = any(command.sent for command in self.commands.values())
            if self._stale:
                return
            self._selector.unregister(self.stream)
            self.stream.close()
            self.stream = None
        self._settings = text
        self._starting = True
        threading.Thread(target=self._start, args=(text,), daemon=True).start()

    def _start(self, text: str) -> None:
        try:
            stream = begin(parse(text), LOOP)
            stream.greet()
            if b"ready" not in stream.receive():
                stream.close()
                raise Unavailable(f"the builder ended at once: {last_line(f'{self.folder}/{LOG}')}")
            self.stream = stream
        except (Unavailable, ValueError, OSError) as error:
            if isinstance(error, Gone):  # Ninja makes what is missing, and bpfgen the image then
                remove([f"{self.folder}/{name}" for name in ("probe.json", "inputs", "toolchain")])
            self._failure = self._failure or str(error) or "the builder can't be started"
        self._waker.send(b".")

    def _started(self) -> bool:
        self._wake.recv(1)
        self._starting = False
        if self._failure:
            return self._fail()
        assert self.stream is not None
        print("the builder runs", flush=True)
        self._selector.register(self.stream, selectors.EVENT_READ, self.stream)
        self._send_all()
        return True

    def _fail(self) -> bool:
        """Says to everybody why the session ends."""
        print(f"error: {self._failure}", flush=True)
        for command in list(self.commands.values()):
            self._answer(command, 1, b"", f"bpfgen: error: {self._failure}\n".encode())
        return False

    def _send_all(self) -> None:
        for command in list(self.commands.values()):
            self._send(command)

    def _read(self, command: Command) -> None:
        try:
            data = command.connection.recv(1 << 16)
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(command.connection)
            self._cancel(command)
            return
        command.data += data
        if is_whole(command.data):
            asked = marshal.loads(command.data[4:])  # noqa: S302 - of a process of our own
            if isinstance(asked, str):
                self._request(command, asked)
                return
            command.words = asked
            self._renew()
            self._send(command)

    def _request(self, command: Command, asked: str) -> None:
        """`status` or `stop`, neither of which starts a container or keeps one; or `wake`."""
        self._selector.unregister(command.connection)
        del self.commands[command.number]
        if asked == WAKE:
            command.connection.close()
            self._renew()
            return
        if asked == "stop":
            self._failure, self._stopper = STOPPED, command.connection.detach()
            return
        with contextlib.suppress(OSError):
            command.connection.sendall(frame(self._status()))
        command.connection.close()

    def _status(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "seconds": round(time.monotonic() - self._began),
            "container": self.stream.container if self.stream else "",
            "commands": self._answered,
            "active": len(self.commands),
        }

    def _cancel(self, command: Command) -> None:
        command.cancelled = True
        if not command.sent:
            self._answer(command, 143, b"", b"")
        elif command.pid and self.stream:
            self.stream.kill(command.pid)

    def _send(self, command: Command) -> None:
        if self.stream is None or self._starting or self._stale or not command.words or command.sent:
            return
        if any("\n" in word for word in command.words):
            self._answer(command, 1, b"", b"bpfgen: error: a line break in a word of a command\n")
            return
        command.sent = True
        self.stream.run(command.number, self._files(command), command.words)

    def _files(self, command: Command) -> tuple[str, str]:
        base = f"{self.folder}/session.{os.getpid()}.{command.number}"
        return f"{base}.out", f"{base}.err"

    def _hear(self) -> bool:
        assert self.stream is not None
        try:
            data = self.stream.receive()
        except OSError:
            data = b""
        if not data:
            print("the builder is lost", flush=True)
            return False
        *lines, self._said = (self._said + data).split(b"\n")
        for line in lines:
            self._line(line.decode(errors="replace"))
        return True

    def _line(self, line: str) -> None:
        number, _, rest = line.partition(" ")
        command = self.commands.get(int(number)) if number.isdigit() else None
        if command is None:
            if line != "ready":
                print(line, flush=True)
        elif rest.startswith("pid "):
            command.pid = int(rest[4:])
            if command.cancelled:
                self._cancel(command)
        else:
            status = int(rest)
            output, messages = map(taken, self._files(command))
            if status > 128 and not command.cancelled:
                messages += f"{command.words[0]} was ended by signal {status - 128}\n".encode()
            self._answer(command, status, output, messages)

    def _answer(self, command: Command, status: int, output: bytes, messages: bytes) -> None:
        with contextlib.suppress(OSError):
            command.connection.setblocking(True)
            command.connection.sendall(frame((status, output, messages)))
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(command.connection)
        command.connection.close()
        del self.commands[command.number]
        self._answered += 1
        self._used = time.monotonic()
        if not self._failure and self.commands:
            self._renew()


def begin(settings: Settings, script: str) -> Stream:
    """The shell of some settings, and of a remote machine one that takes commands; raises Unavailable, OSError."""
    if settings.kind == "shell":
        return PipeStream(("/bin/sh", "-c", script), 2)
    if settings.remote:
        from bpfgen.builders.channels import Channels

        return Channels(settings)
    started: Stream = engine(settings.kind).start(settings, script)
    return started


def main() -> int:
    """`SOCKET READY LOCK`: two descriptors, which are closed when it listens."""
    path, ready, lock = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if os.fork():
        os._exit(0)
    os.setsid()
    say_to(f"{os.path.dirname(path)}/{LOG}")
    remove(said_files(os.path.dirname(path)))  # of a session that was killed
    session = Session(path)
    os.close(ready)
    os.close(lock)
    session.serve()
    return 0
