"""Upstream versions that a kernel can count as, where nothing names one: between what it has and what it lacks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from bpfgen.catalog import version
from bpfgen.frozen import frozen

Version = tuple[int, ...]


@frozen
class Span:
    """It has what came with `low` or before, and nothing that came with `high` or later."""

    low: Optional[Version] = None
    high: Optional[Version] = None
    """Exclusive; None where nothing is known to be missing."""

    def reaches(self, since: str) -> Optional[bool]:
        """Whether what came with that version is there; None where it can be either."""
        wanted = version(since)
        if self.low is not None and wanted <= self.low:
            return True
        if self.high is not None and wanted >= self.high:
            return False
        return None

    @property
    def exact(self) -> bool:
        """Whether it is one release of Linux, whatever its patch level."""
        if self.low is None or self.high is None:
            return False
        return self.high <= (self.low[0], self.low[1] + 1)

    def __str__(self) -> str:
        low, high = (".".join(map(str, each)) if each else "" for each in (self.low, self.high))
        if low and high:
            return f"from {low}, before {high}"
        return f"from {low}" if low else f"before {high}" if high else ""


def exactly(text: str) -> Span:
    """The span of one version."""
    found = version(text)
    return Span(found, (*found[:-1], found[-1] + 1))


def between(present: Iterable[str], absent: Iterable[str]) -> Span:
    """The span of a kernel that has things of these versions, and lacks others.

    A backport is of a newer version than something that is missing: then what lies between can be either.
    """
    low = max(map(version, present), default=None)
    high = min(map(version, absent), default=None)
    if low is not None and high is not None and low >= high:
        low, high = _below(low, high, present, absent)
    return Span(low, high)


def _below(
    low: Version, high: Version, present: Iterable[str], absent: Iterable[str]
) -> tuple[Optional[Version], Version]:
    """What is surely there is older than all that is missing; what is surely missing, newer than all that is there."""
    sure = [each for each in map(version, present) if each < high]
    gone = [each for each in map(version, absent) if each > low]
    return max(sure, default=None), min(gone, default=(low[0] + 1, 0))


def narrowed(span: Span, claim: str) -> Span:
    """The version that the user names, where what is known of the kernel agrees; else what is known."""
    return exactly(claim) if span.reaches(claim) is None or span.low == version(claim) else span
