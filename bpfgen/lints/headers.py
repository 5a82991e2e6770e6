"""Headers: whose they are, and how they are named."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from bpfgen.errors import Location
from bpfgen.lints.case import Case
from bpfgen.lints.model import Found
from bpfgen.text import plural


def host_header(case: Case) -> Iterator[Found]:
    """Headers that only this host has, by the line of the project that leads to them."""
    strays = [path for path in case.reads if case.tree.is_stray(path)]
    left = set(strays)
    for path in case.own if strays else ():
        for number, name in case.tree.includes(path):
            behind = _behind(case, path, name)
            found = [stray for stray in strays if stray in behind]
            if found:
                left -= behind
                yield Found(f"{name} reads {_few(found)} of this host", Location(path, number))
    if left:
        yield Found(f"it reads {_few([stray for stray in strays if stray in left])} of this host")


def _few(paths: list[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {plural(len(paths) - 1, 'more header')}"


def _behind(case: Case, path: str, name: str) -> set[str]:
    """What an `#include` reads, as far as it isn't the project's: that has lines of its own."""
    seen: set[str] = set()
    waiting = [(path, name)]
    while waiting:
        found = _resolved(case, *waiting.pop())
        if found is not None and found not in seen and case.tree.own(found) is None:
            seen.add(found)
            waiting += [(found, inner) for _, inner in case.tree.includes(found)]
    return seen


def _resolved(case: Case, path: str, name: str) -> str | None:
    """Which of the files that were read an `#include` in `path` means: one beside it, else the one with the shortest
    path, because folders of headers have no common name."""
    beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
    matching = [each for each in case.reads if os.path.normpath(each) == beside]
    matching = matching or [each for each in case.reads if f"/{each}".endswith(f"/{name.lstrip('/')}")]
    return min(matching, key=len, default=None)


def absolute_include(case: Case) -> Iterator[Found]:
    """Absolute paths, in sources and in `build.toml`."""
    for path in case.own:
        for number, name in case.tree.includes(path):
            if name.startswith("/"):
                yield Found(f"#include of the absolute path {name}", Location(path, number))
    for table in _tables(case):
        for key, folder in _folders(case, table):
            yield Found(f"headers are looked for in the absolute path {folder}", case.where((*table, *key)))


def _tables(case: Case) -> Iterator[tuple[str, ...]]:
    yield ("compile",)
    yield ("program", case.unit.key)
    if case.unit.variant:
        yield ("program", case.unit.key, "variants", case.unit.variant)


def _folders(case: Case, table: tuple[str, ...]) -> Iterator[tuple[tuple[str, int], str]]:
    """Keys and absolute folders of a table."""
    config, program = case.config, case.config.program[case.unit.key]
    settings = (config.compile, program, program.variants.get(case.unit.variant))[min(len(table) - 1, 2)]
    if settings is None:
        return
    for index, folder in enumerate(settings.include):
        if folder.startswith("/"):
            yield ("include", index), folder
    for index, flag in enumerate(settings.cflags):
        match = re.fullmatch(r"(?:-I|-isystem|-idirafter|-iquote|-include)\s*(/.*)", flag)
        if match:
            yield ("cflags", index), match[1]
