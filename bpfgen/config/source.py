"""TOML text with places: bytes → `Document`, or a `Failure` that names every syntax problem of the file.

`tomli` alone decides what is TOML and gives the values; `syntax` says what is wrong with what it refuses, `positions`
where the values stand. Lines and columns count characters from 1.
"""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from typing import Any, Union

import tomli

from bpfgen.errors import Failure, Location, Problem
from bpfgen.frozen import frozen


@frozen
class Document:
    """A TOML file: `name` as problems print it, `text` with LF line ends, `values` as tomli gives them."""

    name: str
    text: str
    values: dict[str, Any]

    def where(self, path: tuple[Union[str, int], ...], key: bool = False) -> Location:
        """The place of the value (or the key) at `path`, such as `("program", "xdp", "sources", 1)`.

        A table stands at its header, or where it is first mentioned if it has none. What is absent stands at its
        nearest parent: a missing key at the header of its table, a missing table at the start of the file.
        """
        from bpfgen.config.positions import scan

        places = scan(self.text).places
        while path not in places:
            path, key = path[:-1], False
        return locate(self.name, self.text, places[path].key if key else places[path].value)


def read_document(name: str, data: bytes) -> Document:
    """Decodes and parses `data`, the bytes of the file that problems call `name`.

    Raises Failure: not UTF-8, or not TOML; every problem has a line, a column and a hint.
    """
    text = _decode(name, data).replace("\r\n", "\n")
    problems = []
    if "\r" in text:
        where = locate(name, text, text.index("\r"))
        problems.append(Problem(where, "a carriage return without a newline", "save the file with LF line ends"))
        text = text.replace("\r", "\n")
    try:
        values = tomli.loads(text)
    except (ValueError, RecursionError):
        from bpfgen.config.syntax import syntax_problems

        raise Failure([*problems, *syntax_problems(name, text)]) from None
    if problems:
        raise Failure(problems)
    return Document(name, text, values)


def _decode(name: str, data: bytes) -> str:
    hint = "save the file as UTF-8"
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise Failure([Problem(Location(name, 1, 1), "the file is UTF-16; TOML is UTF-8", hint)])
    data = data.removeprefix(BOM_UTF8)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode().replace("\r\n", "\n")
        where = locate(name, before, len(before))
        raise Failure([Problem(where, f"byte 0x{data[error.start]:02x} is not UTF-8", hint)]) from None


def locate(name: str, text: str, at: int) -> Location:
    """The place of the character with index `at`."""
    return Location(name, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
