"""`Config` → the text of a `build.toml` that decodes to it: what equals its default is left out."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bpfgen.config.schema import Config

Comments = Mapping[tuple[str, ...], Sequence[str]]
"""Lines of comment above a table, by its path, or above a key of a table; `()` is the file itself."""

WIDTH = 120


def render(config: Config, comments: Comments) -> str:
    """The text, in the order of the schema; a table without keys is written where there is a comment on it, or where
    its presence counts.
    """
    head = "".join(f"{line}\n" for line in _comment(comments, ()))
    blocks = ["\n".join(lines) for lines in _table(config, (), comments) if lines]
    return "\n".join(filter(None, (head, *(f"{block}\n" for block in blocks))))


def _table(value: Any, path: tuple[str, ...], comments: Comments, repeated: bool = False) -> Iterator[list[str]]:
    """A table's own lines, then those of the tables in it; with `repeated`, it is one of several of its name."""
    keys: list[str] = []
    tables: list[tuple[str, Any]] = []
    for field in dataclasses.fields(value):
        item = getattr(value, field.name)
        if _is_table(item):
            tables.append((field.name, item))
        elif item != _default(field) or (*path, field.name) in comments:
            keys += [*_comment(comments, (*path, field.name)), *_line(_key(field.name), item)]
    if path and (keys or path in comments or not tables):
        name = ".".join(map(_key, path))
        yield [*_comment(comments, path), f"[[{name}]]" if repeated else f"[{name}]", *keys]
    for name, item in tables:
        if isinstance(item, tuple):
            for row in item:
                yield from _table(row, (*path, name), comments, repeated=True)
            continue
        entries = {(name, key): row for key, row in item.items()} if isinstance(item, dict) else {(name,): item}
        for key, row in entries.items():
            if row != _default_of(value, key) or (*path, *key) in comments:
                yield from _table(row, (*path, *key), comments)


def _is_table(item: Any) -> bool:
    """Whether a value is a table, a table of tables, or a list of them."""
    if isinstance(item, (dict, tuple)):
        rows = item.values() if isinstance(item, dict) else item
        return bool(item) and all(map(dataclasses.is_dataclass, rows))
    return dataclasses.is_dataclass(item)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _default_of(owner: Any, key: tuple[str, ...]) -> Any:
    """What a table is where the file has none; a table of a table of tables is always there."""
    fields = {field.name: field for field in dataclasses.fields(owner)}
    return _default(fields[key[0]]) if len(key) == 1 else dataclasses.MISSING


def _comment(comments: Comments, path: tuple[str, ...]) -> list[str]:
    return [f"# {line}" if line else "#" for text in comments.get(path, ()) for line in text.split("\n")]


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else string(name)


def _line(key: str, value: Any) -> list[str]:
    """A key and its value; a list that is too long for a line has one for each item."""
    line = f"{key} = {literal(value)}"
    if len(line) <= WIDTH or not isinstance(value, tuple):
        return [line]
    return [f"{key} = [", *(f"  {literal(item)}," for item in value), "]"]


def literal(value: Any) -> str:
    """A value as TOML; dicts as inline tables."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return string(value)
    if isinstance(value, dict):
        rows = ", ".join(f"{_key(name)} = {literal(item)}" for name, item in value.items())
        return f"{{ {rows} }}" if rows else "{}"
    return f"[{', '.join(map(literal, value))}]"


def string(text: str) -> str:
    """A basic string. JSON's are TOML's, but for DEL, which TOML wants escaped (TOML 1.0, "String")."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
