"""Changes a table of `build.toml` and leaves the rest of its text as the user wrote it."""

from __future__ import annotations

import json
from collections.abc import Mapping

import tomli

from bpfgen.config.positions import scan
from bpfgen.config.source import Document
from bpfgen.errors import Failure, Problem


def with_kernel(document: Document, name: str, values: Mapping[str, str]) -> str:
    """The text with these strings in `[kernel.NAME]`: a table that is there gets them, else one is added behind the
    last kernel's, or at the end. Raises `Failure` where kernels are written in a form that this can't add to.
    """
    wanted = {**document.values, "kernel": {**document.values.get("kernel", {})}}
    wanted["kernel"][name] = {**wanted["kernel"].get(name, {}), **values}
    lines = "".join(f"{key} = {_string(value)}\n" for key, value in values.items())
    header = f"[kernel.{_key(name)}]\n"
    for text in _candidates(document, name, values, header, lines):
        try:
            if tomli.loads(text) == wanted:
                return text
        except tomli.TOMLDecodeError:
            continue
    where = document.where(("kernel", name))
    raise Failure([Problem(where, "can't be changed here: it isn't a table of its own", f"write  {header}{lines}")])


def _candidates(document: Document, name: str, values: Mapping[str, str], header: str, lines: str) -> list[str]:
    """What the text can become; only one that means what is wanted is taken, so this may guess."""
    text = document.text
    if name in document.values.get("kernel", {}):
        return [_in_table(document, name, values)]
    end = _end_of_kernels(document)
    before, after = text[:end].rstrip("\n"), text[end:].lstrip("\n")
    gap = "\n\n" if before else ""
    return [f"{before}{gap}{header}{lines}" + (f"\n{after}" if after else "")]


def _in_table(document: Document, name: str, values: Mapping[str, str]) -> str:
    """The text with values replaced where they stand, and new ones right below the table's header."""
    text, places = document.text, scan(document.text).places
    known = document.values["kernel"][name]
    edits: list[tuple[int, int, str]] = []
    for key, value in values.items():
        if key in known:
            start = places["kernel", name, key].value
            edits.append((start, _end_of_value(text, start, known[key]), _string(value)))
        else:
            at = text.find("\n", places["kernel", name].value) + 1 or len(text)
            edits.append((at, at, f"{key} = {_string(value)}\n"))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _end_of_value(text: str, start: int, value: object) -> int:
    """Where a string on one line ends."""
    for end in range(start + 1, len(text) + 1):
        try:
            if tomli.loads(f"x = {text[start:end]}") == {"x": value}:
                return end
        except tomli.TOMLDecodeError:
            continue
    return start


def _end_of_kernels(document: Document) -> int:
    """Where the last kernel's table ends: at the next header, but before the comments that belong to that."""
    text, found = document.text, scan(document.text)
    tables = [found.places["kernel", name].value for name in document.values.get("kernel", {})]
    if not tables:
        return len(text)
    last = max(tables)
    following = [at for at in found.statements if at > last and text.startswith("[", at)]
    end = min(following, default=len(text))
    statements = sorted(at for at in found.statements if last < at < end)
    while statements and text.startswith("#", statements[-1]):
        end = statements.pop()
    return end


def _key(name: str) -> str:
    """A key that needs quotes gets them: `6.12` would be a key in a table."""
    return name if name.replace("_", "").replace("-", "").isalnum() else _string(name)


def _string(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # which JSON leaves as it is
