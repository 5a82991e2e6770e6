"""Flags that make clang do less, for the same object once it is stripped."""

from __future__ import annotations

import os

PACKAGE = os.path.dirname(os.path.dirname(__file__))


def without_dwarf(target: str, package: str = PACKAGE) -> list[str]:
    """Words for clang that leave DWARF out; `target` is `bpfel` or `bpfeb`, `package` the folder of bpfgen's own files.

    With CodeView, which the BPF target doesn't have, and DWARF version 0, only BTF is left (LLVM's
    AsmPrinter::doInitialization). `.debug_frame` is for functions without a way to handle exceptions, which C functions
    don't have with one either (AsmPrinter::getFunctionCFISectionType). Tried with clang 19 and 22; a clang that refuses
    it is left alone.
    """
    module = os.path.join(package, "clang", f"nodwarf.{target}.bc")
    no_tables = ["-Xclang", "-exception-model=sjlj", "-fno-addrsig"]
    return ["-Xclang", "-mlink-builtin-bitcode", "-Xclang", module, "-Xclang", "-dwarf-version=0", *no_tables]


def hidden(target: str) -> str:
    """A word in the place of those of `without_dwarf`, for a launcher that leaves compiles with `-Xclang` alone: the
    script that is its compiler knows it.
    """
    return f"-DBPFGEN_WITHOUT_DWARF={target}"


_FORWARD = {"bpfel": r"\0{3}[\x07\x87]\0{4}", "bpfeb": r"[\x07\x87]\0{7}"}
"""A forward declaration in BTF, behind the word that is its name."""


def unfinished(target: str) -> str:
    """A Perl expression for lines of an object that was compiled with these flags: where none matches, `strip.mended`
    has nothing to do.

    It does where two forward declarations follow each other, and for DWARF. A name can have the byte of a line's end.
    """
    forward = _FORWARD[target]
    return rf"\.debug_|{forward}(.{{4}}{forward}|.{{0,3}}$)"
