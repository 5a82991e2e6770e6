"""What Vagrant and Lima have in common: a command that is asked, and ssh's settings that it gives."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence

from bpfgen.builders import Unavailable
from bpfgen.config.schema import Config
from bpfgen.files import write_if_changed

FILE = "ssh_config"
"""The note with ssh's settings."""
# A connection of bpfgen's own: the tool's ends when the tool wants it to.
_OWN = re.compile(r"\s*(?:Control(?:Master|Path|Persist)|LogLevel)\b", re.IGNORECASE)


def run(words: Sequence[str], root: str, hint: str, shown: bool = False) -> str:
    """What a command prints, or shows while it works; raises Unavailable."""
    try:
        done = subprocess.run(
            words,
            check=False,
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr if shown else subprocess.PIPE,
            stderr=None if shown else subprocess.PIPE,
            text=True,
            errors="replace",
        )
    except FileNotFoundError as error:
        raise Unavailable(f"there is no {words[0]}\n  hint: {hint}") from error
    if done.returncode:
        last = ((done.stderr or "").strip().splitlines() or [f"it ends with {done.returncode}"])[-1]
        raise Unavailable(f"{' '.join(words)}: {last}")
    return done.stdout or ""


def settings_file(root: str, config: Config, text: str) -> str:
    """The absolute path of a file with ssh's settings."""
    path = os.path.join(root, config.project.out.rstrip("/"), ".bpfgen", FILE)
    kept = [line for line in text.splitlines() if not _OWN.match(line)]
    write_if_changed(path, ("\n".join(kept) + "\n").encode())
    return path
