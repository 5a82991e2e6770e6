"""What must hold within a `[kernel.…]` table."""

from __future__ import annotations

import re
from typing import Optional

from bpfgen.catalog import arches, features
from bpfgen.config.report import Path, Report, did_you_mean, quoted
from bpfgen.config.schema import Config, Kernel, Program

GLOB = re.compile(r"[*?\[]")


def kernel(name: str, target: Kernel, reserved: tuple[str, ...], report: Report) -> None:
    """Reports what is wrong with a kernel target; `reserved` are names that it can't have."""
    path = ("kernel", name)
    if name in reserved or name in arches():
        report.add(path, f'the kernel name "{name}" is taken by a Ninja target of bpfgen', "choose another", key=True)
    if target.upstream is None and target.btf is None and target.image is None and target.profile is None:
        hint = 'give it  upstream = "5.10"  or  btf = "btf/5.10.btf"'
        report.add(path, f"nothing is said of the kernel {quoted(name)}", hint)
    for key in ("btf", "image", "modules", "profile"):
        value: Optional[str] = getattr(target, key)
        if value is not None:
            _file(value, (*path, key), report)
    seen: set[str] = set()
    for index, feature in enumerate(target.assume):
        _feature(feature, (*path, "assume", index), seen, report)


def _file(value: str, path: Path, report: Report) -> None:
    stray = value.replace("{arch}", "")
    if "{" in stray or "}" in stray:
        report.add(path, f'unknown placeholder in "{value}"', "only {arch} is replaced")
    if GLOB.search(stray):
        report.add(path, f'"{value}" is a glob', "name one file; {arch} stands for the architecture")


def _feature(text: str, path: Path, seen: set[str], report: Report) -> None:
    kind, _, name = text.partition(":")
    known = features(kind)
    if text in seen:
        report.add(path, f'"{text}" is named twice', "remove one")
    elif name not in known:
        report.add(path, f'there is no {kind.replace("_", " ")} "{name}"', did_you_mean(name, known))
    seen.add(text)


def kernels_of(config: Config, program: Program) -> tuple[str, ...]:
    """The kernel targets of a program, by name."""
    for names in (program.kernels, config.targets.kernels):
        if names is not None:
            return names
    return tuple(config.kernel)
