"""Commands on a remote machine: each goes over a channel of the one connection (see `worker`)."""

from __future__ import annotations

import contextlib
import os
import queue
import shlex
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Optional

from bpfgen.builders import Gone, Unavailable, ssh, worker
from bpfgen.builders.mirror import MARKS, Disconnected, Mirror
from bpfgen.builders.paths import Paths
from bpfgen.builders.settings import Settings
from bpfgen.builders.stream import PipeStream, Stream
from bpfgen.builders.worker import Lost, Task, Worker, write
from bpfgen.cc import VMLINUX

CHANNELS = 8
"""sshd allows 10 on one connection by default (sshd_config(5), "MaxSessions"); others are to kill and for rsync."""

AT_ONCE = 2
"""So many are there from the start."""
PACKAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "clang")
FIRST = """
mkdir -p {folders} && rm -f {base}/t/* && echo made
for mark in {base}/{marks}/*; do [ -f "$mark" ] && read -r copy <"$mark" && echo "${{mark##*/}} $copy"; done
echo look
{look}
{worker}
"""
"""What is said when a session begins; files of a session that was killed are removed."""
KILLER = 'while IFS= read -r line; do eval "$line"; done'


class Channels(Stream):
    """What the session takes for a shell: threads with a channel each, and a socket on which they say what ended."""

    def __init__(self, settings: Settings) -> None:
        """Connects, and brings the project's files over; raises Unavailable."""
        assert settings.remote is not None
        self.settings, self.remote = settings, settings.remote
        self.paths = Paths(settings)
        self._tasks: queue.SimpleQueue[Optional[Task]] = queue.SimpleQueue()
        self._running: dict[int, Task] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._count = 0
        self._limit = CHANNELS
        self._heard, self._says = socket.socketpair()
        self._control: Optional[PipeStream] = None
        self._sent: dict[str, bytes] = {}
        """What was brought in commands' channels, by its path there."""
        first, marks = self._connect()
        self.mirror = Mirror(settings, self.paths, marks)
        self._another(first)
        for _ in range(AT_ONCE - 1):  # while files are brought
            self._another()
        self.mirror.refresh(time.monotonic(), ())

    def _connect(self) -> tuple[Worker, dict[str, str]]:
        """The first channel makes the connection, since to open another one can take as long: by it, the worker, and
        the marks of copies that are there.
        """
        remote = self.remote
        made = [f"{remote.base}/t", *([remote.project] if remote.copied else [])]
        script = FIRST.format(
            folders=" ".join(map(shlex.quote, made)),
            base=shlex.quote(remote.base),
            marks=MARKS,
            look=remote.look,
            worker=worker.script(remote, f"{os.getpid()}.1"),
        )
        try:
            first = ssh.opened(remote, script, lambda stream: Worker(self.settings, self.paths, self._sent, stream))
        except Unavailable as error:
            if self.settings.kind == "ssh":
                raise
            # It may be down; whoever asks again starts it.
            raise Gone(f"{str(error).splitlines()[0]}\n  hint: run ninja again, which starts the machine") from error
        _, made_there, said = first.said.decode(errors="replace").partition("made\n")
        marks, _, seen = said.partition("look\n")
        if made_there and seen == remote.seen:
            return first, dict(line.split(" ", 1) for line in marks.splitlines())
        first.stream.close()
        if made_there:
            raise Gone(f"the compiler of {remote.name} is another one; the next ninja asks for it")
        raise Unavailable(f"{remote.name} lets nobody write {remote.base}")

    def fileno(self) -> int:
        return self._heard.fileno()

    def greet(self) -> None:
        self._say("ready")

    def receive(self) -> bytes:
        return self._heard.recv(1 << 16)

    def run(self, number: int, files: tuple[str, str], words: Sequence[str]) -> None:
        task = self._running[number] = Task(number, files, words)
        self._say(f"{number} pid {number}")
        if len(self._running) > self._count:
            self._another()
        self._tasks.put(task)

    def _another(self, opened: Optional[Worker] = None) -> None:
        """Another channel, where that is allowed; or one that is there."""
        with self._lock:
            if self._count >= self._limit:
                return
            self._count += 1
            name = self._count
        threading.Thread(target=self._serve, args=(name, opened), daemon=True).start()

    def kill(self, process: int) -> None:
        task = self._running.get(process)
        if task is None:
            return
        task.cancelled = True
        if task.process:
            with self._lock:
                if self._control is None:
                    self._control = ssh.channel(self.remote, KILLER, 2)
                self._control.send(f"kill -9 {task.process}\n".encode())

    def close(self) -> None:
        for _ in range(self._count):
            self._tasks.put(None)
        if self._control:
            self._control.close()
        self._heard.close()

    def _say(self, line: str) -> None:
        with contextlib.suppress(OSError):
            self._says.sendall(f"{line}\n".encode())

    def _serve(self, name: int, opened: Optional[Worker]) -> None:
        """A thread: its channel, and one task after another."""
        try:
            if opened is None:
                stream = ssh.channel(self.remote, worker.script(self.remote, f"{os.getpid()}.{name}"), 2)
                opened = Worker(self.settings, self.paths, self._sent, stream)
            while task := self._tasks.get():
                self._do(opened, task)
        except (Lost, OSError, ValueError, IndexError):
            if opened is None and self._fewer():
                return
            print(f"a channel to {self.remote.name} ended", flush=True)
            with contextlib.suppress(OSError):
                self._says.shutdown(socket.SHUT_WR)
        finally:
            if opened:
                opened.stream.close()

    def _fewer(self) -> bool:
        """Whether the machine just allows no more channels."""
        with self._lock:
            self._count -= 1
            self._limit = self._count
            return self._count > 0

    def _do(self, channel: Worker, task: Task) -> None:
        try:
            self.mirror.refresh(task.asked, task.words)
            status = self._locked(channel, task)
        except Disconnected as error:  # the session ends, and whoever waits for it starts another
            raise Lost from error
        except Unavailable as error:
            status = 1
            write(task.files[1], f"bpfgen: error: {error}\n".encode())
        self._running.pop(task.number, None)
        self._say(f"{task.number} {status}")

    def _locked(self, channel: Worker, task: Task) -> int:
        """No two commands with one file of the output folder to bring: one may be left of a build that was ended.
        bpfgen's own files don't change.
        """
        brought = list(self._brought(task))
        made = sorted(path for path in brought if not path.startswith(PACKAGE))
        with self._lock:
            locks = [self._locks.setdefault(path, threading.Lock()) for path in made]
        with contextlib.ExitStack() as held:
            for lock in locks:
                held.enter_context(lock)
            return 143 if task.cancelled else channel.run(task, brought, self.kill)

    def _brought(self, task: Task) -> Iterator[str]:
        """Files that a command reads, besides the project's own and the whole headers: of the output folder, by their
        paths relative to the project, and of bpfgen's package.
        """
        out = f"{self.remote.out}/"
        for before, word in zip(["", *task.words], task.words):
            if word.startswith(f"{PACKAGE}/"):
                yield word
            if not word.startswith(out) or before in {"-o", "-MF"}:
                continue
            path = os.path.join(self.settings.root, word)
            if word.startswith(f"{out}fast/") and os.path.exists(f"{path}/{VMLINUX}"):
                yield f"{word}/{VMLINUX}"
            elif os.path.isfile(path):
                yield word
