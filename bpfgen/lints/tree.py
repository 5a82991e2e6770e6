"""The files of a project, and which of the files that a compile reads are others."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import cache
from typing import Optional

LIBBPF = frozenset(
    ("bpf_helpers.h", "bpf_helper_defs.h", "bpf_tracing.h", "bpf_core_read.h", "bpf_endian.h", "usdt.bpf.h")
)
"""What libbpf has for programs, wherever a project keeps it."""
UAPI = (
    *("asm", "asm-generic", "cxl", "drm", "linux", "misc", "mtd"),
    *("rdma", "regulator", "scsi", "sound", "video", "xen"),
)
"""Folders of the kernel's user-space headers: `make headers_install`."""
_TRIPLE = r"(?:[^/]+-linux-[^/]+/)?"
_SYSTEM = re.compile(rf"/usr/(?:local/)?{_TRIPLE}include/{_TRIPLE}(?:bpf|{'|'.join(UAPI)})/")
_INCLUDE = re.compile(r'[ \t]*#[ \t]*(?:include|include_next|import)[ \t]*(?:<([^>]+)>|"([^"]+)")')
_NO_CODE = re.compile(r'("(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\')|//[^\n]*|/\*.*?\*/', re.DOTALL)


class Tree:
    """A project's folder, as its compiles see it; files are read once."""

    def __init__(self, root: str, top: str, out: str, toolchain: Iterable[str]) -> None:
        """`root` and `top` are absolute: the project, and the repository that it is in; `out` is relative to `root`,
        `toolchain` are folders of the compiler's and of bpfgen's.
        """
        self._root, self._top, self._out = root, top, out
        self._toolchain = tuple({f"{name}/" for folder in toolchain for name in (folder, os.path.realpath(folder))})

    def own(self, path: str) -> Optional[str]:
        """A file of the project, relative to it; None for one that is another's, or was made."""
        name = os.path.relpath(os.path.join(self._root, path), self._root)
        is_made = name.startswith(f"{self._out}/") or os.path.basename(name) == "vmlinux.h"
        return None if is_made or os.path.basename(name) in LIBBPF or not self._is_below(name) else name

    def is_stray(self, path: str) -> bool:
        """Whether a header is neither the project's, the kernel's, libbpf's nor the compiler's."""
        name = os.path.normpath(os.path.join(self._root, path))
        if self._is_below(path) or _SYSTEM.match(name) or os.path.basename(name) in LIBBPF:
            return False
        return not name.startswith(self._toolchain)

    def _is_below(self, path: str) -> bool:
        return os.path.normpath(os.path.join(self._root, path)).startswith(f"{self._top.rstrip('/')}/")

    @cache  # noqa: B019 - a tree lives as long as the program
    def lines(self, path: str) -> tuple[str, ...]:
        """The lines of a file; none where it can't be read."""
        try:
            with open(os.path.join(self._root, path), encoding="utf-8", errors="replace") as file:
                return tuple(file.read().split("\n"))
        except OSError:
            return ()

    @cache  # noqa: B019
    def code(self, path: str) -> tuple[str, ...]:
        """The same, without comments."""
        text = _NO_CODE.sub(_blank, "\n".join(self.lines(path)))
        return tuple(text.split("\n"))

    @cache  # noqa: B019
    def includes(self, path: str) -> tuple[tuple[int, str], ...]:
        """Line numbers, and what is included there."""
        found = ((number, _INCLUDE.match(line)) for number, line in enumerate(self.code(path), 1))
        return tuple((number, match[1] or match[2]) for number, match in found if match)


def _blank(match: re.Match[str]) -> str:
    return match[1] or re.sub(r"[^\n]", " ", match[0])
