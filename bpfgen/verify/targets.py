"""A kernel target of one architecture: its objects, what is known of them from last time, and the rest by a machine."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bpfgen.errors import EXIT_FAILED, Failure, Problem
from bpfgen.files import sha256, write_if_changed
from bpfgen.verify.classify import DESCRIPTION
from bpfgen.verify.job import Item, Needs
from bpfgen.verify.judge import dead, judge
from bpfgen.verify.machine import Guest, kvm_answers, machine_of
from bpfgen.verify.model import Report, to_json
from bpfgen.verify.process import Deadlines
from bpfgen.verify.protocol import Event
from bpfgen.verify.rounds import Emulated, Outcomes, outcomes

Plan = Mapping[str, Any]


def verify_target(plan: Plan, kernel: str, arch: str, files: tuple[str, str], loader: str, path: str) -> None:
    """Writes the report of a kernel on an architecture to `path`, and what the loader said beside it, for next time.
    `files` have the kernel and its configuration. Raises `Failure`, OSError.
    """
    items = list(items_of(plan, kernel, arch))
    rest = (*map(sha256, files), sha256(loader), *_package(plan, kernel, arch))
    keys = {item.name: item.key(*rest) for item in items}
    known = _known(kept(path))
    left = [item for item in items if keys[item.name] not in known["ends"]]
    if left:
        found, how = _run(plan, kernel, arch, files, loader, left)
        fresh = {keys[name]: end for name, end in found.ends.items()}
        before = {key: end for key, end in known["ends"].items() if key in keys.values()}
        known = {"release": found.release, "loader": found.loader, "how": how, "ends": {**before, **fresh}}
        write_if_changed(kept(path), json.dumps(known, indent=1).encode())
    ends = [(item, {**known["ends"][keys[item.name]], "object": item.name}) for item in items]
    report = Report(
        kernel=kernel,
        arch=arch,
        release=known["release"],
        loader=known["loader"],
        how=known["how"],
        objects=tuple(judge(end, item.needs, kernel) for item, end in ends),
    )
    write_if_changed(path, (json.dumps(to_json(report), indent=1, ensure_ascii=False) + "\n").encode())


def items_of(plan: Plan, kernel: str, arch: str) -> Iterator[Item]:
    """The plan's objects that are for a kernel (empty: for any) on an architecture."""
    for entry in plan["objects"]:
        if (not kernel or kernel in entry["kernels"]) and arch in entry["arches"]:
            with open(entry["path"], "rb") as file:
                data = file.read()
            needs = Needs(**plan["verify"]["loads"].get(entry["program"], {}))
            yield Item(entry["id"], entry["path"], data, needs)


def deadlines_of(plan: Plan) -> Deadlines:
    """Those of `[verify]`."""
    settings = plan["verify"]["settings"]
    return Deadlines(settings["boot"], settings["timeout"])


def kept(path: str) -> str:
    """Where a report's raw outcomes are kept."""
    return f"{path[: -len('.json')]}.kept.json"


def _run(
    plan: Plan, kernel: str, arch: str, files: tuple[str, str], loader: str, items: Sequence[Item]
) -> tuple[Outcomes, str]:
    from bpfgen.verify.modules import modules_of, plain

    settings = plan["verify"]["settings"]
    machine_of(arch)
    guest = Guest(arch, *files, loader, settings["memory"], deadlines_of(plan))
    if settings["accelerator"] != "none":
        guest = dataclasses.replace(guest, kvm=_kvm(guest, settings["accelerator"]))
    names = tuple(dict.fromkeys(name for item in items for name in item.needs.modules))
    packages = _package(plan, kernel, arch)
    found = modules_of(packages, names, kernel)
    lacking = {item.name: found.missing.intersection(map(plain, item.needs.modules)) for item in items}
    done = outcomes(Emulated(guest, kernel, found.modules), [item for item in items if not lacking[item.name]], _note)
    for name, missing in lacking.items():
        if missing:
            hint = f"name the package that has it:  modules = …  in [kernel.{kernel}]"
            message = f"there is no module {', '.join(sorted(missing))} in {' '.join(packages)}; {hint}"
            done.ends[name] = dead(name, DESCRIPTION, message)
    return done, "KVM" if guest.kvm else "emulated"


def _kvm(guest: Guest, accelerator: str) -> bool:
    why = kvm_answers(guest)
    if why and accelerator == "kvm":
        hint = 'accelerator = "none"  in [verify] emulates the machine'
        raise Failure([Problem(None, f"no machine for {guest.arch} runs by KVM: {why}", hint)], EXIT_FAILED)
    return not why


def _note(event: Event) -> None:
    """Nobody waits for a step's words: Ninja shows them when it has ended."""


def _package(plan: Plan, kernel: str, arch: str) -> tuple[str, ...]:
    """The package that has the kernel's modules, if one is named or it may be in the kernel's."""
    return tuple(
        each["modules"] for each in plan["verify"]["kernels"] if (each["kernel"], each["arch"]) == (kernel, arch)
    )


def _known(path: str) -> dict[str, Any]:
    """What was kept; nothing where that is damaged, or isn't there."""
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
        assert isinstance(value["ends"], dict)
        return {"release": str(value["release"]), "loader": str(value["loader"]), "how": str(value["how"]), **value}
    except (OSError, ValueError, TypeError, KeyError, AssertionError):
        return {"release": "", "loader": "", "how": "", "ends": {}}
