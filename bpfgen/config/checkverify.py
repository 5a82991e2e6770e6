"""What must hold in `[verify]` and in the `load` tables of programs."""

from __future__ import annotations

from collections.abc import Mapping

from bpfgen.config.report import Report, did_you_mean
from bpfgen.config.schema import Config
from bpfgen.config.schemaverify import Load, Verify


def verify(config: Config, report: Report) -> None:
    """Reports values that no machine and no map can have, and kernels that there aren't."""
    _settings(config.verify, report)
    for name, program in config.program.items():
        if program.load is not None:
            _load(name, program.load, config.kernel, report)


def _settings(settings: Verify, report: Report) -> None:
    for key, least, most in (("memory", 64, 1 << 20), ("boot", 1, 3600), ("timeout", 1, 3600), ("growth", 0, 1000)):
        if not least <= getattr(settings, key) <= most:
            report.add(("verify", key), f"{key} must be from {least} to {most}")


def _load(name: str, load: Load, kernels: Mapping[str, object], report: Report) -> None:
    path = ("program", name, "load")
    for each, entries in load.maps.items():
        if not 0 < entries < 1 << 32:
            report.add((*path, "maps", each), "a map has from 1 to 4294967295 entries")
    for kernel in load.accept:
        if kernel not in kernels:
            hint = did_you_mean(kernel, kernels) or f"add [kernel.{kernel}]"
            report.add((*path, "accept", kernel), f'there is no kernel "{kernel}"', hint, key=True)
