"""`//go:generate` lines, as `go generate` reads them (`go help generate`; cmd/go/internal/generate)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Optional

from bpfgen.bpf2go.gosyntax import expand, package_clause, unquote
from bpfgen.errors import Location, Problem
from bpfgen.frozen import frozen

LONGEST = 4096
"""Bytes of a line, with its end, that `go generate` reads (the buffer of Go's bufio.Reader)."""
OWN = ("GOFILE", "GOLINE", "GOPACKAGE", "DOLLAR")
"""What `go generate` sets by the file alone."""


@frozen
class Directive:
    """A command that a Go file wants run in its folder."""

    where: Location
    package: str
    text: str
    """The line as written, behind `//go:generate`."""
    words: tuple[str, ...]
    environ: Mapping[str, str]
    """What the command's environment is."""
    asked: Mapping[str, Optional[str]]
    """Variables of the environment that the line names, and their values; None for one that isn't set."""


class _Wrong(Exception):
    """What `go generate` says of a line that it can't read."""


def read(name: str, text: str, environ: Mapping[str, str], problems: list[Problem]) -> Iterator[Directive]:
    """The commands of one Go file, in order, with aliases and variables replaced; adds to `problems` what
    `go generate` would stop at.

    `name` is the file's path, for places; a file without a package clause has no commands, as for `go generate`.
    """
    package = package_clause(text)
    if package is None:
        return
    aliases: dict[str, _Alias] = {}
    *lines, end = text.split("\n")
    for number, line in enumerate((*lines, end), 1):
        if not line.startswith(("//go:generate ", "//go:generate\t")):
            continue
        own = (name.rpartition("/")[2], str(number), package, "$")
        here = {**environ, **dict(zip(OWN, own))}
        asked: dict[str, Optional[str]] = {}
        try:
            if number > len(lines):
                raise _Wrong("the line has no end: `go generate` reads none without a line break")
            if len(line.encode("utf-8", "surrogateescape")) >= LONGEST:
                raise _Wrong("directive too long")
            text = line[len("//go:generate ") :].removesuffix("\r")
            words = _words(text, aliases, here, asked)
            if words[0] == "-command":
                _define(words, asked, aliases)
            else:
                yield Directive(Location(name, number), package, text, words, here, asked)
        except _Wrong as wrong:
            problems.append(Problem(Location(name, number), str(wrong), "`go generate` stops here, too"))


@frozen
class _Alias:
    """What a `-command` line defined."""

    words: tuple[str, ...]
    asked: Mapping[str, Optional[str]]


def _words(
    line: str, aliases: Mapping[str, _Alias], environ: Mapping[str, str], asked: dict[str, Optional[str]]
) -> tuple[str, ...]:
    def value(name: str) -> str:
        if name not in OWN:
            asked[name] = environ.get(name)
        return environ.get(name, "")

    words = split(line)
    # Aliases before variables, so a variable can't name one; what an alias holds is looked through twice.
    if words and words[0] in aliases:
        alias = aliases[words[0]]
        asked.update(alias.asked)
        words = (*alias.words, *words[1:])
    if not words:
        raise _Wrong("no arguments to directive")
    return tuple(expand(word, value) for word in words)


def _define(words: Sequence[str], asked: Mapping[str, Optional[str]], aliases: dict[str, _Alias]) -> None:
    if len(words) == 1:
        raise _Wrong("no command specified for -command")
    if words[1] in aliases:
        raise _Wrong(f'command "{words[1]}" multiply defined')
    aliases[words[1]] = _Alias(tuple(words[2:]), asked)


_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_PLAIN = re.compile(r"[^ \t]+")


def split(line: str) -> tuple[str, ...]:
    """The words of a line: separated by spaces, or Go strings in double quotes."""
    words = []
    rest = line.lstrip(" \t")
    while rest:
        quoted = _QUOTED.match(rest)
        if rest.startswith('"') and quoted is None:
            odd = re.fullmatch(r'"(?:[^"\\]|\\.)*\\', rest, re.DOTALL)
            raise _Wrong("bad backslash" if odd else "mismatched quoted string")
        found = quoted or _PLAIN.match(rest)
        assert found is not None  # rest begins with neither space nor tab
        rest = rest[found.end() :]
        words.append(_unquoted(found[0]) if quoted else found[0])
        if quoted and rest and rest[0] not in " \t":
            raise _Wrong("expect space after quoted argument")
        rest = rest.lstrip(" \t")
    return tuple(words)


def _unquoted(text: str) -> str:
    try:
        return unquote(text)
    except ValueError:
        raise _Wrong("bad quoted string") from None


def quote(word: str) -> str:
    """A word as a line can hold it: what `split` reads back."""
    if word and not word.startswith('"') and not re.search(r"[ \t\r\n]", word):
        return word
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"}
    return '"' + "".join(escapes.get(letter, letter) for letter in word) + '"'
