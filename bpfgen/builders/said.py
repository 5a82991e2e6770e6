"""What sessions and their commands leave in files."""

from __future__ import annotations

import contextlib
import os

LOG_BYTES = 1_000_000


def say_to(log: str) -> None:
    """Has this process write to a log, which begins anew where it is too long; raises OSError."""
    with contextlib.suppress(OSError):
        if os.stat(log).st_size > LOG_BYTES:
            os.unlink(log)
    opened = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(opened, 1)
    os.dup2(opened, 2)


def last_line(path: str) -> str:
    """The last line of a log, for a message."""
    return (text_of(path).strip().splitlines() or ["it says nothing"])[-1]


def text_of(path: str) -> str:
    """What a file holds; empty where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def taken(path: str) -> bytes:
    """What a file holds, which is removed."""
    try:
        with open(path, "rb") as file:
            data = file.read()
        os.unlink(path)
    except OSError:
        return b""
    return data
