"""Quoting for Ninja and the shell that it starts. Every word from `build.toml` passes through here, once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SAFE_WORD = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")


def shell_word(word: str) -> str:
    """A word for `/bin/sh -c`, which Ninja runs commands with (Ninja manual, "The command variable")."""
    return word if _SAFE_WORD.fullmatch(word) else "'" + word.replace("'", "'\"'\"'") + "'"


def command(words: Iterable[str]) -> str:
    """Words as the value of a Ninja variable that is a command: quoted for the shell, then for Ninja."""
    return value(_shell_words(tuple(words)))


def _shell_words(words: Sequence[str]) -> str:
    # One look at all words tells that none of them needs quotes, as in all but a few of 100,000 commands.
    if all(words) and _SAFE_WORD.fullmatch("".join(words)):
        return " ".join(words)
    return " ".join(map(shell_word, words))


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
    # Three searches for one letter take a third of the time of one for a set.
    return text.replace("$", "$$").replace(" ", "$ ").replace(":", "$:")
