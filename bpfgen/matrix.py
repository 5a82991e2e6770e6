"""Config and sources → units: one for each object that is built."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Optional

from bpfgen.catalog import Arch, arches, mcpu_of, version
from bpfgen.config.checkkernel import kernels_of
from bpfgen.config.schema import Config, Program, Variant
from bpfgen.config.values import MacroValue
from bpfgen.frozen import frozen
from bpfgen.sources import NamedProgram


@frozen
class Target:
    """What clang is asked for, and the architectures that the result serves."""

    name: str
    """`bpfel`, `x86_bpfel`, …: bpf2go's names."""
    clang: str
    """`bpfel` or `bpfeb`."""
    define: str
    """`X` of `__TARGET_ARCH_X`, or empty."""
    arches: tuple[str, ...]
    """Of those asked for, in the order of the file; headers are the first one's."""


@frozen
class Settings:
    """The resolved settings of one compile."""

    cflags: tuple[str, ...]
    include: tuple[str, ...]
    define: tuple[tuple[str, MacroValue], ...]
    mcpu: str
    fast: bool
    """Whether a reduced `vmlinux.h` may be used."""
    strip: bool
    """Whether DWARF is dropped."""


@frozen
class Unit:
    """One object: a cell of programs × targets × kernels × variants."""

    id: str
    """`PROGRAM/TARGET[-KERNEL][@VARIANT]`: stable, unique, and the only source of file names."""
    program: str
    files: tuple[str, ...]
    target: Target
    kernels: tuple[str, ...]
    """The kernel targets that it must load on."""
    vmlinux: Optional[str]
    """The kernel whose `vmlinux.h` it is compiled against."""
    kernel: Optional[str]
    """The kernel that it is built for, where there is one object for each kernel."""
    variant: str
    """Empty for the plain build."""
    settings: Settings
    key: str
    """The name of its program's table (see `sources.NamedProgram`)."""


def expand(config: Config, programs: Sequence[NamedProgram]) -> tuple[Unit, ...]:
    """Every unit of the project, in the order of the file."""
    # One table of a glob makes a thousand programs: what they have in common is worked out once.
    cells = {key: tuple(_cells(config, config.program[key])) for key in dict.fromkeys(named.key for named in programs)}
    return tuple(_unit(named, cell) for named in programs for cell in cells[named.key])


def select(units: Iterable[Unit], only: Sequence[str], skip: Sequence[str]) -> tuple[Unit, ...]:
    """Units whose id, program, an architecture or a kernel matches a glob of `only` (all, if empty) and none of
    `skip`.
    """
    return tuple(u for u in units if (not only or _matches(u, only)) and not _matches(u, skip))


def _matches(unit: Unit, patterns: Sequence[str]) -> bool:
    return matches((unit.id, unit.program, unit.target.name, *unit.target.arches, *unit.kernels), patterns)


def matches(names: Sequence[str], patterns: Sequence[str]) -> bool:
    """Whether one of the names is of one of the globs."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns for name in names)


@frozen
class _Cell:
    """What a unit of a program's table has, whichever program it is; the fields are of `Unit`'s names."""

    suffix: str
    target: Target
    kernels: tuple[str, ...]
    vmlinux: Optional[str]
    kernel: Optional[str]
    variant: str
    settings: Settings


def _cells(config: Config, program: Program) -> Iterator[_Cell]:
    kernels = kernels_of(config, program)
    variants: Mapping[str, Optional[Variant]] = {"": None, **program.variants}
    for kernel in kernels if program.per_kernel else (None,):
        served = (kernel,) if kernel else kernels
        header = _vmlinux(config, program, served)
        for name, variant in variants.items():
            settings = resolve(config, program, variant, served, kernel)
            for target in targets(program.arches or config.targets.arches, program.portable):
                # Target names have no '-', kernel names no '@', programs no '/': so no two cells share an id.
                suffix = f"/{target.name}{f'-{kernel}' if kernel else ''}{f'@{name}' if name else ''}"
                yield _Cell(suffix, target, served, header, kernel, name, settings)


def _unit(named: NamedProgram, cell: _Cell) -> Unit:
    return Unit(
        id=named.name + cell.suffix,
        program=named.name,
        files=named.files,
        target=cell.target,
        kernels=cell.kernels,
        vmlinux=cell.vmlinux,
        kernel=cell.kernel,
        variant=cell.variant,
        settings=cell.settings,
        key=named.key,
    )


def targets(names: Sequence[str], portable: bool) -> tuple[Target, ...]:
    """The distinct clang targets of these architectures; `amd64` and `386` share one, as in bpf2go."""
    groups: dict[tuple[str, str], list[Arch]] = {}
    for arch in map(arches().__getitem__, names):
        groups.setdefault((arch.target, "" if portable else arch.define), []).append(arch)
    return tuple(
        Target(f"{define}_{clang}" if define else clang, clang, define, tuple(arch.name for arch in rows))
        for (clang, define), rows in groups.items()
    )


def resolve(
    config: Config, program: Program, variant: Optional[Variant], kernels: Sequence[str], kernel: Optional[str]
) -> Settings:
    """The settings of a program (of its variant), for the kernels it serves, or for one `kernel` alone."""
    base, extra = config.compile, variant or Variant()
    upstream = [config.kernel[name].upstream for name in kernels]
    versions = tuple(version(text) for text in upstream if text)
    define = {**base.define, **program.define, **extra.define}
    if kernel and versions:
        define.setdefault("LINUX_VERSION_CODE", str(version_code(versions[0])))
    return Settings(
        cflags=(*base.cflags, *program.cflags, *extra.cflags),
        include=tuple(dict.fromkeys((*extra.include, *program.include, *base.include))),
        define=tuple(define.items()),
        mcpu=extra.mcpu or program.mcpu or base.mcpu or mcpu_of(versions),
        fast=base.fast if program.fast is None else program.fast,
        strip=base.strip if program.strip is None else program.strip,
    )


def version_code(version: tuple[int, ...]) -> int:
    """`LINUX_VERSION_CODE` of an upstream version (`KERNEL_VERSION()` of <linux/version.h>; the patch level stops at
    255).
    """
    major, minor, patch = (*version, 0)[:3]
    return (major << 16) + (minor << 8) + min(patch, 255)


def _vmlinux(config: Config, program: Program, kernels: Sequence[str]) -> Optional[str]:
    named = program.vmlinux or config.compile.vmlinux
    if named and not program.per_kernel:
        return named
    typed = [name for name in kernels if config.kernel[name].btf]
    # max() keeps the first of equals: kernels without a version count as the newest, in the order of the file.
    return max(typed, key=lambda name: version(config.kernel[name].upstream or "999.0"), default=None)
