"""Kernel targets → edges: their types as raw BTF, whatever they come in, and `vmlinux.h`. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

from bpfgen.cc.index import FILE, LOCK
from bpfgen.compile import Layout, step_edge
from bpfgen.config.schema import Config
from bpfgen.graph import Edge
from bpfgen.host import Host
from bpfgen.matrix import Unit

MADE_OF = ("steps.py", "files.py", "bpf", "kernels", "outputs/types.py", "outputs/vmlinux.py")
"""bpfgen's own files that the edges here run."""


def vmlinux_edges(
    config: Config, units: Sequence[Unit], host: Host, layout: Layout, file: str, code: tuple[str, ...]
) -> Iterator[Edge]:
    """The edges for each `vmlinux.h` that a unit can include, and for types that are wanted besides; `file` is
    build.toml, `code` is `MADE_OF`.

    The types are files of their own, written only where they change: another package with the same types makes no
    further header.
    """
    headers = set(wanted(units))
    for kernel, arch in typed(config, units):
        source, folder = btf_path(config, kernel, arch), layout.vmlinux(kernel, arch)
        if not source.endswith(".h"):
            package, source = source, layout.types(kernel, arch)
            yield step_edge(host, ("types", file, kernel, package, source), (source,), (package,), code)
        if (kernel, arch) not in headers:
            continue
        header = f"{folder}/vmlinux.h"
        tool = "" if source.endswith(".h") else host.header_tool or ""
        words = ("vmlinux", file, kernel, tool, source, header)
        edge = step_edge(host, words, (header,), (source,), (*((tool,) if tool else ()), *code))
        # The compiles make these when they need them.
        yield dataclasses.replace(edge, aside=tuple(f"{folder}/{name}" for name in (FILE, LOCK)))


def typed(config: Config, units: Sequence[Unit]) -> Iterable[tuple[str, str]]:
    """Kernel and architecture of all types that are read, once each: those of `wanted`, and of `min_btf`."""
    cells = dict.fromkeys(wanted(units))
    if any(kernel.min_btf for kernel in config.kernel.values()):
        from bpfgen.outputs.minbtf import served

        cells.update(dict.fromkeys(served(config, units)))
    return cells


def wanted(units: Iterable[Unit]) -> Iterable[tuple[str, str]]:
    """Kernel and architecture of each `vmlinux.h`, once each."""
    return dict.fromkeys((unit.vmlinux, unit.target.arches[0]) for unit in units if unit.vmlinux)


def btf_path(config: Config, kernel: str, arch: str) -> str:
    """The file of a kernel target's types for an architecture."""
    return str(config.kernel[kernel].btf).replace("{arch}", arch)
