"""`manifest.json`: what is in every object, and what it was built with."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bpfgen.errors import Failure, Problem
from bpfgen.files import write_if_changed
from bpfgen.outputs import PLAN, Basis, Made, Plan, Tools, read_notes

if TYPE_CHECKING:
    pass


def section(basis: Basis) -> str:
    """The manifest's path."""
    return f"{basis.out}/manifest.json"


def made(plan: Plan, tools: Tools) -> Iterator[Made]:
    """The manifest."""
    objects = tuple(entry["path"] for entry in plan["objects"])
    yield Made((tools.plan, plan["manifest"]), (plan["manifest"],), objects, (tools.plan,))


def step(plan: str, path: str) -> None:
    """`write`, with the path of `plan.json`."""
    write(read_notes(plan, PLAN), path)


def write(plan: Plan, path: str) -> None:
    """Reads the plan's objects and writes the manifest; raises `Failure` with the problems of every object that is
    unsound.
    """
    reader = _reader()
    known = _known(plan, reader, path)
    entries, problems = [], list[Problem]()
    for entry in plan["objects"]:
        try:
            entries.append({**entry, **_read(entry["path"], known)})
        except Failure as failure:
            problems += failure.problems
    if problems:
        raise Failure(problems)
    head = {name: plan[name] for name in ("bpfgen", "project", "toolchain")}
    text = json.dumps({**head, "reader": reader, "objects": entries}, indent=1, ensure_ascii=False) + "\n"
    write_if_changed(path, text.encode())


def _read(path: str, known: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    with open(path, "rb") as file:
        data = file.read()
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 in known:
        return known[sha256]
    from bpfgen.bpf.elf import read_object  # pyelftools, only where an object is new

    return dataclasses.asdict(read_object(data, path))


def _known(plan: Plan, reader: str, path: str) -> dict[str, dict[str, Any]]:
    """What an earlier manifest, made by the same reader, says of objects, by their contents."""
    from bpfgen.bpf.info import ObjectInfo

    names = [each.name for each in dataclasses.fields(ObjectInfo)]
    try:
        with open(path, encoding="utf-8") as file:
            old = json.load(file)
        if (old["bpfgen"], old["reader"]) != (plan["bpfgen"], reader):
            return {}
        return {o["sha256"]: {name: o[name] for name in names} for o in old["objects"]}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def _reader() -> str:
    """A hash of the code and the facts that objects are read with: what another reader found is not reused."""
    from pathlib import Path

    package = Path(__file__).parent.parent
    code = hashlib.sha256()
    for file in sorted((*package.glob("bpf/*.py"), *package.glob("catalog/*.toml"))):
        code.update(file.read_bytes())
    return code.hexdigest()[:16]
