"""Runs Ninja, and asks it what compiles read."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from bpfgen.errors import EXIT_FAILED, Failure, Problem


def build(words: Sequence[str], quiet: bool) -> None:
    """`ninja WORDS…`; its output goes to the standard error, and where it is to be quiet, only if it fails. Raises
    `Failure` where it does.
    """
    good, said = attempt(words, quiet)
    if not good:
        sys.stderr.buffer.write(said)
        raise Failure([Problem(None, "the build fails, for the reasons above")], EXIT_FAILED)


def attempt(words: Sequence[str], quiet: bool) -> tuple[bool, bytes]:
    """`ninja WORDS…`: whether it succeeds, and what it said where it is to be quiet."""
    done = subprocess.run(
        (_path(), *words),
        check=False,
        stdout=subprocess.PIPE if quiet else sys.stderr.fileno(),
        stderr=subprocess.STDOUT,
    )
    return done.returncode == 0, done.stdout or b""


def is_shown(args: argparse.Namespace) -> bool:
    """Whether a build's progress is shown: to somebody who waits, or who asks for it."""
    return bool(args.verbose or (sys.stderr.isatty() and not args.quiet))


def is_built(*paths: str) -> bool:
    """Whether Ninja has nothing to do for these files, or for what it makes unasked."""
    done = subprocess.run((_path(), "-n", *paths), check=False, capture_output=True)
    return b"no work to do" in done.stdout


def dependencies() -> dict[str, list[str]]:
    """Each output of a compile, and the files that it read (Ninja manual, "Extra tools": deps)."""
    words = (_path(), "-t", "deps")
    done = subprocess.run(words, check=False, capture_output=True, encoding="utf-8", errors="surrogateescape")
    found: dict[str, list[str]] = {}
    files: list[str] = []
    for line in done.stdout.split("\n"):
        if line.startswith("    "):
            files.append(line[4:])
        elif ": #deps " in line:
            files = found[line.rpartition(": #deps ")[0]] = []
    return found


def _path() -> str:
    """The one on PATH, or the one that was installed with bpfgen."""
    folders = (*os.get_exec_path(), os.path.dirname(sys.executable))
    path = shutil.which("ninja", path=os.pathsep.join(folders))
    if path is None:
        raise Failure([Problem(None, "there is no ninja", "run  pip install ninja")], EXIT_FAILED)
    return path
