"""Quoting for Ninja and the shell that it starts. Every word from `build.toml` passes through here, once."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SAFE_WORD = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_SPECIAL_PATH = re.compile(r"[$ :]")


def shell_word(word: str) -> str:
    """A word for `/bin/sh -c`, which Ninja runs commands with (Ninja manual, "The command variable")."""
    return word if _SAFE_WORD.fullmatch(word) else "'" + word.replace("'", "'\"'\"'") + "'"


def command(words: Iterable[str], environment: Iterable[tuple[str, str]] = ()) -> str:
    """Words as the value of a Ninja variable that is a command: quoted for the shell, then for Ninja. Variables of the
    environment are set for this command alone (POSIX, "Simple Commands"); their names are no user's.
    """
    settings = (f"{name}={shell_word(text)}" for name, text in environment)
    return value(" ".join((*settings, *map(shell_word, words))))


def value(text: str) -> str:
    """Text as the value of a Ninja variable: `$` is special, and so is a space at its start (Ninja manual, "Lexical
    syntax").
    """
    escaped = text.replace("$", "$$")
    return f"${escaped}" if escaped.startswith(" ") else escaped


def path(text: str) -> str:
    """A path in a `build` line. `|`, line breaks and other control characters can't be written: the schema refuses
    them.
    """
    return _SPECIAL_PATH.sub(r"$\g<0>", text)
