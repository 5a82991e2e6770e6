"""bpfgen as a contestant: a project folder, what its build makes, and the commands that make it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from benchmarks.measure import Command, Contestant, run
from benchmarks.tools import Tools

Naming = Callable[[Mapping[str, Any]], str]


def by_program(row: Mapping[str, Any]) -> str:
    """The name of an object of the plan: its id, for the same in every project."""
    return str(row["id"])


@dataclass(frozen=True)
class Project:
    """A folder with a `build.toml`."""

    tools: Tools
    root: Path
    ccache: Optional[Path] = None
    """The folder of ccache, where it is on."""

    def write(self, toml: str, launcher: str = "none", fast: bool = True) -> Project:
        """Writes `build.toml` and generates once, so that `objects` knows. A launcher of compilers is off unless it is
        what is measured.
        """
        if "launcher" in self.tools.features:
            toml += f'\n[cache]\nlauncher = "{launcher}"\n'
        if not fast:
            toml = toml.replace("[compile]\n", "[compile]\nfast = false\n")
        (self.root / "build.toml").write_text(toml, encoding="utf-8")
        run(self.generate())
        return self

    def plan(self) -> list[dict[str, Any]]:
        """The objects, as the notes of the last `bpfgen` list them."""
        text = (self.root / "out" / ".bpfgen" / "plan.json").read_text(encoding="utf-8")
        rows: list[dict[str, Any]] = json.loads(text)["objects"]
        return rows

    def objects(self, naming: Naming = by_program) -> dict[str, Path]:
        """Every object by name."""
        return {naming(row): self.root / row["path"] for row in self.plan()}

    def generate(self, *words: str) -> Command:
        """Plain `bpfgen`, or with options."""
        return Command((*self.tools.bpfgen, *words), self.root, self.tools.environment(self.ccache))

    def ninja(self, *words: str) -> Command:
        """Ninja, with as many jobs as the others."""
        argv = (self.tools.ninja, f"-j{self.tools.jobs}", *words)
        return Command(argv, self.root, self.tools.environment(self.ccache))

    def build(self, objects_only: bool = False) -> tuple[Command, ...]:
        """`bpfgen && ninja`; the manifest and the Go package are made too, unless only objects are asked for."""
        return self.generate(), self.ninja(*(row["path"] for row in self.plan() if objects_only))

    def clean(self) -> None:
        """Removes everything that bpfgen and Ninja ever wrote."""
        shutil.rmtree(self.root / "out", ignore_errors=True)
        for name in ("build.ninja", "compile_commands.json"):
            (self.root / name).unlink(missing_ok=True)
        self.tools.forget()

    def cold(
        self, name: str, objects_only: bool = False, naming: Naming = by_program, forget_ccache: bool = False
    ) -> Contestant:
        """A build from nothing; what ccache knows is kept, unless it shall forget it."""

        def prepare() -> None:
            self.clean()
            if self.ccache and forget_ccache:
                shutil.rmtree(self.ccache, ignore_errors=True)

        return Contestant(name, self.build(objects_only), self.objects(naming), prepare)
