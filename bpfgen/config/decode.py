"""Document → Config: walks the schema's annotations and reports every value that doesn't fit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from bpfgen.config.report import Path, Report, did_you_mean, quoted
from bpfgen.config.schema import Config, Kernel, Project
from bpfgen.config.values import Rule

T = TypeVar("T")


class _Invalid(Exception):
    """The value was reported; there is nothing to go on with."""


# What later checks see in place of a table that is wrong, so that they report nothing that follows from it.
_STAND_INS: Mapping[type, Any] = {Project: Project("?"), Kernel: Kernel("1.0", "kernel.btf")}


def decode(values: Mapping[str, Any], report: Report) -> Config:
    """A `Config` from parsed TOML. Problems go to `report`, all of them; what is wrong is left out of the result."""
    if values.get("program", {}) == {}:
        report.add(("program",), "there is no program to build", 'add one:  [program.NAME]  source = "bpf/NAME.c"')
    return _table(Config, values, (), report)


@cache
def hints(cls: type[Any]) -> Mapping[str, Any]:
    """The annotations of a schema class, evaluated."""
    return get_type_hints(cls, include_extras=True)


def required(field: Field[Any]) -> bool:
    """Whether a table without this key is wrong."""
    return field.default is MISSING and field.default_factory is MISSING


def _table(cls: type[T], value: Any, path: Path, report: Report) -> T:
    if not isinstance(value, dict):
        _refuse(report, path, f"{_dotted(path)} must be a table, not {_kind(value)}", _table_hint(cls, path))
    known = {field.name: field for field in fields(cls)}  # type: ignore[arg-type]
    for key in value:
        if key not in known:
            report.add((*path, key), f"unknown key {quoted(key)}{_in(path)}", did_you_mean(key, known), key=True)
    kinds: Mapping[str, Any] = hints(cls)  # type: ignore[arg-type]  # a class is hashable
    given, invalid = {}, False
    for name, field in known.items():
        if name in value:
            try:
                given[name] = _value(kinds[name], value[name], (*path, name), report)
            except _Invalid:
                invalid = True
        elif required(field):
            report.add(path, f"missing {_dotted((*path, name))}", _missing_hint(name))
            invalid = True
    if cls is Config:
        given.setdefault("project", _STAND_INS[Project])
    elif invalid:
        raise _Invalid
    return cls(**given)


def _value(kind: Any, value: Any, path: Path, report: Report) -> Any:
    """`value` as the annotation `kind` wants it."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _text(arguments[1], value, path, report)
    if origin is Literal:
        return _choice(arguments, value, path, report)
    if origin is Union:
        return _union(arguments, value, path, report)
    if origin is tuple:
        return _list(arguments[0], value, path, report)
    if origin is dict:
        return _mapping(arguments[0], arguments[1], value, path, report)
    if is_dataclass(kind):
        return _table(kind, value, path, report)  # type: ignore[arg-type]
    if type(value) is not kind:  # bool is an int to Python, not to TOML
        _refuse(report, path, f"{_dotted(path)} must be {_NAMES[kind]}, not {_kind(value)}", _type_hint(kind, value))
    return value


def _text(rule: Rule, value: Any, path: Path, report: Report) -> str:
    if not isinstance(value, str):
        several = path[-1] == "source" and isinstance(value, list)
        hint = "write  sources = […]  for several files" if several else _type_hint(str, value)
        _refuse(report, path, f"{_dotted(path)} must be a string, not {_kind(value)}", hint)
    if not value:
        if re.fullmatch(rule.pattern, ""):
            return ""
        _refuse(report, path, f"{_dotted(path)} is empty", f"it must be {rule.what}")
    if not re.fullmatch(rule.pattern, value):
        _refuse(report, path, f"{_dotted(path)} must be {rule.what}, not {quoted(value)}", rule.hint)
    return str(value)


def _choice(allowed: tuple[Any, ...], value: Any, path: Path, report: Report) -> Any:
    if value not in allowed or not isinstance(value, str):
        choices = " or ".join(map(quoted, allowed))
        hint = did_you_mean(value, allowed) if isinstance(value, str) else ""
        hint = _NOT_THERE.get(value, hint) if isinstance(value, str) else hint
        if f"v{value}" in allowed:
            hint = f'write "v{value}"'
        _refuse(
            report,
            path,
            f"{_dotted(path)} must be {choices}, not {_shown(value)}",
            "" if hint.startswith("known") else hint,
        )
    return value


