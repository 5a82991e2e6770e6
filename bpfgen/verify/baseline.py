"""The committed baseline: which programs loaded on which kernel, and how many instructions the verifier processed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Optional

from bpfgen.errors import Failure, Location, Problem
from bpfgen.frozen import frozen
from bpfgen.verify.model import OK, Program, Report

Baseline = Mapping[str, Mapping[str, Mapping[str, Mapping[str, int]]]]
"""Kernel → architecture → object → program → instructions."""
AGAIN = "bpfgen verify --update-baseline  writes it"


@frozen
class Regression:
    """A program that the verifier takes less well than it did."""

    kernel: str
    arch: str
    object: str
    program: str
    before: int
    """Instructions."""
    now: Optional[int]
    """None where the program isn't loaded any more."""

    def __str__(self) -> str:
        place = f"{self.object} on {self.kernel} {self.arch}: program {self.program}"
        if self.now is None:
            return f"{place} isn't loaded any more"
        more = f"+{100 * (self.now - self.before) / max(self.before, 1):.1f} %"
        return f"{place} takes the verifier {self.now} instructions, before {self.before} ({more})"


def baseline(reports: Iterable[Report]) -> Baseline:
    """What holds now."""
    found: dict[str, dict[str, dict[str, dict[str, int]]]] = {}
    for report in reports:
        objects = {each.object: _counts(each.programs) for each in report.objects}
        found.setdefault(report.kernel, {})[report.arch] = objects
    return found


def _counts(programs: Iterable[Program]) -> dict[str, int]:
    return {each.name: each.count.instructions for each in programs if each.verdict == OK and each.count}


def regressions(before: Baseline, now: Baseline, growth: int) -> Iterator[Regression]:
    """Programs of `before` that aren't loaded any more, or whose instructions grew by more than `growth` per cent. What
    isn't verified this time is left out, and so are objects that are gone.
    """
    for kernel, arch, name, program, count in _rows(before):
        objects = now.get(kernel, {}).get(arch, {})
        if name not in objects:
            continue
        found = objects[name].get(program)
        if found is None or found * 100 > count * (100 + growth):
            yield Regression(kernel, arch, name, program, count, found)


def _rows(value: Baseline) -> Iterator[tuple[str, str, str, str, int]]:
    for kernel, arches in value.items():
        for arch, objects in arches.items():
            for name, programs in objects.items():
                for program, count in programs.items():
                    yield kernel, arch, name, program, count


def read(path: str) -> Baseline:
    """A baseline's file; raises `Failure` where there is none, or it is damaged."""
    try:
        with open(path, encoding="utf-8") as file:
            value: Baseline = json.load(file)
        for row in _rows(value):
            if not isinstance(row[-1], int):
                raise TypeError
    except FileNotFoundError:
        raise Failure([Problem(Location(path), "there is no such file", AGAIN)]) from None
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise Failure([Problem(Location(path), "this file is damaged", AGAIN)]) from None
    return value


def render(value: Baseline) -> bytes:
    """The file, in an order that keeps differences small."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def merged(old: Baseline, new: Baseline) -> Baseline:
    """`new`, with what `old` has of kernels and architectures that weren't verified this time."""
    return {kernel: {**old.get(kernel, {}), **new.get(kernel, {})} for kernel in dict.fromkeys((*old, *new))}
