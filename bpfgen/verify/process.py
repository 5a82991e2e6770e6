"""A process that is listened to until a deadline, and that never outlives the one that started it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import Callable, Optional, Union

from bpfgen.errors import EXIT_FAILED, Failure, Problem
from bpfgen.frozen import frozen
from bpfgen.verify.protocol import Event, Heard, Silence, heard


@frozen
class Deadlines:
    """Seconds, each at most."""

    boot: float
    """Until the loader starts."""
    load: float
    """For each object."""


@frozen
class Talk:
    """A process's part, when it has ended."""

    heard: Heard
    code: Optional[int]
    """Its exit code; None where it was ended."""
    said: str
    """Its messages."""


def talk(words: Sequence[str], deadlines: Deadlines, note: Callable[[Event], None], stdin: bytes = b"") -> Talk:
    """Runs a loader, or the machine that has one; raises `Failure` where the command can't be started."""
    with tempfile.TemporaryFile() as messages, tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        with _started(words, messages.fileno(), given.fileno() if stdin else subprocess.DEVNULL) as process:
            clock = _Clock(deadlines)

            def noted(event: Event) -> None:
                clock.heard(event)
                note(event)

            assert process.stdout is not None
            found = heard(_lines(process.stdout.fileno(), clock), noted)
            code = _end(process, found)
        messages.seek(0)
        return Talk(found, code, messages.read().decode(errors="replace").strip())


class _Clock:
    """When the next line must have come."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self.until = time.monotonic() + deadlines.boot

    def heard(self, event: Event) -> None:
        if event["event"] in ("start", "begin", "end", "module"):
            self.until = time.monotonic() + self._deadlines.load


def _lines(file: int, clock: _Clock) -> Iterator[bytes]:
    rest = b""
    while True:
        left = clock.until - time.monotonic()
        if left <= 0 or not select.select([file], [], [], left)[0]:
            raise Silence
        block = os.read(file, 1 << 16)
        if not block:
            return
        *lines, rest = (rest + block).split(b"\n")
        yield from lines


def _end(process: subprocess.Popen[bytes], found: Heard) -> Optional[int]:
    """What has done its job gets the time to end; what is silent gets none."""
    if found.ended == "silent":
        return None
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(GRACE)
    return None


GRACE = 5
"""Seconds from the last answer to the end of a machine, which restarts then."""


@contextlib.contextmanager
def _started(words: Sequence[str], stderr: int, stdin: int) -> Iterator[subprocess.Popen[bytes]]:
    # Without a session of its own: what a terminal or Ninja ends, ends it too.
    orphan = _end_with_parent if sys.platform.startswith("linux") else None
    try:
        process = subprocess.Popen(
            words,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            preexec_fn=orphan,  # noqa: PLW1509 - it calls one function of the C library, and no thread runs here
        )
    except OSError as error:
        raise Failure([Problem(None, f"{words[0]}: {error.strerror}")], EXIT_FAILED) from error
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


PR_SET_PDEATHSIG = 1
"""linux/prctl.h"""
_LIBC: Union[ctypes.CDLL, None] = ctypes.CDLL(None) if sys.platform.startswith("linux") else None


def _end_with_parent() -> None:
    """Asks the kernel to kill this process when its parent has gone, also when nobody is left to do it (prctl(2))."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
