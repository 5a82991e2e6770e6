"""Kernel targets → edges of `bpfgen verify`: their kernels as files that boot, the loaders, a report of each. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Optional

from bpfgen.compile import Layout, layout_of, step_edge
from bpfgen.config.schema import Config
from bpfgen.frozen import frozen
from bpfgen.graph import Edge
from bpfgen.host import Host
from bpfgen.kernels.boot import NO_IMAGE
from bpfgen.matrix import Unit

MADE_OF = ("steps.py", "files.py", "kernels", "verify", "outputs/image.py", "outputs/loader.py", "outputs/verified.py")
"""bpfgen's own files that the edges here run."""
TARGET = "verify"
"""Ninja's target of all reports."""


@frozen
class Cell:
    """A kernel target on an architecture."""

    kernel: str
    arch: str
    key: str
    """What names its kernel in build.toml: `image`, `btf`; empty where nothing does."""
    source: str
    """The file that has it."""
    out: str

    @property
    def report(self) -> str:
        """The file with what it says of its objects."""
        return f"{self.out}/verify/{self.kernel}/{self.arch}.json"

    @property
    def image(self) -> str:
        """The file that boots."""
        return f"{self.out}/verify/{self.kernel}/{self.arch}.kernel"

    @property
    def config(self) -> str:
        """The file with its configuration."""
        return f"{self.out}/verify/{self.kernel}/{self.arch}.config"


def cells(config: Config, units: Sequence[Unit]) -> list[Cell]:
    """Every kernel and architecture that units are for, in the order of the file; also those without a kernel to
    boot.
    """
    kinds = dict.fromkeys((unit.kernels, unit.target.arches) for unit in units)
    pairs = {(kernel, arch) for kernels, arches in kinds for kernel in kernels for arch in arches}
    out = layout_of(config).out
    return [
        Cell(kernel, arch, *_image(config, kernel, arch), out)
        for kernel in config.kernel
        for arch in config.targets.arches
        if (kernel, arch) in pairs
    ] + [
        Cell(kernel, arch, *_image(config, kernel, arch), out)
        for kernel, arch in sorted(pairs)
        if arch not in config.targets.arches
    ]


def _image(config: Config, kernel: str, arch: str) -> tuple[str, str]:
    for key in ("image", "btf"):
        path: Optional[str] = getattr(config.kernel[kernel], key)
        if path and not (key == "btf" and NO_IMAGE.search(path)):
            return key, path.replace("{arch}", arch)
    return "", ""


def section(config: Config, units: Sequence[Unit]) -> dict[str, Any]:
    """The part of the plan that the step reads, ready for JSON."""
    settings = config.verify
    return {
        "settings": {
            "accelerator": settings.accelerator,
            "memory": settings.memory,
            "boot": settings.boot,
            "timeout": settings.timeout,
        },
        "loads": loads(config, units),
        "kernels": [
            {"kernel": cell.kernel, "arch": cell.arch, "modules": _modules(config, cell)}
            for cell in cells(config, units)
            if cell.key
        ],
    }


def loads(config: Config, units: Sequence[Unit]) -> dict[str, Any]:
    """What build.toml says of the loading of programs, by their names, ready for JSON."""
    tables = {unit.program: config.program[unit.key].load for unit in units}
    return {program: dataclasses.asdict(load) for program, load in tables.items() if load is not None}


def _modules(config: Config, cell: Cell) -> str:
    return (config.kernel[cell.kernel].modules or cell.source).replace("{arch}", cell.arch)


def loader_path(out: str, loader: str, arch: str) -> str:
    """The program that loads objects on an architecture."""
    return f"{out}/verify/loader/{loader}-{arch}"


def verify_edges(
    config: Config, units: Sequence[Unit], host: Host, layout: Layout, file: str, code: tuple[str, ...]
) -> Iterator[Edge]:
    """The edges; `file` is build.toml, `code` is `MADE_OF`. They are no part of the default build."""
    found = [cell for cell in cells(config, units) if cell.key]
    yield from loader_edges(config, dict.fromkeys(cell.arch for cell in found), host, layout, code)
    for cell in found:
        words = ("image", file, cell.kernel, cell.arch, cell.key, cell.source, cell.image, cell.config)
        yield _errors(step_edge(host, words, (cell.image, cell.config), (cell.source,), code))
        loader = loader_path(layout.out, config.check.loader, cell.arch)
        plan = layout.note("plan.json")
        report = ("verified", plan, cell.kernel, cell.arch, cell.image, cell.config, loader, cell.report)
        objects = tuple(
            layout.object(unit) for unit in units if cell.kernel in unit.kernels and cell.arch in unit.target.arches
        )
        edge = _errors(step_edge(host, report, (cell.report,), objects, (cell.image, cell.config, loader, plan, *code)))
        kept = f"{cell.report[: -len('.json')]}.kept.json"
        yield dataclasses.replace(edge, aside=(*edge.aside, kept), what=f"{cell.kernel} on {cell.arch}")
    if found:
        yield Edge((TARGET,), tuple(cell.report for cell in found))


def loader_edges(
    config: Config, arches: Iterable[str], host: Host, layout: Layout, code: tuple[str, ...]
) -> Iterator[Edge]:
    """The edges of loaders, one for each architecture."""
    for arch in arches:
        path = loader_path(layout.out, config.check.loader, arch)
        libbpf = (config.verify.libbpf or "").replace("{arch}", arch) if config.check.loader == "libbpf" else ""
        yield _errors(step_edge(host, ("loader", config.check.loader, arch, libbpf, path), (path,), (), code))


def _errors(edge: Edge) -> Edge:
    """A failure is kept beside what wasn't made (`verify.trouble`)."""
    return dataclasses.replace(edge, aside=(f"{edge.outputs[0]}.error",))
