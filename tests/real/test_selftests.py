"""The kernel's own BPF selftests: some 800 programs, with every section, map and attribute that there is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import fetch
import pytest
from contract import FastContract


@pytest.mark.input
class TestSelftests(FastContract):
    """Many programs, with the headers of the kernel tree that they are from."""

    name = "selftests"
    needs = ("apt-get", "dpkg-deb", "tar", "xz")
    folders = ("tools",)
    sources = "tools/testing/selftests/bpf/progs/*.c"
    flags = (
        "-DENABLE_ATOMICS_TESTS",
        "-Itools/testing/selftests/bpf",
        "-Itools/include/uapi",
        "-Itools/lib",
    )
    count = 790
    editor_step = 8
    fast_step = 8
    builds, builds_step = 5, 40
    refused: ClassVar[Mapping[str, int]] = {"clang-14": 5, "clang-19": 0, "wheel": 134}

    @staticmethod
    def fetch() -> Path:
        """Debian's package of the kernel's source."""
        return fetch.selftests()
