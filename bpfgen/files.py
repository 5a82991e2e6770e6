"""Writes files whole or not at all, and removes them."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable


def write_if_changed(path: str, data: bytes) -> bool:
    """Writes `data` to `path` unless it holds these bytes already; says whether it wrote.

    A reader sees the old file or the new one, never a part (rename(2)). Folders above are made. Raises `OSError`.
    """
    with contextlib.suppress(OSError), open(path, "rb") as file:
        if file.read() == data:
            return False
    folder = os.path.dirname(path) or "."
    os.makedirs(folder, exist_ok=True)
    # A name of its own for each writer: two can write one file at once, in two containers with the same process id.
    temporary = os.path.join(folder, f".bpfgen-{os.getpid()}-{time.monotonic_ns()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            error.filename, error.filename2 = path, None  # the user knows this one
        raise
    return True


def remove(paths: Iterable[str]) -> None:
    """Removes files, and the folders that are empty then; what isn't there is no error."""
    folders = set()
    for path in paths:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(path)
            folders.add(os.path.dirname(path))
    for folder in sorted(folders, key=len, reverse=True):
        with contextlib.suppress(OSError):
            os.removedirs(folder)
