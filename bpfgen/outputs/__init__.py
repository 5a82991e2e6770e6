"""What is made from objects: one module for each kind of output, and a row of `OUTPUTS` here.

A module has what `Module` says. It is imported where its table is in `build.toml`, also by plain `bpfgen`: so what only
`step` needs is imported within functions.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, Protocol, cast

from bpfgen.errors import Failure, Location, Problem
from bpfgen.frozen import frozen

if TYPE_CHECKING:
    from bpfgen.config.schema import Config

Plan = Mapping[str, Any]
"""`plan.json`, as `bpfgen.plan.make_plan` makes it; or a part of it, or of the manifest."""

PLAN = ("bpfgen", "project", "toolchain", "objects")
"""What `plan.json` has at its top, beside the parts of outputs."""


@frozen
class Output:
    """A kind of output."""

    name: str
    """Of its module here, its step and its part of the plan."""
    code: tuple[str, ...] = ("steps.py", "files.py", "bpf", "catalog", "outputs")
    """bpfgen's own files and folders that its step is made of, so that a new bpfgen makes its files again."""
    bpftool: bool = False
    """Whether its step runs bpftool."""
    table: str = ""
    """The table of `build.toml` that asks for it; the name, if this is empty. Where there can be no such table, it is
    made always.
    """
    bindings: str = "embed"
    """What a table's `bindings` must be, where it has that key."""


OUTPUTS = (
    Output("manifest"),
    Output("go"),
    Output("bpf2go", table="go", bindings="bpf2go"),
    Output("skeleton", ("steps.py", "files.py", "outputs/skeleton.py"), bpftool=True),
    Output("rust"),
)
STEPS = ("vmlinux", *(output.name for output in OUTPUTS))
"""Modules here with a step: `vmlinux` is made before the objects, by edges of `compile`."""


@frozen
class Tools:
    """What a step's words name, beside what is in the plan."""

    plan: str
    """The path of `plan.json`."""
    bpftool: str = ""
    """Empty where no output needs it."""


@frozen
class Made:
    """Files that one run of a step makes."""

    words: tuple[str, ...]
    """The arguments of `Module.step`."""
    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    implicit: tuple[str, ...] = ()
    """Further files that it reads."""


class Module(Protocol):
    """The functions of an output's module."""

    def section(self, config: Config, objects: Sequence[Plan], out: str, /) -> Any:
        """Its part of the plan, ready for JSON; `objects` are the plan's, `out` is the output folder."""

    def made(self, plan: Plan, tools: Tools, /) -> Iterable[Made]:
        """The files it will write, by runs of the step, from the plan alone: before anything is built."""

    def step(self, *words: str) -> None:
        """Writes files, only where their bytes change; raises `Failure`, `OSError`."""


def asked(config: Config) -> Iterator[Output]:
    """The outputs that a project has."""
    return (output for output in OUTPUTS if _is_asked(config, output))


def _is_asked(config: Config, output: Output) -> bool:
    table = getattr(config, output.table or output.name, True)
    return table is not None and getattr(table, "bindings", output.bindings) == output.bindings


def module(name: str) -> Module:
    """The module of an output, by its name."""
    return cast(Module, importlib.import_module(f"bpfgen.outputs.{name}"))


def run(words: Sequence[str]) -> bool:
    """Runs the step that words name: `STEP ARGUMENTS…`; False where they name none. Raises `Failure`, `OSError`."""
    name, *rest = words or [""]
    step: Optional[Any] = module(name).step if name in STEPS else None
    if step is None or len(rest) != step.__code__.co_argcount:
        return False
    step(*rest)
    return True


def read_notes(path: str, names: Iterable[str]) -> Any:
    """A JSON file that bpfgen wrote itself, with these names at its top; raises `Failure` where someone has damaged it
    since.
    """
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or not all(name in value for name in names):
        raise Failure([Problem(Location(path), "this file is damaged", "delete it, then run bpfgen -v && ninja")])
    return value
