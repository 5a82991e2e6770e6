"""Writes files whole or not at all, and removes them. On the path of every compile edge: it imports little."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False  # typing's own costs 9 ms
if TYPE_CHECKING:
    from collections.abc import Iterable


_BLOCK = 1 << 20


def holds(path: str, data: bytes) -> bool:
    """Whether a file is there and holds these bytes; no more than a block of it is in memory at a time."""
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size != len(data):
                return False
            return all(file.read(_BLOCK) == data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK))
    except OSError:
        return False


def write_if_changed(path: str, data: bytes) -> bool:
    """Writes `data` to `path` unless it holds these bytes already; says whether it wrote.

    A reader sees the old file or the new one, never a part (rename(2)). Folders above are made. Raises `OSError`.
    """
    if holds(path, data):
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
        _unlink(temporary)
        if isinstance(error, OSError):
            error.filename, error.filename2 = path, None  # the user knows this one
        raise
    return True


def remove(paths: Iterable[str]) -> None:
    """Removes files, and the folders that are empty then; what isn't there is no error."""
    folders = {os.path.dirname(path) for path in paths if _unlink(path)}
    for folder in sorted(folders, key=len, reverse=True):
        try:
            os.removedirs(folder)
        except OSError:
            pass


def _unlink(path: str) -> bool:
    """Whether there was such a file, which is gone now."""
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def sha256(path: str) -> str:
    """The hash of a file's contents, in hexadecimal digits; raises OSError."""
    import hashlib  # a compile edge doesn't need it

    content = hashlib.sha256()
    with open(path, "rb") as file:
        while data := file.read(_BLOCK):
            content.update(data)
    return content.hexdigest()
