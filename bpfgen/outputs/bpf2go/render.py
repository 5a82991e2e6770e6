"""Model → the text of one Go file, as gofmt leaves it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from bpfgen.frozen import frozen
from bpfgen.outputs.bpf2go.gotypes import columns, text
from bpfgen.outputs.bpf2go.identifiers import Names, identifier, upper_first
from bpfgen.outputs.bpf2go.levels import Level
from bpfgen.outputs.bpf2go.model import Declaration, Model
from bpfgen.outputs.texts import environment

if TYPE_CHECKING:
    import jinja2

Row = tuple[str, str]
_KERNELS = "bpf2go.kernels.go.j2"
_TEMPLATES = {"embed": "bpf2go.go.j2", "embed.FS": "bpf2go.fs.go.j2", "disk": "bpf2go.disk.go.j2"}
"""By `go.files`."""


@frozen
class Kernel:
    """A kernel that a selector has an object for."""

    name: str
    """As in `build.toml`."""
    version: int
    """`LINUX_VERSION_CODE`"""
    stem: str
    """Of the file that has the object."""

    @property
    def load(self) -> str:
        """That file's loader."""
        return Names(self.stem).load


@frozen
class File:
    """What surrounds the model in one Go file."""

    header: str
    """Its first line."""
    constraint: str
    """The expression of `//go:build`, or empty."""
    package: str
    object: str
    """The name of the object that it embeds, in its own folder."""
    source: str = "embed"
    """`go.files`"""
    kernels: tuple[Kernel, ...] = ()
    """Of a selector, which embeds none: the newest first."""


@frozen
class _Entry:
    """A map, program or variable."""

    c: str
    go: str


def render(file: File, stem: str, model: Model, level: Level) -> str:
    """The whole file."""
    types = [{"name": each.name, "text": text(each.type), "constants": _constants(each)} for each in model.types]
    kinds = {"Map": model.maps, "Prog": model.programs, "Var": model.variables}
    names = [(f"{stem}{kind}{identifier(name)}", f'= "{name}"') for kind, found in kinds.items() for name in found]
    return _template(_KERNELS if file.kernels else _TEMPLATES[file.source]).render(
        file=file,
        stem=stem,
        names=Names(stem),
        types=types,
        structs=any("structs.HostLayout" in each["text"] for each in types),
        constants=names if level.constants else (),
        any=_any(level),
        maps=_entries(model.maps),
        programs=_entries(model.programs),
        variables=_entries(model.variables),
    )


def render_explain(file: File, stem: str, level: Level) -> str:
    """The file beside it that says what a kernel lacks."""
    template = _template("bpf2go.explain.go.j2")
    return template.render(file=file, stem=stem, upper=upper_first(stem), names=Names(stem), any=_any(level))


def _any(level: Level) -> str:
    return "any" if level.constants else "interface{}"


@cache
def _template(name: str) -> jinja2.Template:
    templates = environment()
    templates.filters["columns"] = columns
    templates.filters["fields"] = _fields
    return templates.get_template(name)


def _entries(names: Sequence[str]) -> tuple[_Entry, ...]:
    return tuple(_Entry(name, identifier(name)) for name in names)


def _fields(entries: Sequence[_Entry], kind: str) -> list[str]:
    return columns([(entry.go, f'*ebpf.{kind} `ebpf:"{entry.c}"`') for entry in entries])


def _constants(declaration: Declaration) -> list[Row]:
    return [(name, f"{declaration.name} = {value}") for name, value in declaration.constants]
