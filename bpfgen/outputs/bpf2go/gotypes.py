"""Go types as data, and their text as gofmt writes it (go/printer/nodes.go, fieldList)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Optional, Union

from bpfgen.frozen import frozen

_ONE_LINE = 30
"""Letters of a struct's only field, up to which gofmt leaves it on one line (isOneLineFieldList)."""


@frozen
class Plain:
    """A type that is one word: `uint32`, or a name."""

    text: str
    comment: str = ""
    """Stands behind it, in `/* … */`."""


@frozen
class ArrayOf:
    """`[length]element`"""

    length: int
    element: GoType


@frozen
class Field:
    """A field of a struct; `_` is padding."""

    name: str
    type: GoType


@frozen
class StructOf:
    """`struct { … }`"""

    fields: tuple[Field, ...]


GoType = Union[Plain, ArrayOf, StructOf]


def text(kind: GoType, indent: str = "") -> str:
    """The type as gofmt writes it, its further lines behind `indent`."""
    if isinstance(kind, Plain):
        return f"{kind.text} /* {kind.comment} */" if kind.comment else kind.text
    if isinstance(kind, ArrayOf):
        return f"[{kind.length}]{text(kind.element, indent)}"
    short = None if _has_comment(kind) else _one_line(kind)
    if short is not None:
        return short
    inner = f"{indent}\t"
    rows = [(field.name, text(field.type, inner)) for field in kind.fields]
    return "".join(("struct {\n", *(f"{inner}{line}\n" for line in _aligned(rows)), indent, "}"))


def names_in(kind: GoType) -> Iterator[str]:
    """The words of the type: Go's own, and names of others."""
    return (part.text for part in _parts(kind) if isinstance(part, Plain))


def columns(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Lines of two columns, a blank between them."""
    width = max((len(first) for first, _ in rows), default=0)
    return [f"{first:{width}} {second}" for first, second in rows]


def _aligned(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Fields in columns; behind a field of several lines, gofmt begins anew."""
    section: list[tuple[str, str]] = []
    for row in rows:
        section.append(row)
        if "\n" in row[1]:
            yield from columns(section)
            section = []
    yield from columns(section)


def _one_line(kind: GoType) -> Optional[str]:
    """The type on one line, without comments; None where gofmt takes several."""
    if isinstance(kind, Plain):
        return kind.text
    if isinstance(kind, ArrayOf):
        element = _one_line(kind.element)
        return None if element is None else f"[{kind.length}]{element}"
    if not kind.fields:
        return "struct{}"
    only = _one_line(kind.fields[0].type)
    if len(kind.fields) > 1 or only is None or len(only) >= _ONE_LINE:
        return None
    return f"struct{{ {kind.fields[0].name} {only} }}"


def _has_comment(kind: GoType) -> bool:
    return any(isinstance(part, Plain) and part.comment for part in _parts(kind))


def _parts(kind: GoType) -> Iterator[GoType]:
    yield kind
    inner: Iterable[GoType] = ()
    if isinstance(kind, ArrayOf):
        inner = (kind.element,)
    elif isinstance(kind, StructOf):
        inner = (field.type for field in kind.fields)
    for part in inner:
        yield from _parts(part)
