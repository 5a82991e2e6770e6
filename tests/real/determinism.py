"""Runs the command of an edge again and again: an object is the same bytes each time."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from project import NINJA


def digests(root: Path, objects: list[str], times: int) -> dict[str, set[str]]:
    """The SHA-256 of each object of a built project, of so many builds of it; `objects` are paths from `root`.

    Every other build finds no reduced header from the one before.
    """

    def build(name: str) -> set[str]:
        commands = subprocess.run(
            (NINJA, "-t", "commands", "-s", name), cwd=root, check=True, capture_output=True, text=True
        ).stdout.splitlines()
        reduced = root / "out" / "fast" / Path(name).relative_to("out")
        found = set()
        for number in range(times):
            (root / name).unlink()
            if number % 2:
                shutil.rmtree(reduced, ignore_errors=True)
            subprocess.run(commands[-1], shell=True, cwd=root, check=True, capture_output=True)
            found.add(hashlib.sha256((root / name).read_bytes()).hexdigest())
        return found

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(objects, pool.map(build, objects)))
