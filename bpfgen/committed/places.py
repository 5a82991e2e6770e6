"""Names for files that compiles read: the same on every machine."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Optional

from bpfgen.compile import Layout, layout_of
from bpfgen.frozen import frozen
from bpfgen.headers import btf_path, wanted
from bpfgen.host import Host
from bpfgen.project import Project

OWN = "bpfgen"
"""The label of bpfgen's own files, for which its version stands."""


def is_outside(name: str) -> bool:
    """Whether a name is of a file that belongs to the toolchain or the machine."""
    return name.startswith(("<", "/"))


@frozen
class Places:
    """Where files are here, and what they are called.

    A file of the project has its path as its name. Others are called as in the objects (see `Host.labels`):
    `<include>/bpf/bpf_helpers.h`.
    """

    root: str
    sysroot: str
    """Where the builder's files are here; empty where clang is here too."""
    folders: Mapping[str, str]
    """By label."""
    types: Mapping[str, str]
    """Each `vmlinux.h` that is made → what it is made from."""

    def name(self, path: str) -> Optional[str]:
        """The name of a file; None where it is one of bpfgen's own."""
        path = os.path.normpath(path)
        path = self.types.get(path, path)
        if self.sysroot and path.startswith(f"{self.sysroot}/"):
            path = path[len(self.sysroot) :]
        elif path.startswith(f"{self.root}/"):
            path = path[len(self.root) + 1 :]
        # The headers of an architecture are in another place where they are those of the machine itself.
        path = re.sub(r"^/usr/([^/]+-linux-[^/]+)/include/", r"/usr/include/\1/", path)
        for label, folder in self.folders.items():
            if path.startswith(f"{folder}/"):
                return None if label == OWN else f"<{label}>{path[len(folder) :]}"
        return path

    def path(self, name: str) -> str:
        """Where the file of a name is."""
        label, _, rest = name[1:].partition(">") if name.startswith("<") else ("", "", "")
        path = f"{self.folders.get(label, f'<{label}>')}{rest}" if label else name
        paths = [path, re.sub(r"^/usr/include/([^/]+-linux-[^/]+)/", r"/usr/\1/include/", path)]
        places = [self.sysroot + each for each in paths if self.sysroot and each.startswith("/")] + paths
        return next(filter(os.path.exists, places), path)


def places_of(project: Project, host: Host) -> Places:
    """Of a project on a host."""
    layout = layout_of(project.config)
    folders = {label: folder for folder, label in host.labels if os.path.isabs(folder)}
    sysroot = host.builder.sysroot.rstrip("/") if host.builder else ""
    return Places(project.root, sysroot, folders, _types(project, layout))


def _types(project: Project, layout: Layout) -> dict[str, str]:
    return {
        f"{layout.vmlinux(kernel, arch)}/vmlinux.h": btf_path(project.config, kernel, arch)
        for kernel, arch in wanted(project.units)
    }
