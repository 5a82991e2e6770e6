"""`manifest.json`: what is in every object, and what it was built with."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bpfgen.errors import Failure, Problem
from bpfgen.files import write_if_changed


def write(plan: Mapping[str, Any], path: str) -> None:
    """Reads the plan's objects and writes the manifest; raises `Failure` with the problems of every object that is
    unsound.
    """
    known = _known(plan, path)
    entries, problems = [], list[Problem]()
    for entry in plan["objects"]:
        try:
            entries.append({**entry, **_read(entry["path"], known)})
        except Failure as failure:
            problems += failure.problems
    if problems:
        raise Failure(problems)
    head = {name: plan[name] for name in ("bpfgen", "project", "toolchain")}
    text = json.dumps({**head, "objects": entries}, indent=1, ensure_ascii=False) + "\n"
    write_if_changed(path, text.encode())


def _read(path: str, known: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    data = Path(path).read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 in known:
        return known[sha256]
    from bpfgen.bpf.elf import read_object  # pyelftools, only where an object is new

    return dataclasses.asdict(read_object(data, path))


def _known(plan: Mapping[str, Any], path: str) -> dict[str, dict[str, Any]]:
    """What an earlier manifest of the same bpfgen says of objects, by their contents."""
    try:
        old = json.loads(Path(path).read_text(encoding="utf-8"))
        if old["bpfgen"] != plan["bpfgen"]:
            return {}
        given = {name for entry in plan["objects"] for name in entry}
        return {o["sha256"]: {k: v for k, v in o.items() if k not in given} for o in old["objects"]}
    except (OSError, ValueError, LookupError, TypeError):
        return {}
