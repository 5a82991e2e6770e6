"""Modules of the kernel out of its package, each behind those that it depends on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence

from bpfgen.errors import Failure, Problem
from bpfgen.frozen import frozen
from bpfgen.kernels.compressed import Unpacked, format_of
from bpfgen.kernels.elf import section
from bpfgen.kernels.held import mapped, unpacked
from bpfgen.kernels.packages import Member, members
from bpfgen.kernels.unusable import Unusable
from bpfgen.verify.job import Module

FILE = re.compile(r"(?:^|/)lib/modules/[^/]+/(?:kernel|updates)/(?:.*/)?([^/]+)\.ko(?:\.[a-z0-9]+)?$")


BUILTIN = re.compile(r"(?:^|/)lib/modules/[^/]+/modules\.builtin$")


@frozen
class Found:
    """Modules of a package."""

    modules: Sequence[Module]
    """In the order in which they can be loaded."""
    missing: frozenset[str]
    """Names that it doesn't have, neither as a module nor as a part of the kernel."""


def modules_of(packages: Sequence[str], names: Sequence[str], kernel: str) -> Found:
    """The modules that are named, with those that they depend on. Raises `Failure`, OSError."""
    found: dict[str, Module] = {}
    missing: set[str] = set()
    todo = set(map(plain, names))
    while todo:
        fresh, parts = _read(packages[0], todo, kernel) if packages else ({}, frozenset[str]())
        missing |= todo.difference(fresh, parts)
        found.update(fresh)
        todo = {name for module in fresh.values() for name in depends(module.data)}.difference(found, missing)
    return Found(_sorted(found), frozenset(missing))


def depends(module: bytes) -> list[str]:
    """The modules that one depends on, by its own section `.modinfo` (kernel/module/main.c)."""
    for line in (section(module, ".modinfo") or b"")[:].split(b"\0"):
        if line.startswith(b"depends="):
            return [plain(name) for name in line[8:].decode(errors="replace").split(",") if name]
    return []


def _sorted(modules: Mapping[str, Module]) -> list[Module]:
    done: dict[str, Module] = {}

    def add(name: str) -> None:
        if name not in done:
            for other in filter(modules.__contains__, depends(modules[name].data)):
                add(other)
            done[name] = modules[name]

    for name in modules:
        add(name)
    return list(done.values())


def _read(package: str, names: Iterable[str], kernel: str) -> tuple[dict[str, Module], frozenset[str]]:
    """Modules by name; names of what is built into the kernel, which may be left out where nothing else is missing."""
    left, found, parts = set(names), dict[str, Module](), frozenset[str]()
    try:
        for member in members(mapped(package)):
            match = FILE.search(member.path)
            if match and plain(match[1]) in left:
                found[plain(match[1])] = Module(plain(match[1]), _unpacked(member))
                left.discard(plain(match[1]))
            elif BUILTIN.search(member.path):
                lines = member.data()[:].decode(errors="replace").split()
                parts = frozenset(plain(line.partition(".ko")[0]) for line in lines)
            if not left:
                break
    except Unusable as error:
        raise Failure([Problem(None, f'"{package}", of the kernel {kernel}, {error.message}', error.hint)]) from error
    return found, parts


def _unpacked(member: Member) -> bytes:
    data = member.data()
    return unpacked(Unpacked(data))[:] if format_of(data) else data[:]


def plain(name: str) -> str:
    """A module's name, of a path: modules' names have `_` where those of files may have `-`."""
    return os.path.basename(name).replace("-", "_")
