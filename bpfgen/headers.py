"""Kernel targets → edges: their types as raw BTF, whatever they come in, and `vmlinux.h`. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Optional

from bpfgen.builders.settings import SOCKET
from bpfgen.cc.index import FILE, LOCK
from bpfgen.compile import Layout, can_reduce, step_edge
from bpfgen.config.schema import Config
from bpfgen.graph import Edge
from bpfgen.host import Host
from bpfgen.matrix import Unit

MADE_OF = ("steps.py", "files.py", "bpf", "kernels", "outputs/types.py", "outputs/vmlinux.py")
"""bpfgen's own files that the edges here run."""


def kernel_edges(
    config: Config, units: Iterable[Unit], host: Host, layout: Layout, file: str, code: tuple[str, ...]
) -> Iterator[Edge]:
    """The edges for each `vmlinux.h` that a unit can include, and for the types of each kernel that one is judged for;
    `file` is build.toml, `code` is `MADE_OF`.
    """
    units = tuple(units)
    included = tuple(wanted(units))
    yield from vmlinux_edges(config, units, host, layout, file, code)
    for kernel, arch in judged(units):
        if (kernel, arch) not in included and types_path(config, layout.out, kernel, arch):
            yield _types_edge(config, kernel, arch, host, layout, file, code)


def vmlinux_edges(
    config: Config, units: Iterable[Unit], host: Host, layout: Layout, file: str, code: tuple[str, ...]
) -> Iterator[Edge]:
    """The edges for each `vmlinux.h` that a unit can include.

    Its types are files of their own, written only where they change: another package with the same types makes no
    further header.
    """
    units = tuple(units)
    reduced = set(wanted(filter(can_reduce, units)))
    for kernel, arch in wanted(units):
        source, folder = btf_path(config, kernel, arch), layout.vmlinux(kernel, arch)
        if not source.endswith(".h"):
            yield _types_edge(config, kernel, arch, host, layout, file, code)
            source = layout.types(kernel, arch)
        header = f"{folder}/vmlinux.h"
        tool = "" if source.endswith(".h") else host.header_tool or ""
        words = ("vmlinux", file, kernel, tool, source, header, _session(host, layout, (kernel, arch) in reduced))
        edge = step_edge(host, words, (header,), (source,), (*((tool,) if tool else ()), *code))
        # The compiles make these when they need them.
        yield dataclasses.replace(edge, aside=tuple(f"{folder}/{name}" for name in (FILE, LOCK)))


def _types_edge(
    config: Config, kernel: str, arch: str, host: Host, layout: Layout, file: str, code: tuple[str, ...]
) -> Edge:
    package, types = btf_path(config, kernel, arch), layout.types(kernel, arch)
    return step_edge(host, ("types", file, kernel, package, types), (types,), (package,), code)


def _session(host: Host, layout: Layout, reduced: bool) -> str:
    """The builder's session, where compiles will need it; not with a cache, which may have all that they make."""
    return layout.note(SOCKET) if host.builder and reduced and not host.launcher.words else ""


def wanted(units: Iterable[Unit]) -> Iterable[tuple[str, str]]:
    """Kernel and architecture of each `vmlinux.h`, once each."""
    return dict.fromkeys((unit.vmlinux, unit.target.arches[0]) for unit in units if unit.vmlinux)


def judged(units: Iterable[Unit]) -> Iterable[tuple[str, str]]:
    """Kernel and architecture of each kernel that a unit must load on, once each."""
    # A thousand programs of one table share their targets and kernels.
    kinds = dict.fromkeys((unit.kernels, unit.target.arches) for unit in units)
    return dict.fromkeys((kernel, arch) for kernels, arches in kinds for kernel in kernels for arch in arches)


def types_path(config: Config, out: str, kernel: str, arch: str) -> Optional[str]:
    """The raw BTF of a kernel target for an architecture; None where it has none, or a ready `vmlinux.h`."""
    source = btf_path(config, kernel, arch) if config.kernel[kernel].btf else ".h"
    return None if source.endswith(".h") else Layout(out).types(kernel, arch)


def btf_path(config: Config, kernel: str, arch: str) -> str:
    """The file of a kernel target's types for an architecture."""
    return str(config.kernel[kernel].btf).replace("{arch}", arch)
