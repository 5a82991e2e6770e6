"""Finds where each key and value of a TOML text stands.

`tomli` gives the values; this scanner gives only their places, and runs only when one is asked for: to print a
problem. It takes for granted that tomli accepted the text, and on any other text it stops where it no longer
understands. It is a loop with a stack, not recursion, so the nesting of the text cannot exhaust Python's stack.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple, Union

Path = tuple[Union[str, int], ...]
"""Keys and list indices from the root of the document; `()` is the document."""

# How firmly a place is defined: a firmer mention of the same path takes the place of a weaker one.
PARENT, DOTTED, TABLE, VALUE = range(4)
# (new, old) that TOML forbids, https://toml.io/en/v1.0.0#table and #keys
_CLASHES = {(VALUE, old) for old in (PARENT, DOTTED, TABLE, VALUE)} | {
    (TABLE, DOTTED), (TABLE, TABLE), (TABLE, VALUE), (DOTTED, TABLE), (DOTTED, VALUE), (PARENT, VALUE),
}  # fmt: skip

_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_SCALAR = re.compile(
    r'''"""(?:[^\\]|\\.)*?"""(?:"{0,2})|\'\'\'.*?\'\'\'(?:'{0,2})'''
    r"""|(?!\"{3}|'{3})(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
    r"""|\d{4}-\d\d-\d\d[Tt ]\d\d:[^\s,\]}#]*|[^\s,\[\]{}#="']+""",
    re.DOTALL,
)
_SPACE = re.compile(r"[ \t]*")
_SPACE_AND_LINES = re.compile(r"[ \t\n]*")
_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_LINE_END = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")


class Place(NamedTuple):
    """Offsets into the text, in characters: where the value starts and where its key does."""

    value: int
    key: int
    kind: int


class Clash(NamedTuple):
    """A path that is defined a second time, at offset `again`; the first definition is at `first`."""

    path: Path
    first: int
    again: int


class Container:
    """An array or an inline table whose closing bracket is still to come."""

    def __init__(self, path: Path, start: int, closer: str) -> None:
        self.path = path
        self.start = start
        self.closer = closer
        self.items = 0


class _NotToml(Exception):
    """The text cannot be followed any further."""


class Scan:
    """One pass over `text`; what it found out by the end, or by the place where it had to stop."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.places: dict[Path, Place] = {(): Place(0, 0, TABLE)}
        self.statements: list[int] = []
        """Offset of every statement: key and value, table header, or a comment on a line of its own."""
        self.open: list[Container] = []
        """The brackets that are open where the scan stopped, from the outside in."""
        self.clash: Clash | None = None
        self._lengths: dict[Path, int] = {}  # of the arrays of tables
        try:
            self._document()
            self.complete = True
        except _NotToml:
            self.complete = False

    def _document(self) -> None:
        table: Path = ()
        while True:
            self._skip(_SPACE_AND_LINES)
            self.statements.append(self.at)
            if self.at == len(self.text):
                return
            if self.text[self.at] == "[":
                table = self._header()
            elif self.text[self.at] != "#":
                path, key = self._key(table)
                self._value(path, key)
            if not self._take(_LINE_END).endswith("\n"):
                return

    def _header(self) -> Path:
        """Reads `[a.b]` or `[[a.b]]`; returns the path of the table that it opens."""
        start = self.at
        bracket = "[[" if self.text.startswith("[[", start) else "["
        self.at += len(bracket)
        keys = self._key_parts()
        path: Path = ()
        for name, at in keys[:-1]:
            path = self._last((*path, name))
            self._note(path, Place(at, at, PARENT))
        name, at = keys[-1]
        path = (*path, name)
        if bracket == "[" or path not in self._lengths:
            self._note(path, Place(start, at, TABLE))
        if bracket == "[[":
            index = self._lengths.get(path, 0)
            self._lengths[path] = index + 1
            path = (*path, index)
            self._note(path, Place(start, at, TABLE))
        self._expect("]" * len(bracket))
        return path

    def _last(self, path: Path) -> Path:
        """An array of tables is addressed by its name, and means its last table."""
        length = self._lengths.get(path)
        return path if length is None else (*path, length - 1)

    def _key(self, table: Path) -> tuple[Path, int]:
        """Reads `a.b =`; returns the path and the offset of its last part, and stands at the value."""
        *parents, (name, at) = self._key_parts()
        for parent, parent_at in parents:
            table = self._last((*table, parent))
            self._note(table, Place(parent_at, parent_at, DOTTED))
        self._expect("=")
        self._skip(_SPACE)
        return (*table, name), at

    def _key_parts(self) -> list[tuple[str, int]]:
        parts = []
        while True:
            self._skip(_SPACE)
            start = self.at
            parts.append((_unquote(self._take(_KEY)), start))
            self._skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return parts
            self.at += 1

    def _value(self, path: Path, key: int) -> None:
        """Reads a value and notes it and all that is in it."""
        while True:
            self._note(path, Place(self.at, key, VALUE))
            opener = self.text[self.at : self.at + 1]
            if opener in ("[", "{"):
                self.open.append(Container(path, self.at, "]" if opener == "[" else "}"))
                self.at += 1
            else:
                self._take(_SCALAR)
            while self.open and self._closes(self.open[-1]):
                self.open.pop()
            if not self.open:
                return
            path, key = self._item(self.open[-1])

    def _closes(self, container: Container) -> bool:
        """Goes to the next item of `container`, or past its closing bracket."""
        self._skip(_BLANK)
        if container.items and not self.text.startswith(container.closer, self.at):
            self._expect(",")
            self._skip(_BLANK)
        if not self.text.startswith(container.closer, self.at):
            return False
        self.at += 1
        return True

    def _item(self, container: Container) -> tuple[Path, int]:
        index = container.items
        container.items += 1
        return self._key(container.path) if container.closer == "}" else ((*container.path, index), self.at)

    def _note(self, path: Path, place: Place) -> None:
        old = self.places.get(path)
        if old and (place.kind, old.kind) in _CLASHES:
            self.clash = self.clash or Clash(path, old.key, place.key)
        elif old is None or place.kind > old.kind:
            self.places[path] = place

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if not match:
            raise _NotToml
        self.at = match.end()
        return match.group()

    def _expect(self, token: str) -> None:
        if not self.text.startswith(token, self.at):
            raise _NotToml
        self.at += len(token)


def _unquote(key: str) -> str:
    if key[0] == '"' and "\\" in key:
        import tomli

        try:
            return str(tomli.loads(f"key = {key}")["key"])
        except tomli.TOMLDecodeError:
            raise _NotToml from None
    return key[1:-1] if key[0] in "\"'" else key


@lru_cache(maxsize=4)
def scan(text: str) -> Scan:
    """The places of `text`, which has no carriage returns; kept, as problems come in bunches."""
    return Scan(text)
