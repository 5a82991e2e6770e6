"""Where findings are: in sources, or in `build.toml`; for people at a terminal, and for what reads repositories."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cache

from bpfgen.errors import Location
from bpfgen.findings.policy import Finding
from bpfgen.project import Project


def places(project: Project, repository: bool = False) -> Callable[[Finding], Location]:
    """Where a finding is: its line, else its program's table. Files are as the compiler had them and as the command
    line names `build.toml`; with `repository`, from the folder that is Git's, absolute where they aren't in there.
    """
    keys = {unit.program: unit.key for unit in project.units}
    table = cache(lambda program: project.document.where(("program", keys[program]), key=True))

    def place(finding: Finding) -> Location:
        where = finding.place or table(finding.program)
        return moved(project, where, finding.place is not None) if repository else where

    return place


def unused(project: Project, indices: Iterable[int], repository: bool = False) -> list[Location]:
    """Where tables of `check.allow` are."""
    found = [project.document.where(("check", "allow", index)) for index in indices]
    return [moved(project, where, False) for where in found] if repository else found


def moved(project: Project, where: Location, is_source: bool) -> Location:
    """The same place from the repository's folder; a source is relative to the project, what else there is names
    `build.toml`.
    """
    path = os.path.normpath(os.path.join(project.root, where.file if is_source else project.file))
    above = top(project.root)
    return Location(os.path.relpath(path, above) if path.startswith(f"{above}/") else path, where.line, where.column)


@cache
def top(root: str) -> str:
    """The folder that has `.git`, which is a file in a work tree; `root` where there is none."""
    folder = root
    while not os.path.lexists(os.path.join(folder, ".git")):
        if folder == os.path.dirname(folder):
            return root
        folder = os.path.dirname(folder)
    return folder
