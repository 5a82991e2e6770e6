"""Modules of the kernel out of its package, each behind those that it depends on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence

from bpfgen.errors import EXIT_FAILED, Failure, Problem
from bpfgen.kernels.compressed import Unpacked, format_of
from bpfgen.kernels.elf import section
from bpfgen.kernels.held import mapped, unpacked
from bpfgen.kernels.packages import Member, members
from bpfgen.kernels.unusable import Unusable
from bpfgen.verify.job import Module

FILE = re.compile(r"(?:^|/)lib/modules/[^/]+/(?:kernel|updates)/(?:.*/)?([^/]+)\.ko(?:\.[a-z0-9]+)?$")


def modules_of(packages: Sequence[str], names: Sequence[str], kernel: str) -> list[Module]:
    """The modules that are named, of a package, in the order in which they can be loaded. Raises `Failure`, OSError."""
    if not names:
        return []
    wanted: dict[str, Module] = {}
    todo = {_plain(name) for name in names}
    while todo:
        found = _read(packages[0], todo, kernel) if packages else {}
        missing = sorted(todo.difference(found))
        if missing:
            message = f"the kernel {kernel} has no module {', '.join(missing)} in {' '.join(packages) or 'any package'}"
            hint = f"name the package that has them:  modules = …  in [kernel.{kernel}]"
            raise Failure([Problem(None, message, hint)], EXIT_FAILED)
        wanted.update(found)
        todo = {name for module in found.values() for name in depends(module.data)}.difference(wanted)
    return _sorted(wanted)


def depends(module: bytes) -> list[str]:
    """The modules that one depends on, by its own section `.modinfo` (kernel/module/main.c)."""
    for line in (section(module, ".modinfo") or b"")[:].split(b"\0"):
        if line.startswith(b"depends="):
            return [_plain(name) for name in line[8:].decode(errors="replace").split(",") if name]
    return []


def _sorted(modules: Mapping[str, Module]) -> list[Module]:
    done: dict[str, Module] = {}

    def add(name: str) -> None:
        if name not in done:
            for other in depends(modules[name].data):
                add(other)
            done[name] = modules[name]

    for name in modules:
        add(name)
    return list(done.values())


def _read(package: str, names: Iterable[str], kernel: str) -> dict[str, Module]:
    left, found = set(names), dict[str, Module]()
    try:
        for member in members(mapped(package)):
            match = FILE.search(member.path)
            name = _plain(match[1]) if match else ""
            if name in left:
                found[name] = Module(name, _unpacked(member))
                left.discard(name)
                if not left:
                    break
    except Unusable as error:
        raise Failure([Problem(None, f'"{package}", of the kernel {kernel}, {error.message}', error.hint)]) from error
    return found


def _unpacked(member: Member) -> bytes:
    data = member.data()
    return unpacked(Unpacked(data))[:] if format_of(data) else data[:]


def _plain(name: str) -> str:
    """Modules' names have `_` where those of files may have `-`."""
    return os.path.basename(name).replace("-", "_")
