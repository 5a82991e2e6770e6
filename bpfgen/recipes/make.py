"""The lines that `make` would run. It asks GNU make itself, by a dry run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence

from bpfgen.errors import EXIT_FAILED, Failure, Location, Problem
from bpfgen.recipes.gather import Line

_FOLDER = re.compile(r"(?:\S*/)?g?make(?:\[\d+\])?: (Entering|Leaving) directory [`'](.*)'")
_TRACE = re.compile(r"([^:\n]+):(\d+): (?:update )?target '")
_OWN = ("MAKEFLAGS", "MFLAGS", "GNUMAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES")
"""What a make above would hand down."""


def lines(root: str, words: Sequence[str], environ: Mapping[str, str]) -> tuple[list[Line], str]:
    """What making `words` (targets and variables) in the absolute folder `root` would run, and make's complaint.

    Recipes aren't run, but for lines that name `$(MAKE)` or begin with `+`, and `$(shell …)` is (GNU make's manual,
    "Instead of Execution" and "Recursion"). Raises Failure: there is no GNU make, or it has no lines at all.
    """
    make = shutil.which("make") or shutil.which("gmake")
    env = {**{name: value for name, value in environ.items() if name not in _OWN}, "LC_ALL": "C"}
    said = _run([make, "--version"], root, env).stdout if make else ""
    version = re.match(r"GNU Make (\d+)", said)
    if not make or not version:
        raise Failure([Problem(None, "there is no GNU make", "install make")], EXIT_FAILED)
    # From 4.0 on it tells a recipe's place.
    trace = ["--trace"] if int(version[1]) >= 4 else []
    argv = [make, "--dry-run", "--always-make", "--keep-going", "--print-directory", *trace, *words]
    done = _run(argv, root, env)
    complaint = done.stderr.strip() if done.returncode else ""
    found = list(read(done.stdout, root))
    if complaint and not found:
        raise Failure([Problem(None, f"make -n: {complaint}", "name a target that it has")], EXIT_FAILED)
    return found, complaint


def _run(argv: Sequence[str], folder: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        cwd=folder,
        env=env,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
    )


def read(said: str, root: str) -> Iterator[Line]:
    """Output of a dry run → its lines; those that a backslash continues are one. Pure."""
    folders = [root]
    where = None
    joined = ""
    for text in said.split("\n"):
        joined += text
        if (len(text) - len(text.rstrip("\\"))) % 2:
            joined += "\n"
            continue
        whole, joined = joined, ""
        moved = _FOLDER.fullmatch(whole)
        trace = _TRACE.match(whole)
        if moved:
            folders[:] = [*folders, moved[2]] if moved[1] == "Entering" else folders[:-1] or [root]
        elif trace:
            path = os.path.relpath(os.path.join(folders[-1], trace[1]), root)
            where = Location(path, int(trace[2]))
        elif whole.strip():
            yield Line(where, folders[-1], whole)
