"""What must hold of what is made of verdicts and lints: `[check]`, `[lint]`, and `requires` of programs."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

from bpfgen.catalog import arches, table
from bpfgen.config.report import Path, Report, did_you_mean, quoted
from bpfgen.config.schema import Config


def allowed(config: Config, report: Report) -> None:
    """Reports what can match nothing, whatever is found. Programs are known only when files were looked at."""
    for index, allow in enumerate(config.check.allow):
        path = ("check", "allow", index)
        _matches(allow.kernel, config.kernel, "kernel", (*path, "kernel"), report)
        _matches(allow.arch, arches(), "architecture", (*path, "arch"), report)
    for index, silence in enumerate(config.lint.allow):
        _matches(silence.code, table("lints"), "lint", ("lint", "allow", index, "code"), report)


def required(config: Config, name: str, kernels: Iterable[str], report: Report) -> None:
    """Reports kernel targets that a program must load on, and isn't for."""
    for index, kernel in enumerate(config.program[name].requires or ()):
        if kernel in config.kernel and kernel not in kernels:
            path = ("program", name, "requires", index)
            report.add(path, f"program {name} isn't for the kernel {quoted(kernel)}", "add it to its  kernels")


def _matches(pattern: str, names: Iterable[str], what: str, path: Path, report: Report) -> None:
    if pattern != "*" and not fnmatch.filter(names, pattern):
        report.add(path, f"no {what} matches {quoted(pattern)}", did_you_mean(pattern, names))
