"""What the last run left: where its output folder was, what it recorded there."""

from __future__ import annotations

import glob
import os
from typing import Optional

from bpfgen.builders.settings import FILE, LOG, SOCKET, said_files
from bpfgen.compile import Layout
from bpfgen.launcher import COMPILER, LAUNCHER, STATSLOG
from bpfgen.memo import NOTES, notes_folder
from bpfgen.plan import NINJA_FILE

BUILDER = (FILE, SOCKET, LOG, "session.lock", "history", "ssh_config")
"""Notes of a builder that isn't this host."""


SCRATCH = ("again-*", "check-*")
"""Folders of notes in which something is built beside (see `committed.rebuild`, `commands.check`); one that is killed
leaves its own.
"""


def last_layout() -> Optional[Layout]:
    """The output folder of the last run, from the Ninja file's first line; None where there was none."""
    folder = notes_folder(NINJA_FILE)
    return Layout(folder[: -len("/.bpfgen/")]) if folder.endswith("/.bpfgen/") else None


def recorded(layout: Layout) -> list[str]:
    """Every file that the Ninja file of the last run makes."""
    try:
        with open(layout.note("outputs"), encoding="utf-8") as file:
            return [line for line in file.read().split("\n") if line]  # not splitlines: names may hold U+2028
    except (OSError, ValueError):
        return []


def own_files(layout: Layout) -> list[str]:
    """What bpfgen and Ninja keep for themselves in the output folder."""
    notes = (NOTES, "outputs", COMPILER, LAUNCHER, STATSLOG, "plan.json", "probe.json", "toolchain", "lock", *BUILDER)
    logs = (".ninja_log", ".ninja_deps", ".ninja_lock")
    folders = (
        f"{layout.out}/sysroot",
        *(path for name in SCRATCH for path in glob.glob(glob.escape(layout.note("")) + name)),
    )
    headers = [os.path.join(base, name) for folder in folders for base, _, files in os.walk(folder) for name in files]
    said = said_files(layout.note("").rstrip("/"))
    return [*(layout.note(name) for name in notes), *said, *(f"{layout.out}/{name}" for name in logs), *headers]
