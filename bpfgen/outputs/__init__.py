"""What is made from objects: one module for each kind of output, and a row of `OUTPUTS` here.

A module has what `Module` says. It is imported where its table is in `build.toml`, also by plain `bpfgen`: so what only
`step` needs is imported within functions.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, Protocol, cast

from bpfgen.errors import Failure, Location, Problem
from bpfgen.frozen import frozen

if TYPE_CHECKING:
    from bpfgen.config.schema import Config
    from bpfgen.matrix import Unit

Plan = Mapping[str, Any]
"""`plan.json`, as `bpfgen.plan.make_plan` makes it; or a part of it, or of the manifest."""

PLAN = ("bpfgen", "project", "toolchain", "objects")
"""What `plan.json` has at its top, beside the parts of outputs."""


OWN = ("steps.py", "files.py", "bpf", "catalog", "outputs")
"""bpfgen's own files and folders that most steps are made of."""
SHOWN = ("steps.py", "files.py", "text.py", "catalog", "findings", "verdicts/model.py", "outputs")
"""The same, of what shows verdicts."""


def _always(_config: Config) -> bool:
    return True


def _kernels(config: Config) -> bool:
    return bool(config.kernel)


def _min_btf(config: Config) -> bool:
    return any(kernel.min_btf for kernel in config.kernel.values())


@frozen
class Output:
    """A kind of output."""

    name: str
    """Of its module here, its step, its part of the plan."""
    wanted: Callable[[Config], bool]
    """Whether a project has it."""
    code: tuple[str, ...] = OWN
    """bpfgen's own files and folders that its step is made of, so that a new bpfgen makes its files again."""
    bpftool: bool = False
    """Whether its step runs bpftool."""
    check: bool = False
    """Whether it is made by the target `check`, and not by a plain build."""


OUTPUTS = (
    Output("manifest", _always),
    Output("verdicts", _kernels, (*OWN, "parallel.py", "kernels", "verdicts"), check=True),
    Output("check", _kernels, SHOWN, check=True),
    Output("report", _kernels, (*SHOWN, "bpf/info.py", "bpf/memory.py"), check=True),
    Output("go", lambda config: config.go is not None and config.go.bindings == "embed"),
    Output("bpf2go", lambda config: config.go is not None and config.go.bindings == "bpf2go"),
    Output(
        "skeleton",
        lambda config: config.skeleton is not None,
        ("steps.py", "files.py", "outputs/skeleton.py"),
        bpftool=True,
    ),
    Output("rust", lambda config: config.rust is not None),
    Output("minbtf", _min_btf, ("steps.py", "files.py", "bpf", "kernels/mincore.py", "outputs/minbtf.py")),
    Output(
        "gominbtf",
        lambda config: config.go is not None and _min_btf(config),
        ("steps.py", "files.py", "outputs"),
    ),
)
STEPS = ("types", "vmlinux", "image", "loader", "verified", *(output.name for output in OUTPUTS))
"""Modules here with a step: `types` and `vmlinux` are made before the objects, by edges of `headers`; `image`, `loader`
and `verified` when `bpfgen verify` asks for them, by edges of `verifying`."""


@frozen
class Basis:
    """What an output's part of the plan is made from."""

    config: Config
    units: Sequence[Unit]
    objects: Sequence[Plan]
    """The plan's, one for each unit."""
    out: str
    """The output folder."""
    clang: str
    """The compiler's version."""


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

    def section(self, basis: Basis, /) -> Any:
        """Its part of the plan, ready for JSON."""

    def made(self, plan: Plan, tools: Tools, /) -> Iterable[Made]:
        """The files it will write, by runs of the step, from the plan alone: before anything is built."""

    def step(self, *words: str) -> None:
        """Writes files, only where their bytes change; raises `Failure`, `OSError`."""


def asked(config: Config) -> Iterator[Output]:
    """The outputs that a project has."""
    return (output for output in OUTPUTS if output.wanted(config))


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
