"""Kernel targets → edges: their types as raw BTF, whatever they come in, and `vmlinux.h`. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from bpfgen.builders.settings import SOCKET
from bpfgen.cc.index import FILE, LOCK
from bpfgen.compile import Layout, can_reduce, step_edge
from bpfgen.config.schema import Config
from bpfgen.graph import Edge
from bpfgen.host import Host
from bpfgen.matrix import Unit

MADE_OF = ("steps.py", "files.py", "bpf", "kernels", "outputs/types.py", "outputs/vmlinux.py")
"""bpfgen's own files that the edges here run."""


def vmlinux_edges(
    config: Config, units: Iterable[Unit], host: Host, layout: Layout, file: str, code: tuple[str, ...]
) -> Iterator[Edge]:
    """The edges for each `vmlinux.h` that a unit can include; `file` is build.toml, `code` is `MADE_OF`.

    Its types are files of their own, written only where they change: another package with the same types makes no
    further header.
    """
    units = tuple(units)
    reduced = set(wanted(filter(can_reduce, units)))
    for kernel, arch in wanted(units):
        source, folder = btf_path(config, kernel, arch), layout.vmlinux(kernel, arch)
        if not source.endswith(".h"):
            package, source = source, f"{folder}/vmlinux.btf"
            yield step_edge(host, ("types", file, kernel, package, source), (source,), (package,), code)
        header = f"{folder}/vmlinux.h"
        tool = "" if source.endswith(".h") else host.header_tool or ""
        words = ("vmlinux", file, kernel, tool, source, header, _session(host, layout, (kernel, arch) in reduced))
        edge = step_edge(host, words, (header,), (source,), (*((tool,) if tool else ()), *code))
        # The compiles make these when they need them.
        yield dataclasses.replace(edge, aside=tuple(f"{folder}/{name}" for name in (FILE, LOCK)))


def _session(host: Host, layout: Layout, reduced: bool) -> str:
    """The builder's session, where compiles will need it; not with a cache, which may have all that they make."""
    return layout.note(SOCKET) if host.builder and reduced and not host.launcher.words else ""


def wanted(units: Iterable[Unit]) -> Iterable[tuple[str, str]]:
    """Kernel and architecture of each `vmlinux.h`, once each."""
    return dict.fromkeys((unit.vmlinux, unit.target.arches[0]) for unit in units if unit.vmlinux)


def btf_path(config: Config, kernel: str, arch: str) -> str:
    """The file of a kernel target's types for an architecture."""
    return str(config.kernel[kernel].btf).replace("{arch}", arch)
