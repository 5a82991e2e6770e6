"""Every object of a project on each of its kernels; what was judged before is taken over."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from bpfgen.bpf.malformed import Malformed
from bpfgen.errors import Failure, Problem
from bpfgen.frozen import field, frozen
from bpfgen.parallel import in_parts
from bpfgen.verdicts.evidence import Evidence
from bpfgen.verdicts.model import Reason, Verdict, from_json, worst

if TYPE_CHECKING:
    from bpfgen.verdicts.subject import Subject

Kernels = Mapping[tuple[str, str], Evidence]
"""By name and architecture."""
Reasons = tuple[Reason, ...]
WORTH = 8
"""Objects that make a process of their own worth while."""


@frozen
class Before:
    """What an earlier run found, and what still holds where object and kernel are the same."""

    reasons: Mapping[tuple[str, str], Reasons] = field(default_factory=dict)
    """By the keys of an object and of a kernel."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of kernels, by their keys."""


class Item:
    """One object, by its row in `plan.json`."""

    def __init__(self, row: Mapping[str, Any], loader: str, load: Mapping[str, Any]) -> None:
        """`load` has `attach` and `optional` of the program's table, where it has one. Raises `OSError`."""
        self.row, self._loader, self._load = row, loader, load
        self._data = Path(row["path"]).read_bytes()
        self.key = hashlib.sha256(self._data).hexdigest()
        """Of the object, and of what is said of its loading."""
        if load:
            self.key += hashlib.sha256(json.dumps(load, sort_keys=True).encode()).hexdigest()

    @cached_property
    def subject(self) -> Subject:
        """The object, read. Raises Malformed."""
        from bpfgen.verdicts.subject import Subject

        return Subject(self._data, self._loader, **self._load)

    def verdict(self, kernel: Evidence, reasons: Reasons) -> Verdict:
        """With what the project calls it."""
        row = self.row
        name, arch = kernel.row["name"], kernel.row["arch"]
        return Verdict(row["id"], row["program"], row["path"], name, arch, worst(reasons), reasons)


def judge_all(items: Sequence[Item], kernels: Kernels, before: Before) -> list[Verdict]:
    """The verdicts of each object, in the order of the file. Raises `Failure` with each object that is unsound."""
    new = [item for item in items if any((item.key, each.key) not in before.reasons for each in _of(item, kernels))]
    judged = in_parts(lambda part: [_judged(item, kernels, before) for item in part], new, WORTH)
    problems = [problem for each in judged if not isinstance(each, dict) for problem in each]
    if problems:
        raise Failure(problems)
    known = dict(before.reasons)
    for item, each in zip(new, judged):
        if isinstance(each, dict):
            known.update({(item.key, key): reasons for key, reasons in each.items()})
    return [item.verdict(each, known[item.key, each.key]) for item in items for each in _of(item, kernels)]


def _of(item: Item, kernels: Kernels) -> Iterator[Evidence]:
    """The kernels that an object must load on."""
    for name in item.row["kernels"]:
        for arch in item.row["arches"]:
            yield kernels[name, arch]


def _judged(item: Item, kernels: Kernels, before: Before) -> Union[dict[str, Reasons], Sequence[Problem]]:
    """The reasons by the keys of kernels, where they aren't known; or what is wrong with the object."""
    from bpfgen.bpf.elf import unsound
    from bpfgen.verdicts.judge import judge

    new = [each for each in _of(item, kernels) if (item.key, each.key) not in before.reasons]
    try:
        return {each.key: judge(item.subject, each.target) for each in new}
    except Malformed as error:
        return unsound(error, item.row["path"]).problems
    except Failure as failure:
        return failure.problems


def summary(kernel: Evidence, before: Before) -> dict[str, Any]:
    """What is known of a kernel, ready for JSON."""
    versions = before.versions.get(kernel.key)
    return {**kernel.summary(), "versions": versions if versions is not None else str(kernel.target.span)}


def read_before(value: Mapping[str, Any]) -> Before:
    """What an earlier file says; raises LookupError, TypeError, ValueError, AttributeError where it is another one."""
    keys = {(row["name"], row["arch"]): row["key"] for row in value["kernels"]}
    verdicts = [from_json(each) for each in value["verdicts"]]
    if any(worst(each.reasons) != each.verdict for each in verdicts):
        raise ValueError("a verdict isn't that of its reasons")
    return Before(
        {(value["objects"][each.object], keys[each.kernel, each.arch]): each.reasons for each in verdicts},
        {row["key"]: row["versions"] for row in value["kernels"]},
    )
