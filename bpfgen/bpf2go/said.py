"""What compilers say in a call's project, for people in the folder of the call."""

from __future__ import annotations

import os
import re


def translate(text: str, folder: str, here: str) -> str:
    """Paths that lead out of `folder` as paths from `here`; Ninja's own lines are left out."""

    def path(found: re.Match[str]) -> str:
        return os.path.relpath(os.path.join(folder, found[0]), here)

    # Ninja's is also the line below FAILED, which is the command.
    text = re.sub(r"^(?:FAILED: .*\n.*|ninja: .*)(?:\n|$)", "", text, flags=re.MULTILINE)
    lines = text.splitlines()
    return "".join(re.sub(r"(?<![\w./-])(?:\.\./)+[^\s:,;'\"<>]+", path, line) + "\n" for line in lines)
