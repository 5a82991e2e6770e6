"""Knows without reading `build.toml` that nothing changed since the last run.

This is on the path of every `bpfgen`, so it imports nothing that isn't loaded with the interpreter. The notes are text:
a line of what the run depended on besides files, then `CTIME_NS SIZE PATH` for each file or folder. `- -` stands for
one that isn't there, `+ +` for one that must be there and whose contents are Ninja's matter. The change time is
looked at, because package managers install files with old modification times.
"""

from __future__ import annotations

import os
import sys

NOTES = "inputs"
RACY_NS = 50_000_000
"""A file that changed this shortly before it was read can change again without a new time stamp (kernel ticks are 1
to 10 ms).
"""


def fresh(ninja_file: str = "build.ninja") -> bool:
    """Whether plain `bpfgen` in this folder would change nothing."""
    folder = notes_folder(ninja_file)
    if not folder:
        return False
    try:
        with open(folder + NOTES, encoding="utf-8") as file:
            lines = file.read().split("\n")
    except (OSError, ValueError):
        return False
    if len(lines) < 2 or lines[0] != surroundings():
        return False
    for line in lines[1:-1]:
        ctime, size, path = line.split(" ", 2)
        now = stamp(path)
        if now == "- -" if ctime == "+" else f"{ctime} {size}" != now:
            return False
    return True


def notes_folder(ninja_file: str) -> str:
    """Where the run that wrote the Ninja file keeps its notes, with a `/` at the end; empty where there was none."""
    try:
        with open(ninja_file, encoding="utf-8") as file:
            return file.readline().rstrip("\n").rpartition("; notes in ")[2]
    except (OSError, ValueError):
        return ""


def surroundings() -> str:
    """What else the run depends on: the folder, the interpreter and where it looks for compilers."""
    words = (os.getcwd(), sys.executable, sys.version, *(os.environ.get(name, "") for name in ("PATH", "DOCKER_HOST")))
    return " ".join(words).replace("\n", " ")


def stamp(path: str, racy_after: int | None = None) -> str:
    """Change time and size of a path, `- -` when there is none; `? ?`, equal to nothing, when it changed after
    `racy_after` (ns).
    """
    try:
        stat = os.stat(path)
    except OSError:
        return "- -"
    if racy_after is not None and stat.st_ctime_ns > racy_after:
        return "? ?"
    # A folder's size says nothing that its time doesn't.
    return f"{stat.st_ctime_ns} {stat.st_size}"
