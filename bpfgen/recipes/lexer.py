"""Shell text → words and operators (POSIX.1-2024, Shell Command Language, 2.2 and 2.3). Pure: nothing is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, Union

from bpfgen.frozen import frozen


class Unreadable(Exception):
    """Text that this reader doesn't take; its message says why."""


@frozen
class Part:
    """A piece of a word."""

    kind: Literal["text", "variable", "command"]
    text: str
    """What stands between the braces of a variable, or between the parentheses of a command."""
    quoted: bool


@frozen
class Word:
    """One word, before anything in it is replaced."""

    parts: tuple[Part, ...]

    @property
    def plain(self) -> str:
        """Its text, where it has no quotes and nothing to replace; else empty."""
        bare = all(part.kind == "text" and not part.quoted for part in self.parts)
        return "".join(part.text for part in self.parts) if bare else ""


Token = Union[str, Word]
"""An operator, or a word."""

REDIRECTS = frozenset(["<", ">", ">>", "<&", ">&", ">|", "<>", "<<", "<<-"])
_OPERATOR = re.compile(r"&&|\|\||;;|<<-|<<|<&|<>|>&|>>|>\||[;&|()<>\n]")
_BLANK = re.compile(r"(?:[ \t]|\\\n)+")
_PLAIN = re.compile(r"[^ \t\n;&|()<>\\'\"$`]+")
_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])")


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a script; raises Unreadable for a quote or a parenthesis that isn't closed."""
    at = 0
    while at < len(text):
        blank = _BLANK.match(text, at)
        if blank:
            at = blank.end()
        elif text[at] == "#":
            at = (text.find("\n", at) + len(text) + 1) % (len(text) + 1)
        elif operator := _OPERATOR.match(text, at):
            yield operator[0]
            at = operator.end()
        else:
            word, at = _word(text, at)
            number = word.plain.isdigit() and at < len(text) and text[at] in "<>"
            if word.parts and not number:  # 2>file: the number is the redirection's
                yield word


def _word(text: str, at: int) -> tuple[Word, int]:
    """The word that begins at `at`, and where it ends."""
    parts: list[Part] = []
    while at < len(text):
        letter = text[at]
        if letter == "'":
            end = _find(text, "'", at + 1)
            parts.append(Part("text", text[at + 1 : end], quoted=True))
            at = end + 1
        elif letter == '"':
            at = _double(text, at + 1, parts)
        elif letter == "\\":
            if text[at + 1 : at + 2] != "\n":
                parts.append(Part("text", text[at + 1 : at + 2] or "\\", quoted=True))
            at += 2
        elif letter in "$`":
            part, at = _replaced(text, at, quoted=False)
            parts.append(part)
        elif plain := _PLAIN.match(text, at):
            parts.append(Part("text", plain[0], quoted=False))
            at = plain.end()
        else:
            break
    return Word(tuple(parts)), at


def _double(text: str, at: int, parts: list[Part]) -> int:
    """Adds what stands in double quotes; where it goes on behind them."""
    said = ""
    parts.append(Part("text", "", quoted=True))  # "" is a word
    while True:
        letter = text[at : at + 1]
        if letter == "":
            raise Unreadable('a " is not closed')
        if letter in '"$`' and said:
            parts.append(Part("text", said, quoted=True))
            said = ""
        if letter == '"':
            return at + 1
        if letter == "\\" and text[at + 1 : at + 2] in set('$`"\\\n'):
            said += text[at + 1].strip("\n")
            at += 2
        elif letter in "$`":
            part, at = _replaced(text, at, quoted=True)
            parts.append(part)
        else:
            said += letter
            at += 1


def _replaced(text: str, at: int, quoted: bool) -> tuple[Part, int]:
    """A variable or a command at `at`, and where it ends; a `$` that is neither is text."""
    if text[at] == "`":
        end = _find(text, "`", at + 1)
        return Part("command", re.sub(r"\\([$`\\])", r"\1", text[at + 1 : end]), quoted), end + 1
    if text.startswith("$((", at):
        raise Unreadable("$((…)) is not worked out")
    if text[at : at + 2] in {"$(", "${"}:
        end = _closed(text, at + 2, ")" if text[at + 1] == "(" else "}")
        return Part("command" if text[at + 1] == "(" else "variable", text[at + 2 : end], quoted), end + 1
    name = _VARIABLE.match(text, at)
    return (Part("variable", name[1], quoted), name.end()) if name else (Part("text", "$", quoted), at + 1)


def _closed(text: str, at: int, closing: str) -> int:
    """Where the parenthesis or brace that was opened before `at` is closed."""
    opening, depth = {")": "(", "}": "{"}[closing], 1
    while at < len(text):
        letter = text[at]
        if letter == "'":
            at = _find(text, "'", at + 1)
        elif letter == '"':
            at = _double(text, at + 1, []) - 1
        elif letter == "\\":
            at += 1
        elif letter in {opening, closing}:
            depth += 1 if letter == opening else -1
            if not depth:
                return at
        at += 1
    raise Unreadable(f"a {opening} is not closed")


def _find(text: str, letter: str, at: int) -> int:
    """The next such letter; in backticks, one without a backslash before it."""
    while True:
        end = text.find(letter, at)
        if end < 0:
            raise Unreadable(f"a {letter} is not closed")
        if letter == "'" or text[end - 1] != "\\":
            return end
        at = end + 1
