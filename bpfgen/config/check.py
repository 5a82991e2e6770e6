"""What must hold between the values of a `Config`: pure checks, one function for each table."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Optional, Union

from bpfgen.catalog import arches
from bpfgen.config import checkkernel, checkverdicts
from bpfgen.config.checkbuilder import builder
from bpfgen.config.checkflags import check_flags
from bpfgen.config.checkgo import go
from bpfgen.config.checkkernel import GLOB, kernels_of
from bpfgen.config.checkplaces import folder
from bpfgen.config.checkverify import verify
from bpfgen.config.report import Path, Report, did_you_mean
from bpfgen.config.schema import Cache, Compile, Config, Program

RESERVED = ("all", "check", "clean", "objects", "verify")
"""Ninja targets that bpfgen makes itself."""


def check(config: Config, report: Report) -> None:
    """Reports every conflict between the values of `config`."""
    _compile(config, report)
    _cache(config.cache, report)
    builder(config, report)
    _tables(config, report)
    _kernel_names(config, config.targets.kernels, ("targets", "kernels"), report)
    _kernel_names(config, config.check.requires, ("check", "requires"), report)
    checkverdicts.allowed(config, report)
    go(config, report)
    verify(config, report)
    for name, kernel in config.kernel.items():
        checkkernel.kernel(name, kernel, RESERVED, report)
    if any(kernel.min_btf or kernel.release for kernel in config.kernel.values()):
        from bpfgen.config.checkminbtf import min_btf

        min_btf(config, report)
    for name, program in config.program.items():
        if not re.search(r"[\x00-\x1f\x7f]", name):  # the decoder has refused such a name
            _program(config, name, program, report)


def _compile(config: Config, report: Report) -> None:
    check_flags(config.compile.cflags, ("compile", "cflags"), report)
    _vmlinux(config, config.compile, ("compile", "vmlinux"), report)


# The back ends of `[cache] remote` that each launcher has.
_REMOTES: Mapping[str, Sequence[str]] = {
    "ccache": ("redis", "redis+unix", "http", "file"),
    "sccache": ("redis", "rediss", "s3", "http", "https"),
}


def _cache(cache: Cache, report: Report) -> None:
    path, launcher = ("cache", "remote"), cache.launcher
    words = (launcher,) if isinstance(launcher, str) else launcher
    _not_empty(words, ("cache", "launcher"), "launcher", report)
    if cache.remote is None or not words:
        return
    name = "ccache" if launcher == "auto" else os.path.basename(words[0])
    scheme = cache.remote.partition("://")[0]
    if name not in _REMOTES:
        hint = "ccache and sccache have one; others take such settings in their own way"
        report.add(path, f'the launcher "{words[0]}" is given no remote cache', hint, key=True)
    elif scheme not in _REMOTES[name]:
        others = [f'launcher = "{other}"  has one' for other in _REMOTES if scheme in _REMOTES[other]]
        hint = "; ".join([f"it has {', '.join(f'{known}://' for known in _REMOTES[name])}", *others])
        report.add(path, f"{name} has no remote cache at {scheme}://", hint)


def _arches(names: Optional[Sequence[str]], path: Path, report: Report) -> None:
    if names is None:
        return
    _not_empty(names, path, "architecture", report)
    _no_repeats(names, path, report)
    for index, name in enumerate(names):
        if name not in arches():
            hint = OTHER_NAMES.get(name.lower(), name.lower() if name.lower() in arches() else None)
            known = f'bpfgen uses Go\'s names: "{hint}"' if hint else did_you_mean(name, arches())
            report.add((*path, index), f'unknown architecture "{name}"', known)


# What else people call them: `uname -m`, Debian, LLVM.
OTHER_NAMES = {
    "x86": "amd64",
    "x86_64": "amd64",
    "x64": "amd64",
    "i386": "386",
    "i686": "386",
    "aarch64": "arm64",
    "armhf": "arm",
    "armv7l": "arm",
    "riscv": "riscv64",
    "powerpc": "ppc64le",
    "ppc64el": "ppc64le",
    "s390": "s390x",
    "loongarch": "loong64",
    "loongarch64": "loong64",
    "mipsel": "mipsle",
    "mips64el": "mips64le",
}


def _kernel_names(config: Config, names: Optional[Sequence[str]], path: Path, report: Report) -> None:
    if names is None:
        return
    _no_repeats(names, path, report)
    for index, name in enumerate(names):
        if name not in config.kernel:
            report.add(
                (*path, index),
                f'there is no kernel "{name}"',
                did_you_mean(name, config.kernel) or f"add [kernel.{name}]",
            )


def _tables(config: Config, report: Report) -> None:
    """Keys that several tables have, with one meaning."""
    for name in (each.name for each in fields(config)):
        table = getattr(config, name)
        _arches(getattr(table, "arches", None), (name, "arches"), report)
        folder(config, getattr(table, "dir", None), (name, "dir"), report)


def _program(config: Config, name: str, program: Program, report: Report) -> None:
    path = ("program", name)
    _program_sources(name, program, path, report)
    _arches(program.arches, (*path, "arches"), report)
    _kernel_names(config, program.kernels, (*path, "kernels"), report)
    _kernel_names(config, program.requires, (*path, "requires"), report)
    checkverdicts.required(config, name, kernels_of(config, program), report)
    check_flags(program.cflags, (*path, "cflags"), report)
    _vmlinux(config, program, (*path, "vmlinux"), report)
    for variant, settings in program.variants.items():
        check_flags(settings.cflags, (*path, "variants", variant, "cflags"), report)
    if program.per_kernel and program.portable:
        hint = "a per-kernel object is built against one kernel's types, which differ per architecture"
        report.add((*path, "portable"), f"program {name} can't be both portable and per_kernel", hint, key=True)
    if program.per_kernel and not kernels_of(config, program):
        report.add(
            (*path, "per_kernel"),
            f"program {name} is per_kernel, but has no kernels",
            "add a [kernel.NAME] table",
            key=True,
        )
    if program.per_kernel and program.vmlinux:
        report.add(
            (*path, "vmlinux"),
            "a per_kernel program uses each kernel's own vmlinux.h",
            "remove one of the two",
            key=True,
        )


def _program_sources(name: str, program: Program, path: Path, report: Report) -> None:
    globs = program.source is not None and GLOB.search(program.source)
    if program.source is not None and program.sources:
        report.add((*path, "sources"), f"program {name} has both source and sources", "keep one of them", key=True)
    elif program.source is None and not program.sources:
        report.add(path, f"program {name} has no source", f'add  source = "bpf/{name}.c"', key=True)
    elif globs and name.count("*") != 1:
        hint = f'write [program."*"] for one program a file, or  sources = ["{program.source}"]  for one object of all'
        report.add((*path, "source"), f'"{program.source}" is a glob, but the name "{name}" has no single "*"', hint)
    elif not globs and "*" in name:
        hint = 'such as  source = "bpf/*.c"'
        if any(map(GLOB.search, program.sources)):
            hint = "write  source = …  for one program a file; sources are linked into one object"
        report.add(path, f'the program name "{name}" has a "*", but its source is no glob', hint, key=True)
    if program.exclude and not globs and not any(map(GLOB.search, program.sources)):
        report.add((*path, "exclude"), "exclude without a glob leaves nothing out", "remove it", key=True)
    _no_repeats(program.sources, (*path, "sources"), report)


def _vmlinux(config: Config, settings: Union[Compile, Program], path: Path, report: Report) -> None:
    name = settings.vmlinux
    if name is None:
        return
    if name not in config.kernel:
        report.add(path, f'there is no kernel "{name}"', did_you_mean(name, config.kernel) or f"add [kernel.{name}]")
    elif config.kernel[name].btf is None:
        report.add(path, f'kernel "{name}" has no btf to make a vmlinux.h from', f"add  btf = …  to [kernel.{name}]")


def _not_empty(items: Sequence[str], path: Path, what: str, report: Report) -> None:
    if not items:
        report.add(path, f"no {what} is named", "remove the key for the default")


def _no_repeats(items: Iterable[str], path: Path, report: Report) -> None:
    seen: set[str] = set()
    for index, item in enumerate(items):
        if item in seen:
            report.add((*path, index), f'"{item}" is named twice', "remove one")
        seen.add(item)
