"""Where a path of this host is on a remote machine, and the other way round."""

from __future__ import annotations

import os
import re

from bpfgen.builders.settings import Settings


class Paths:
    """Folders are below bpfgen's own there, as they are below `/` here; a shared project has a place of its own."""

    def __init__(self, settings: Settings) -> None:
        remote = settings.remote
        assert remote is not None
        self._root, self._copied = settings.root, remote.copied
        others = {folder: f"{remote.base}/x{folder}" for folder in (*remote.mapped, *settings.readable)}
        self._there = {**others, settings.root: remote.project}
        for folder in others:
            if folder.startswith(f"{settings.root}/"):
                self._there[folder] = remote.project + folder[len(settings.root) :]
        self._word = _pattern(self._there, r"(-[A-Za-z][A-Za-z-]*|[^=]*=|)")
        # Only what bpfgen copied has another path; a shared folder may well have the same one.
        self._here = {there: here for here, there in self._there.items() if there != here}
        self._text = re.compile(b"|".join(re.escape(os.fsencode(name)) for name in _longest(self._here)) or rb"(?!)")

    def there(self, word: str) -> str:
        """A word of clang's as it is to be there. The text of a macro stays: natively it has this host's paths, too."""
        if word.startswith(("-D", "-U")):
            return word
        if not self._copied and word.startswith("../"):  # what is beside the project isn't shared
            word = os.path.normpath(os.path.join(self._root, word))
        found = self._word.match(word)
        return found[1] + self._there[found[2]] + word[found.end() :] if found else word

    def here(self, path: str) -> str:
        """A path of there on this host; itself, if bpfgen didn't bring it there."""
        for there in _longest(self._here):
            if path == there or path.startswith(f"{there}/"):
                return self._here[there] + path[len(there) :]
        return path

    def text(self, messages: bytes) -> bytes:
        """Messages with the paths of this host."""
        return self._text.sub(lambda found: os.fsencode(self._here[os.fsdecode(found[0])]), messages)


def _longest(folders: dict[str, str]) -> list[str]:
    return sorted(folders, key=len, reverse=True)


def _pattern(folders: dict[str, str], before: str) -> re.Pattern[str]:
    names = "|".join(map(re.escape, _longest(folders)))
    return re.compile(f"{before}({names})(?=/|=|$)")
