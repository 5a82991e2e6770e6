"""Depfiles, as clang writes and Ninja reads them (Ninja manual, "Depfile")."""

from __future__ import annotations


def parse(text: str) -> list[str]:
    """The files after the first target's colon, in their order."""
    _, _, names = text.replace("\\\r\n", " ").replace("\\\n", " ").partition(": ")
    if "\\" not in names and "$$" not in names:
        return names.split()
    marked = names.replace("\\ ", "\0").replace("\\#", "#").replace("$$", "$")
    return [name.replace("\0", " ") for name in marked.split()]


def read(path: str) -> list[str]:
    """The files that the depfile `path` names; raises OSError."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return parse(file.read())


def render(target: str, files: list[str]) -> str:
    """A depfile of one target."""
    return f"{_escape(target)}: " + " \\\n  ".join(map(_escape, files)) + "\n"


def _escape(name: str) -> str:
    return name.replace("$", "$$").replace("#", "\\#").replace(" ", "\\ ")
