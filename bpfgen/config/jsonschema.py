"""The schema's classes → JSON Schema (draft 7, which TOML language servers read)."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from bpfgen.catalog import arches
from bpfgen.config import schema, schemabuilder, schemacheck, schemaverify, values
from bpfgen.config.decode import hints, required

_PLAIN = {bool: "boolean", int: "integer", str: "string"}


def render() -> str:
    """The whole schema as text, ending in a newline."""
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "build.toml of bpfgen"}
    return json.dumps({**head, **_table(schema.Config)}, indent=2, ensure_ascii=False) + "\n"


@cache
def documentation() -> Mapping[str, Mapping[str, str]]:
    """Class → field → the string under it; a class's own is under the empty name. Read from the schema's source."""
    found: dict[str, dict[str, str]] = {}
    modules = (schema, schemabuilder, schemacheck, schemaverify)
    for node in (node for module in modules for node in ast.parse(inspect.getsource(module)).body):
        if isinstance(node, ast.ClassDef):
            texts = {"": ast.get_docstring(node) or ""}
            for item, after in zip(node.body, node.body[1:]):
                if isinstance(item, ast.AnnAssign) and isinstance(after, ast.Expr):
                    name = ast.unparse(item.target)
                    texts[name] = inspect.cleandoc(str(ast.literal_eval(after.value)))
            found[node.name] = texts
    return found


def default(field: Field[Any]) -> Any:
    """A key's default as JSON; None where it has none that could be written down."""
    value = field.default if field.default is not MISSING else None
    return list(value) or None if isinstance(value, tuple) else value


def _table(cls: type) -> dict[str, Any]:
    texts = documentation()[cls.__name__]
    properties = {}
    for field in fields(cls):
        entry = _value(hints(cls)[field.name])
        if field.name in texts:
            entry["description"] = texts[field.name]
        if default(field) is not None:
            entry["default"] = default(field)
        properties[field.name] = entry
    needed = [field.name for field in fields(cls) if required(field)]
    table = {"type": "object", "description": texts[""], "properties": properties, "additionalProperties": False}
    return {**table, "required": needed} if needed else table


def _value(kind: Any) -> dict[str, Any]:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        if kind is values.ArchName:
            return {"enum": list(arches())}
        return {"type": "string", "pattern": f"^(?:{arguments[1].pattern})$"}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is Union:
        choices = [_value(choice) for choice in arguments if choice is not type(None)]
        return choices[0] if len(choices) == 1 else {"anyOf": choices}
    if origin is tuple:
        return {"type": "array", "items": _value(arguments[0])}
    if origin is dict:
        names = {"pattern": f"^(?:{get_args(arguments[0])[1].pattern})$"}
        return {"type": "object", "propertyNames": names, "additionalProperties": _value(arguments[1])}
    return _table(kind) if is_dataclass(kind) else {"type": _PLAIN[kind]}  # type: ignore[arg-type]
