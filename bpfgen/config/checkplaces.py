"""Which folders `build.toml` may name for what is made: pure checks."""

from __future__ import annotations

from typing import Optional

from bpfgen.config.report import Path, Report
from bpfgen.config.schema import Config


def folder(config: Config, name: Optional[str], path: Path, report: Report) -> None:
    """Reports a folder of an output that is one of bpfgen's own; `path` is the key that names it."""
    out, place = config.project.out.rstrip("/"), (name or "").rstrip("/")
    taken = [f"{out}/{own}" for own in ("obj", "parts", "fast", "sysroot", "vmlinux", ".bpfgen")]
    if place and (place == out or any(f"{place}/".startswith(f"{own}/") for own in taken)):
        such = path[0] if path[0] != "program" else path[-2]
        hint = f'such as "{out}/{such}", or a folder of your sources'
        report.add(path, f'"{place}" is a folder of bpfgen\'s own', hint)
