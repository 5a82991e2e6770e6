"""What `bpfgen doctor` looks at: one small function for each thing, which returns findings.

Functions take what they ask (a command's words, an engine, a path), so that each failure can be made for real. None of
them raises for what is wrong with the machine.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import Optional

from bpfgen.frozen import frozen

NOTHING = "it says nothing"
SECONDS = 30.0
"""How long a tool may take to answer."""


@frozen
class Finding:
    """One thing that was looked at."""

    check: str
    """What it is about, such as `clang` or `headers arm64`."""
    level: str
    """`ok`, `warning` or `failure`."""
    found: str
    """One line."""
    hint: str = ""
    """What mends it, when followed to the letter: `run  COMMAND` or `write  LINE  …`."""


@frozen
class Answer:
    """What a command said."""

    code: Optional[int]
    """Its exit code; None where it can't be started, or takes too long."""
    text: str
    """Standard output and error, without white space at the ends."""

    @property
    def last(self) -> str:
        """Its last line that says something: tools put the reason there, and docker advice behind it."""
        lines = [line.strip() for line in self.text.splitlines()]
        return next((line for line in reversed(lines) if line and not line.startswith(("Run '", "See '"))), NOTHING)


def ask(words: Sequence[str], seconds: float = SECONDS, environ: Optional[Mapping[str, str]] = None) -> Answer:
    """Runs a command with nothing to read, in English; never raises for what becomes of it."""
    env = {**(os.environ if environ is None else environ), "LC_ALL": "C"}
    try:
        done = subprocess.run(
            words,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            env=env,
        )
    except subprocess.TimeoutExpired:
        return Answer(None, f"{words[0]} doesn't answer within {seconds:.0f} seconds")
    except (OSError, ValueError) as error:
        return Answer(None, f"{words[0]}: {getattr(error, 'strerror', None) or error}")
    return Answer(done.returncode, done.stdout.decode(errors="replace").strip())
