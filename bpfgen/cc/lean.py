"""Flags that make clang do less, for the same object once it is stripped."""

from __future__ import annotations

import os

LEAN = ("dwarf", "tracking")
"""No DWARF at all: with CodeView, which the BPF target doesn't have, and DWARF version 0, only BTF is left (tried with
clang 14, 19 and 22). No tracking of where variables are kept, which only DWARF would say (since clang 17)."""


def words(name: str, target: str) -> list[str]:
    """The words for clang's command line; `target` is `bpfel` or `bpfeb`."""
    if name == "tracking":
        return ["-Xclang", "-fexperimental-assignment-tracking=disabled"]
    module = os.path.join(os.path.dirname(os.path.dirname(__file__)), "clang", f"nodwarf.{target}.bc")
    return ["-Xclang", "-mlink-builtin-bitcode", "-Xclang", module, "-Xclang", "-dwarf-version=0"]
