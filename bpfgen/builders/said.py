"""What sessions and their commands leave in files."""

from __future__ import annotations

import os


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
