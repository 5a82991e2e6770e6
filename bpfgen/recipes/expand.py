"""Words → the arguments that a shell would make of them; the file system is asked for globs, and nothing is run."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Mapping, Sequence
from typing import Optional

from bpfgen.frozen import field, frozen
from bpfgen.recipes.lexer import Part, Unreadable, Word
from bpfgen.recipes.syntax import Simple, parse

UNKNOWN = "\0"
"""Stands for text that only running something tells; no argument can have it."""


@frozen
class State:
    """Where a script is."""

    folder: str
    """Its working folder, absolute."""
    environ: Mapping[str, str]
    variables: dict[str, str] = field(default_factory=dict)
    """What it set itself."""

    def value(self, name: str) -> Optional[str]:
        """A variable's; None where it isn't set, `UNKNOWN` where nobody can say."""
        if not re.match(r"[A-Za-z_]", name):
            return UNKNOWN  # $1, $?, …
        return self.variables.get(name, self.environ.get(name))


def arguments(words: Sequence[Word], state: State) -> list[str]:
    """All words, with variables and globs replaced and split as a shell does it (2.6)."""
    return [argument for word in words for argument in _fields(word, state)]


def text(word: Word, state: State) -> str:
    """A word that is not split, as behind `NAME=`."""
    return "".join(_value(part, state) for part in word.parts)


def _fields(word: Word, state: State) -> list[str]:
    """The arguments of one word: none, one, or many."""
    fields: list[list[tuple[str, bool]]] = []
    goes_on = False
    for part in word.parts:
        value = _value(part, state)
        split = part.kind != "text" and not part.quoted
        pieces = re.split(r"[ \t\n]+", value) if split else [value]
        for index, piece in enumerate(pieces):
            if split and not piece:
                goes_on = goes_on and index == 0 and len(pieces) == 1
                continue
            if not (goes_on and index == 0):
                fields.append([])
            fields[-1].append((piece, part.quoted))
            goes_on = index == len(pieces) - 1
        if split and value and value[-1] in " \t\n":
            goes_on = False
    return [name for pieces in fields for name in _globbed(pieces, state)]


def _globbed(pieces: Sequence[tuple[str, bool]], state: State) -> list[str]:
    """The files that a pattern names, in order; the pattern itself where there are none, as in `sh`."""
    plain = "".join(piece for piece, _ in pieces)
    if not any(re.search(r"[*?[]", piece) for piece, quoted in pieces if not quoted) or UNKNOWN in plain:
        return [plain]
    pattern = "".join(glob.escape(piece) if quoted else piece for piece, quoted in pieces)
    base = os.path.join(glob.escape(state.folder), "")
    found = sorted(glob.glob(os.path.join(base, pattern)))
    start = 0 if os.path.isabs(plain) else len(os.path.join(state.folder, ""))
    return [path[start:] for path in found] or [plain]


def _value(part: Part, state: State) -> str:
    if part.kind == "variable":
        return _variable(part.text, state)
    if part.kind == "command":
        return _command(part.text, state)
    return part.text


def _variable(said: str, state: State) -> str:
    """`name`, or what stands in braces (2.6.2)."""
    found = re.fullmatch(r"(\w+|[@*#?$!-])(?:(:?-|%%?|##?)(.*))?", said, re.DOTALL)
    if not found:
        return UNKNOWN
    value = state.value(found[1])
    operator, other = found[2] or "", found[3] or ""
    if re.search(r"[$`'\"\\]", other) or value == UNKNOWN:
        return UNKNOWN
    if operator in {"-", ":-"}:
        return other if value is None or (operator == ":-" and not value) else value
    return _trimmed(value or "", operator, other) if operator else value or ""


def _trimmed(value: str, operator: str, pattern: str) -> str:
    """`value` without the shortest or the longest beginning (`#`) or end (`%`) that a pattern fits."""
    cuts = range(len(value) + 1)
    if operator[0] == "#":
        fits = [at for at in cuts if fnmatch.fnmatchcase(value[:at], pattern)]
        return value[(fits[-1] if len(operator) == 2 else fits[0]) :] if fits else value
    fits = [at for at in cuts if fnmatch.fnmatchcase(value[at:], pattern)]
    return value[: (fits[0] if len(operator) == 2 else fits[-1])] if fits else value


def _command(script: str, state: State) -> str:
    """What a command prints, of the few that make names of names."""
    try:
        listing = parse(script)
    except Unreadable:
        return UNKNOWN
    nodes = [node for step in listing for node in step.commands]
    if len(nodes) != 1 or not isinstance(nodes[0], Simple):
        return UNKNOWN
    name, *words = arguments(nodes[0].words, state) or [""]
    if name == "echo" and not (words and words[0].startswith("-")):
        return " ".join(words)
    if name == "pwd" and not words:
        return state.folder
    if name == "dirname" and len(words) == 1:
        return os.path.dirname(words[0].rstrip("/")) or ("/" if words[0].startswith("/") else ".")
    if name == "basename" and len(words) in {1, 2} and not words[0].startswith("-"):
        base = os.path.basename(words[0].rstrip("/"))
        ending = words[1] if len(words) == 2 else ""
        return base[: -len(ending)] if ending and base != ending and base.endswith(ending) else base
    return UNKNOWN
