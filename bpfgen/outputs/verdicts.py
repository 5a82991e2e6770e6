"""`verdicts.json`: what each kernel target will say to each object, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bpfgen.files import write_if_changed
from bpfgen.headers import judged, types_path
from bpfgen.outputs import PLAN, Basis, Made, Plan, Tools, read_notes
from bpfgen.verifying import loads

if TYPE_CHECKING:
    from bpfgen.verdicts.batch import Before

FORMAT = 1
"""Of the file; another number is another layout."""


def section(basis: Basis) -> dict[str, Any]:
    """The file's path, the loader, what `build.toml` says of programs when they are loaded, and of each kernel that an
    object is judged for.
    """
    config = basis.config
    rows = []
    for name, arch in judged(basis.units):
        kernel = config.kernel[name]
        profile = kernel.profile.replace("{arch}", arch) if kernel.profile else None
        types = types_path(config, basis.out, name, arch)
        row = {"name": name, "arch": arch, "upstream": kernel.upstream, "assume": list(kernel.assume)}
        rows.append({**row, "btf": types, "profile": profile, "min_btf": kernel.min_btf})
    named = {
        program: {key: load[key] for key in ("attach", "optional")}
        for program, load in loads(config, basis.units).items()
    }
    return {"path": f"{basis.out}/verdicts.json", "loader": config.check.loader, "loads": named, "kernels": rows}


def made(plan: Plan, tools: Tools) -> Iterator[Made]:
    """The verdicts, from all objects and all that is known of kernels."""
    part = plan["verdicts"]
    files = dict.fromkeys(row[key] for row in part["kernels"] for key in ("btf", "profile") if row[key])
    objects = tuple(entry["path"] for entry in plan["objects"])
    yield Made((tools.plan, part["path"]), (part["path"],), objects, (tools.plan, *files))


def step(plan: str, path: str) -> None:
    """Writes the verdicts; a bad one fails no build. Raises `Failure` for objects and kernels that are damaged, and
    `OSError`.
    """
    write(read_notes(plan, (*PLAN, "verdicts")), path)


def write(plan: Plan, path: str) -> None:
    """Judges the objects that are new to a kernel, and writes what is said of all."""
    from bpfgen.verdicts.batch import Item, judge_all, summary
    from bpfgen.verdicts.evidence import Evidence
    from bpfgen.verdicts.model import to_json

    part = plan["verdicts"]
    kernels = {(row["name"], row["arch"]): Evidence(row, part["loader"]) for row in part["kernels"]}
    items = [Item(row, part["loader"], part["loads"].get(row["program"], {})) for row in plan["objects"]]
    before = _before(path)
    verdicts = judge_all(items, kernels, before)
    value = {
        "bpfgen": plan["bpfgen"],
        "format": FORMAT,
        "project": plan["project"],
        "loader": part["loader"],
        "kernels": [summary(each, before) for each in kernels.values()],
        "objects": {each.row["id"]: each.key for each in items},
        "verdicts": list(map(to_json, verdicts)),
    }
    write_if_changed(path, (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode())


def _before(path: str) -> Before:
    """What was said before, and still holds where object and kernel are the same."""
    from bpfgen.verdicts.batch import Before, read_before

    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
        return read_before(value) if value["format"] == FORMAT else Before()
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return Before()
