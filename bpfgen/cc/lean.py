"""Flags that make clang do less, for the same object once it is stripped."""

from __future__ import annotations

import os

PACKAGE = os.path.dirname(os.path.dirname(__file__))


def without_dwarf(target: str, package: str = PACKAGE) -> list[str]:
    """Words for clang that leave DWARF out; `target` is `bpfel` or `bpfeb`, `package` the folder of bpfgen's own files.

    With CodeView, which the BPF target doesn't have, and DWARF version 0, only BTF is left (LLVM's
    AsmPrinter::doInitialization). Tried with clang 19 and 22; a clang that refuses it is left alone.
    """
    module = os.path.join(package, "clang", f"nodwarf.{target}.bc")
    return ["-Xclang", "-mlink-builtin-bitcode", "-Xclang", module, "-Xclang", "-dwarf-version=0"]
