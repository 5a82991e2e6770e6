"""Work on many things by all processors: forked, so that what is known already needn't be sent."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_parts(work: Callable[[Sequence[T]], list[R]], things: Sequence[T], worth: int) -> list[R]:
    """What `work` makes of each of the things, in their order. Each processor gets at least `worth` of them, else fewer
    are used: a process costs some 20 ms. What is made is pickled, and so is what is raised.

    Elsewhere than on Linux, where a fork can be unsafe (Python's multiprocessing says so of macOS), one does it all.
    """
    workers = min(_processors(), len(things) // worth)
    if workers < 2 or sys.platform != "linux":
        return work(things)
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    parts = [things[first::workers] for first in range(workers)]
    found: list[Any] = [None] * len(things)
    context = get_context("fork")
    with ProcessPoolExecutor(workers, context, initializer=_share, initargs=(work, parts)) as pool:
        for first, made in enumerate(pool.map(_part, range(workers))):
            found[first::workers] = made
    return found


_shared: list[Any] = []


def _share(*values: Any) -> None:
    """In a forked process: it has the values already, functions too, which can't be pickled."""
    _shared[:] = values


def _part(index: int) -> Any:
    work, parts = _shared
    return work(parts[index])


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
