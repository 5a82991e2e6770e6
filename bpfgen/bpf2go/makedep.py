"""The `.d` files of `bpf2go -makebase`, from what Ninja knows (cmd/bpf2go/makedep.go)."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence


def headers(text: str, target: str) -> list[str]:
    """The files that an object of a target was made from, the source first, of what `ninja -t deps` prints."""
    found = re.search(rf"^\S*/{re.escape(target)}\.bpf\.o: #deps.*\n((?:    .*\n)*)", text, re.MULTILINE)
    return [line.strip() for line in found[1].splitlines()] if found else []


def render(path: str, files: Sequence[str], base: str) -> str:
    """The rule of a Go file, and one without prerequisites for each header, so that make goes on where one is gone."""
    first, *others = (os.path.relpath(file, base) for file in (path, *files))
    rules = [f"{first}: \\\n " + " \\\n ".join(others) if others else f"{first}:"]
    return "".join(f"{rule}\n\n" for rule in (*rules, *(f"{name}:" for name in others[1:])))
