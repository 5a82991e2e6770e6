"""`bpfgen.lock`: what a build came from, under version control. `images` is `builders.image`'s, `built` is `lock`'s."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from bpfgen.files import write_if_changed

FILE = "bpfgen.lock"


def read(root: str) -> dict[str, Any]:
    """The file of a project, empty where there is none; raises OSError, and ValueError for one that nobody should write
    over: half of a merge, perhaps.
    """
    try:
        with open(os.path.join(root, FILE), encoding="utf-8") as file:
            value = json.load(file)
    except FileNotFoundError:
        return {}
    except RecursionError:
        value = None
    if not isinstance(value, dict):
        raise ValueError("no JSON object")
    return value


def write(root: str, lock: dict[str, Any]) -> bool:
    """Writes the file where it changes, and says whether it did. Sorted, and a value a line, for version control."""
    path = os.path.join(root, FILE)
    if not write_if_changed(path, (json.dumps(lock, indent=1, sort_keys=True) + "\n").encode()):
        return False
    # A Ninja file that depends on it came from what it says already.
    before = time.time() - 60
    os.utime(path, (before, before))
    return True
