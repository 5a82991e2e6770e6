"""The schema's classes → the reference page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from bpfgen.config import schema
from bpfgen.config.decode import hints, required
from bpfgen.config.jsonschema import documentation

HEAD = """# Reference of build.toml

Made from the schema of bpfgen by its tests; `bpfgen schema` prints the same for editors.
Unknown keys are errors. Paths are relative to the folder of the file.
"""


def render() -> str:
    """The page, as Markdown."""
    return HEAD + "".join(_section(cls, name) for cls, name in _tables(schema.Config, ""))


def _tables(cls: type, prefix: str) -> Iterator[tuple[type, str]]:
    """Every table with its heading as it is written, `NAME` standing for a name that the user chooses."""
    for field in fields(cls):
        kind = _without_none(hints(cls)[field.name])
        origin = get_origin(kind)
        inner = get_args(kind)[1 if origin is dict else 0] if origin in {dict, tuple} else kind
        if is_dataclass(inner):
            name = f"{prefix}{field.name}{'.NAME' if origin is dict else ''}"
            yield inner, f"[[{name}]]" if origin is tuple else f"[{name}]"  # type: ignore[misc]
            yield from _tables(inner, f"{name}.")  # type: ignore[arg-type]


def _section(cls: type, heading: str) -> str:
    texts = documentation()[cls.__name__]
    lines = [f"\n## {heading}\n\n{texts['']}\n\n| key | value | default | |\n|---|---|---|---|\n"]
    for field in fields(cls):
        text = " ".join(texts.get(field.name, "").split())
        kind = _kind(hints(cls)[field.name])
        lines.append(f"| `{field.name}` | {kind} | {_default(field)} | {text} |\n".replace("\\|", "|"))
    return "".join(lines)


def _default(field: Field[Any]) -> str:
    if required(field):
        return "required"
    if field.default in {MISSING, None, ()}:
        return ""
    value = list(field.default) if isinstance(field.default, tuple) else field.default
    return f"`{str(value).lower() if isinstance(value, bool) else str(value).replace(chr(39), chr(34))}`"


def _kind(kind: Any) -> str:
    kind = _without_none(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return (
            "a string"
            if arguments[1].what.startswith(('"', "a macro's"))
            else str(arguments[1].what).split(" without")[0].rstrip(",")
        )
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin is Union:
        return " or ".join(dict.fromkeys(map(_kind, arguments)))
    if origin is tuple:
        return "tables" if is_dataclass(arguments[0]) else f"list: {_kind(arguments[0])}"
    if origin is dict:
        return "table"
    return {bool: "true or false", int: "a number", str: "a string"}.get(kind, "table")


def _without_none(kind: Any) -> Any:
    rest = [choice for choice in get_args(kind) if choice is not type(None)]
    return rest[0] if get_origin(kind) is Union and len(rest) == 1 else kind
