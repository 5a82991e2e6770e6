"""Every object of a project on each of its kernels; what was judged before is taken over."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from bpfgen.bpf.malformed import Malformed
from bpfgen.errors import Failure, Problem
from bpfgen.frozen import field, frozen
from bpfgen.verdicts.evidence import Evidence
from bpfgen.verdicts.model import Reason, Verdict, from_json, worst


@frozen
class Before:
    """What an earlier run found, and what still holds where object and kernel are the same."""

    reasons: Mapping[tuple[str, str], tuple[Reason, ...]] = field(default_factory=dict)
    """By the SHA-256 of an object and the key of a kernel."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of kernels, by their keys."""


class Item:
    """One object, by its row in `plan.json`."""

    def __init__(self, row: Mapping[str, Any], loader: str) -> None:
        """Raises `OSError`."""
        self.row, self._loader = row, loader
        self._data = Path(row["path"]).read_bytes()
        self.sha256 = hashlib.sha256(self._data).hexdigest()

    @cached_property
    def subject(self) -> Any:
        """The object, read. Raises Malformed."""
        from bpfgen.verdicts.subject import Subject

        return Subject(self._data, self._loader)

    def verdict(self, kernel: Evidence, reasons: tuple[Reason, ...]) -> Verdict:
        """With what the project calls it."""
        row = self.row
        name, arch = kernel.row["name"], kernel.row["arch"]
        return Verdict(row["id"], row["program"], row["path"], name, arch, worst(reasons), reasons)


def judge_all(items: Sequence[Item], kernels: Mapping[tuple[str, str], Evidence], before: Before) -> list[Verdict]:
    """The verdicts of each object, in the order of the file. Raises `Failure` with each object that is unsound."""
    found, problems = [], list[Problem]()
    for item in items:
        try:
            found += [item.verdict(kernel, _reasons(item, kernel, before)) for kernel in _pairs(item, kernels)]
        except Malformed as error:
            from bpfgen.bpf.elf import unsound

            problems += unsound(error, item.row["path"]).problems
    if problems:
        raise Failure(problems)
    return found


def _pairs(item: Item, kernels: Mapping[tuple[str, str], Evidence]) -> Iterator[Evidence]:
    for name in item.row["kernels"]:
        for arch in item.row["arches"]:
            yield kernels[name, arch]


def _reasons(item: Item, kernel: Evidence, before: Before) -> tuple[Reason, ...]:
    known = before.reasons.get((item.sha256, kernel.key))
    if known is not None:
        return known
    from bpfgen.verdicts.judge import judge

    return judge(item.subject, kernel.target)


def summary(kernel: Evidence, before: Before) -> dict[str, Any]:
    """What is known of a kernel, ready for JSON."""
    versions = before.versions.get(kernel.key)
    return {**kernel.summary(), "versions": versions if versions is not None else str(kernel.target.span)}


def read_before(value: Mapping[str, Any]) -> Before:
    """What an earlier file says; raises TypeError, KeyError, AttributeError where it is something else."""
    keys = {(row["name"], row["arch"]): row["key"] for row in value["kernels"]}
    verdicts = map(from_json, value["verdicts"])
    return Before(
        {(value["objects"][each.object], keys[each.kernel, each.arch]): each.reasons for each in verdicts},
        {row["key"]: row["versions"] for row in value["kernels"]},
    )
