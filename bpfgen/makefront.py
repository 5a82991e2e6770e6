"""The Makefile front: targets for people who type `make`, in a Makefile of their own or in one to include."""

from __future__ import annotations

import os
import re
from typing import Optional

MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
"""What GNU make looks for, in its order."""
INCLUDED = "Makefile.bpf"
HEAD = """\
.PHONY: all clean
all: ebpf
clean: ebpf-clean

"""
"""What a Makefile begins with that has nothing else."""

TEMPLATE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates", "make", INCLUDED)


def front(folder: str) -> tuple[str, str]:
    """The file's name and text: `Makefile`, or `Makefile.bpf` where there is one that somebody wrote."""
    with open(TEMPLATE, encoding="utf-8") as file:
        text = file.read()
    existing = makefile(folder)
    own = existing is not None and _read(folder, existing).startswith(HEAD)
    return ("Makefile", HEAD + text) if existing is None or own else (INCLUDED, text)


def makefile(folder: str) -> Optional[str]:
    """The Makefile that make would read in a folder."""
    return next((name for name in MAKEFILES if os.path.lexists(os.path.join(folder, name))), None)


def advice(folder: str) -> str:
    """What is to be done in the Makefile of a folder, so that `Makefile.bpf` counts."""
    name = makefile(folder) or "Makefile"
    text = _read(folder, name)
    with open(TEMPLATE, encoding="utf-8") as file:
        ours = re.findall(r"^(ebpf[\w-]*):", file.read(), re.MULTILINE)
    twice = [target for target in ours if re.search(rf"^{target}\s*:", text, re.MULTILINE)]
    there = re.search(rf"^-?include\b.*\b{re.escape(INCLUDED)}\s*$", text, re.MULTILINE)
    lines = [] if there else [f"{name} uses it with this line, below its first target:  include {INCLUDED}"]
    lines += [f"{name} has these targets itself, so take them out: {', '.join(twice)}"] if twice else []
    return "\n".join(lines)


def _read(folder: str, name: str) -> str:
    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
