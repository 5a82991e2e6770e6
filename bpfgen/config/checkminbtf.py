"""What must hold where a kernel target has `min_btf`, and which running kernels it is for."""

from __future__ import annotations

import re

from bpfgen.config.checkkernel import kernels_of
from bpfgen.config.report import Report
from bpfgen.config.schema import Config, Kernel

_BTFHUB = re.compile(r"(?:.*/)?([0-9]+\.[0-9]+\.[0-9]+[A-Za-z0-9_.+~:-]*?)\.btf(?:\.tar(?:\.[a-z0-9]+)?)?")
"""The name of an archive of BTFHub, and of the file in it: the kernel's release, as `uname -r` prints it."""


def releases(kernel: Kernel) -> tuple[str, ...]:
    """The patterns of the running kernels that a kernel target's types are for."""
    if kernel.release:
        return (kernel.release,) if isinstance(kernel.release, str) else kernel.release
    found = _BTFHUB.fullmatch(kernel.btf or "")
    return (found[1],) if found else ()


def min_btf(config: Config, report: Report) -> None:
    """Reports what is wrong with such kernel targets, and two that are for the same kernels."""
    owners: dict[str, str] = {}
    for name, kernel in config.kernel.items():
        path = ("kernel", name)
        if not kernel.min_btf:
            if kernel.release:
                report.add((*path, "release"), '"release" is for kernels with min_btf', "add  min_btf = true", key=True)
            continue
        _types(config, name, kernel, report)
        patterns = releases(kernel)
        if not patterns and kernel.btf is not None:
            hint = 'add  release = "…"  with what  uname -r  prints there, such as "5.4.0-1009-aws" or "4.18.0-305*"'
            report.add((*path, "min_btf"), "nothing says which running kernels these types are for", hint, key=True)
        for pattern in patterns:
            owner = owners.setdefault(pattern, name)
            if owner != name:
                message = f'kernels {owner} and {name} are both for the release "{pattern}"'
                hint = f'write the distribution before it:  release = "ubuntu/20.04/{pattern}"'
                report.add((*path, "release" if kernel.release else "btf"), message, hint)


def _types(config: Config, name: str, kernel: Kernel, report: Report) -> None:
    path = ("kernel", name)
    if kernel.btf is None:
        report.add((*path, "min_btf"), "min_btf needs the kernel's types", 'add  btf = "…"', key=True)
    elif kernel.btf.endswith(".h"):
        report.add(
            (*path, "btf"),
            "a ready header has no BTF that min_btf could take types from",
            "name the BTF that it was made of",
        )
    elif "{arch}" not in kernel.btf:
        users = (program for program in config.program.values() if name in kernels_of(config, program))
        arches = dict.fromkeys(arch for each in users for arch in each.arches or config.targets.arches)
        if len(arches) > 1:
            message = f"one file can't have the types of several architectures: {', '.join(arches)}"
            report.add((*path, "btf"), message, "put {arch} into its path, or build for one architecture")