# Values that people try with reason.
_NOT_THERE = {"probe": "an object must not depend on the machine that builds it"}


def _union(kinds: tuple[Any, ...], value: Any, path: Path, report: Report) -> Any:
    wanted = [kind for kind in kinds if kind is not type(None)]
    if get_origin(wanted[-1]) is tuple and len(wanted) > 1:
        if isinstance(value, list):
            return _list(get_args(wanted[-1])[0], value, path, report)
        wanted.pop()
    for kind in wanted[:-1]:
        if type(value) is kind:
            return value
    if len(wanted) > 1 and not isinstance(value, str):
        _refuse(report, path, f"{_dotted(path)} must be a string, a whole number, true or false, not {_kind(value)}")
    return _value(wanted[-1], value, path, report)


def _list(kind: Any, value: Any, path: Path, report: Report) -> tuple[Any, ...]:
    if not isinstance(value, list):
        hint = f"write [{quoted(value)}]" if isinstance(value, str) else ""
        _refuse(report, path, f"{_dotted(path)} must be a list, not {_kind(value)}", hint)
    items, invalid = [], False
    for index, item in enumerate(value):
        try:
            items.append(_value(kind, item, (*path, index), report))
        except _Invalid:
            invalid = True
    if invalid:
        raise _Invalid
    return tuple(items)


def _mapping(key_kind: Any, kind: Any, value: Any, path: Path, report: Report) -> dict[str, Any]:
    if not isinstance(value, dict):
        _refuse(report, path, f"{_dotted(path)} must be a table, not {_kind(value)}", _mapping_hint(path))
    items, invalid, rule = {}, False, get_args(key_kind)[1]
    for key, item in value.items():
        if not re.fullmatch(rule.pattern, key):
            report.add((*path, key), f"the name {quoted(key)}{_in(path)} must be {rule.what}", rule.hint, key=True)
            invalid = True
        try:
            items[key] = _value(kind, item, (*path, key), report)
        except _Invalid:
            invalid = True
            if kind in _STAND_INS:
                items[key] = _STAND_INS[kind]
    if invalid and len(path) > 1:
        raise _Invalid
    return items


def _refuse(report: Report, path: Path, message: str, hint: str = "") -> Any:
    report.add(path, message, hint)
    raise _Invalid


_NAMES: Mapping[type, str] = {bool: "true or false", int: "a number", str: "a string"}
_KINDS: Mapping[type, str] = {
    bool: "a boolean",
    int: "a number",
    float: "a decimal number",
    str: "a string",
    list: "a list",
    dict: "a table",
}


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "a date or time")


def _shown(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else _kind(value)


def _dotted(path: Path) -> str:
    """`program.xdp.sources[1]`, as a user would name it; keys that TOML would quote are quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = re.fullmatch(r"[A-Za-z0-9_-]+", part)
            text += ("." if text else "") + (part if bare else quoted(part))
    return text or "the file"


def _in(path: Path) -> str:
    return f" in [{_dotted(path)}]" if path else ""


def _missing_hint(name: str) -> str:
    return 'start with:  [project]  name = "…"' if name == "project" else f'add  {name} = "…"'


def _table_hint(cls: type, path: Path) -> str:
    if len(path) == 2 and path[0] == "program":
        return f"write [program.{path[1]}] and under it  source = …"
    if path and isinstance(path[-1], int):
        return f"write [[{_dotted(path[:-1])}]] on a line of its own, once for each"
    return f"write [{_dotted(path)}] on a line of its own" if cls.__module__ and path else ""


def _mapping_hint(path: Path) -> str:
    if path[-1] == "define":
        return 'write { NAME = "value", FLAG = true }'
    if path[-1] == "variants":
        return "write { debug = { define = { DEBUG = true } } }"
    return f"write [{_dotted(path)}.NAME]"


def _type_hint(kind: type, value: Any) -> str:
    if kind is bool and isinstance(value, str) and value.lower() in {"true", "false", "yes", "no", "on", "off"}:
        return f"write {'true' if value.lower() in {'true', 'yes', 'on'} else 'false'} without quotes"
    if kind is str and type(value) in {int, float}:
        return "put it in quotes"  # as it is written: 5.10 was read as 5.1
    return ""
