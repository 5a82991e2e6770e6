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

from bpfgen.builders import Gone, Unavailable, ssh
from bpfgen.builders.mirror import Mirror
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
KILLER = 'while IFS= read -r line; do eval "$line"; done'


class Channels(Stream):
    """What the session takes for a shell: threads with a channel each, and a socket on which they say what ended."""

    def __init__(self, settings: Settings) -> None:
        """Connects, and brings the project's files over; raises Unavailable."""
        assert settings.remote is not None
        self.settings, self.remote = settings, settings.remote
        self.paths = Paths(settings)
        self.mirror = Mirror(settings, self.paths)
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
        self._connect()
        for _ in range(AT_ONCE):  # while rsync looks
            self._another()
        self.mirror.refresh(time.monotonic(), ())

    def _connect(self) -> None:
        remote = self.remote
        made = [f"{remote.base}/t", *([remote.project] if remote.copied else [])]
        folders = " ".join(map(shlex.quote, made))
        clean = f"rm -f {shlex.quote(remote.base)}/t/*"  # of a session that was killed
        script = f"mkdir -p {folders} && {clean} && echo made; {remote.look}"
        try:
            said = ssh.output(remote.connection, remote.host, script).decode(errors="replace")
        except Unavailable as error:
            if self.settings.kind == "ssh":
                raise
            # It may be down; whoever asks again starts it.
            raise Gone(f"{str(error).splitlines()[0]}\n  hint: run ninja again, which starts the machine") from error
        _, made_there, seen = said.partition("made\n")
        if not made_there:
            raise Unavailable(f"{remote.name} lets nobody write {remote.base}")
        if seen != remote.seen:
            raise Gone(f"the compiler of {remote.name} is another one; the next ninja asks for it")

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

    def _another(self) -> None:
        """Another channel, where that is allowed."""
        with self._lock:
            if self._count >= self._limit:
                return
            self._count += 1
            name = self._count
        threading.Thread(target=self._serve, args=(name,), daemon=True).start()

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

    def _serve(self, name: int) -> None:
        """A thread: its channel, and one task after another."""
        worker: Optional[Worker] = None
        task: Optional[Task] = None
        try:
            worker = Worker(self.settings, self.paths, self._sent, f"{os.getpid()}.{name}")
            while task := self._tasks.get():
                self._do(worker, task)
        except (Lost, OSError, ValueError, IndexError):
            if worker is None and self._fewer():
                return
            print(f"a channel to {self.remote.name} ended", flush=True)
            with contextlib.suppress(OSError):
                self._says.shutdown(socket.SHUT_WR)
        finally:
            if worker:
                worker.stream.close()

    def _fewer(self) -> bool:
        """Whether the machine just allows no more channels."""
        with self._lock:
            self._count -= 1
            self._limit = self._count
            return self._count > 0

    def _do(self, worker: Worker, task: Task) -> None:
        try:
            self.mirror.refresh(task.asked, task.words)
            status = self._locked(worker, task)
        except Unavailable as error:
            status = 1
            write(task.files[1], f"bpfgen: error: {error}\n".encode())
        self._running.pop(task.number, None)
        self._say(f"{task.number} {status}")

    def _locked(self, worker: Worker, task: Task) -> int:
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
            return 143 if task.cancelled else worker.run(task, brought, self.kill)

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
