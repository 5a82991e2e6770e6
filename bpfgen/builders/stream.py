"""A shell somewhere else, held by its standard input: when that closes, however it does, the shell ends."""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import subprocess
from collections.abc import Sequence

# Commands run beside each other. Each is started by a subshell that is waited for: then the shell collects what ended.
# `run ID OUT ERR WORDS…` says `ID pid PID`, then `ID STATUS`.
LOOP = """
run() {
  id=$1 out=$2 err=$3
  shift 3
  "$@" </dev/null >"$out" 2>"$err" &
  echo "$id pid $!"
  wait $!
  echo "$id $?"
}
while IFS= read -r line; do ( eval "$line" & ); done
"""


class Stream:
    """Standard input and output of a shell. `fileno` is for `select`."""

    container = ""
    """Its name or id to the engine; empty where there is none."""

    def fileno(self) -> int:
        """The descriptor to wait on."""
        raise NotImplementedError

    def send(self, data: bytes) -> None:
        """Writes to the shell; raises OSError."""
        raise NotImplementedError

    def greet(self) -> None:
        """Has it say `ready`, a line; raises OSError."""
        self.send(b"echo ready\n")

    def run(self, number: int, files: tuple[str, str], words: Sequence[str]) -> None:
        """Has it run a command, with output and messages into two files: it says `NUMBER pid PID`, `NUMBER STATUS`.

        Raises OSError.
        """
        line = " ".join(map(shlex.quote, (str(number), *files, *words)))
        self.send(f"run {line}\n".encode(errors="surrogateescape"))

    def kill(self, process: int) -> None:
        """Ends a command, by what was said of it; raises OSError."""
        self.send(f"kill -9 {process}\n".encode())

    def receive(self) -> bytes:
        """Waits for some of what the shell writes; empty at its end."""
        raise NotImplementedError

    def close(self) -> None:
        """Ends the shell."""
        raise NotImplementedError

    def gone(self) -> None:
        """Waits, once it is closed, until the engine has removed the container; not for ever."""


class PipeStream(Stream):
    """A program that is the shell, or hands its own input and output on to it."""

    def __init__(self, words: Sequence[str], errors: int) -> None:
        """Starts it; `errors` is a descriptor for its messages. Raises OSError."""
        # A session of its own: an interrupt from a terminal is the builder's to handle.
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, bufsize=0, start_new_session=True
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout

    def fileno(self) -> int:
        return self._output.fileno()

    def send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._input.fileno(), view) :]

    def receive(self) -> bytes:
        return os.read(self._output.fileno(), 1 << 16)

    def ended(self) -> int:
        """The exit code, once the output has ended."""
        self._input.close()
        return self._process.wait()

    def close(self) -> None:
        # Not waited for, nor killed: podman removes the container last of all, which takes what it takes.
        self._input.close()
        self._output.close()


class FramedStream(Stream):
    """A socket on which an engine multiplexes output and errors (Docker's API, "Attach to a container")."""

    def __init__(self, connection: socket.socket, owner: object = None) -> None:
        self._socket = connection
        self._owner = owner  # what would close the socket if it were collected
        self._data = b""

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self) -> bytes:
        """Both streams, since a shell's own errors are for people too."""
        while len(self._data) < 8 or len(self._data) < 8 + self._length():
            more = self._socket.recv(1 << 16)
            if not more:
                return b""
            self._data += more
        found = b""
        while len(self._data) >= 8 and len(self._data) >= 8 + self._length():
            end = 8 + self._length()
            found += self._data[8:end]
            self._data = self._data[end:]
        return found

    def _length(self) -> int:
        return int.from_bytes(self._data[4:8], "big")

    def close(self) -> None:
        # Its owner holds it, too, and to close it here alone would not end the connection.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
