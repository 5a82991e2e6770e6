"""Words as Go's own tools read them: `strconv.Unquote`, `os.Expand`, the package clause, the rows of a `go.mod`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Optional

_ESCAPE = re.compile(r"\\(?:([abfnrtv\\\"])|([0-7]{3})|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))")
_STRING = re.compile(rf'"(?:[^"\\\n]|{_ESCAPE.pattern})*"')
_SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, '"': 34}


def unquote(text: str) -> str:
    """The value of a Go string in double quotes (the language's specification, "String literals").

    Bytes that are no UTF-8 come as surrogates (PEP 383). Raises `ValueError`: it is no such string.
    """
    if not _STRING.fullmatch(text):
        raise ValueError(text)
    parts, at = [], 1
    for found in _ESCAPE.finditer(text):
        parts += [text[at : found.start()].encode("utf-8", "surrogateescape"), _escaped(found)]
        at = found.end()
    parts.append(text[at:-1].encode("utf-8", "surrogateescape"))
    return b"".join(parts).decode("utf-8", "surrogateescape")


def _escaped(found: re.Match[str]) -> bytes:
    simple, octal, byte, short, long = found.groups()
    if simple:
        return bytes([_SIMPLE[simple]])
    if octal or byte:
        return bytes([int(octal, 8) if octal else int(byte, 16)])  # raises ValueError above 255, as Go refuses it
    return chr(int(short or long, 16)).encode()  # raises ValueError where there is no such character


_VARIABLE = re.compile(r"\$(?:\{([^}]*)\}|(\{)|([*#$@!?\-0-9]|[A-Za-z_][A-Za-z0-9_]*))")


def expand(text: str, value: Callable[[str], str]) -> str:
    """`text` with `$NAME` and `${NAME}` replaced, as `os.Expand` does it: `${}` and a `${` without an end vanish, a
    `$` before anything else stays.
    """
    return _VARIABLE.sub(lambda found: value(name) if (name := found[1] or found[3]) else "", text)


_BLANK = r"(?:\s|//[^\n]*\n|/\*.*?\*/)"
_PACKAGE = re.compile(rf"\ufeff?{_BLANK}*package{_BLANK}+(\w+)", re.DOTALL)


def package_clause(text: str) -> Optional[str]:
    """The name of the package that a Go file belongs to; None where the file doesn't say."""
    found = _PACKAGE.match(text)
    return found[1] if found else None


def module_path(text: str) -> str:
    """The module that a `go.mod` is of; empty where it doesn't say."""
    found = re.search(r'^\s*module\s+"?([^\s"]+)', text, re.MULTILINE)
    return found[1] if found else ""


def required(text: str, module: str) -> Optional[str]:
    """The version of a module that a `go.mod` asks for, such as `v0.22.0`; None where it doesn't ask for it."""
    found = re.search(rf'^\s*(?:require\s+)?"?{re.escape(module)}"?\s+(v[^\s/]+)', text, re.MULTILINE)
    return found[1] if found else None
