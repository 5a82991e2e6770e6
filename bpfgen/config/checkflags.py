"""What `cflags` may hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Optional

from bpfgen.config.report import Path, Report

# Flags that bpfgen passes itself, or that would turn the compile into something else, and what to write instead.
_OWNED: Sequence[tuple[str, str]] = (
    (r"-{1,2}target(=.*)?", "bpfgen passes -target for each architecture: see targets.arches"),
    (r"-mcpu(=.*)?|-march(=.*)?", 'write  mcpu = "v3"  in [compile] or in the program'),
    (r"-[cSE]|-emit-llvm|-fsyntax-only|-###|-v|--version|-save-temps.*", "bpfgen decides what a compile makes"),
    (r"-o.*|--output.*", "outputs are named by bpfgen, below project.out"),
    (r"-M[A-Z]*|-M[FTQ].*|-Wp,-M.*|--dependencies.*", "bpfgen passes the depfile's flags itself"),
    (r"-x.*|-", "sources are C"),
    (r"@.*", "write the flags of the response file here"),
)
# Of those, the ones that the next string belongs to.
OWNED_WITH_ARGUMENT = frozenset(["-target", "--target", "-o", "--output", "-x", "-MF", "-MT", "-MQ"])
TAKES_ARGUMENT = frozenset(
    [
        "-include",
        "-imacros",
        "-isystem",
        "-idirafter",
        "-iquote",
        "-iprefix",
        "-iwithprefix",
        "-isysroot",
        "-I",
        "-D",
        "-U",
        "-Xclang",
        "-mllvm",
        "-Xpreprocessor",
        "-arch",
        "-Xassembler",
    ]
)
"""Flags whose value is the next word."""


def owned(flag: str) -> Optional[str]:
    """What to write instead of a flag that is bpfgen's to pass; None where it is the user's."""
    return next((hint for pattern, hint in _OWNED if re.fullmatch(pattern, flag)), None)


def check_flags(flags: Sequence[str], path: Path, report: Report) -> None:
    """Reports flags at `path` that aren't for the user to give, and words that are none."""
    previous = ""
    for index, flag in enumerate(flags):
        where = (*path, index)
        if previous in TAKES_ARGUMENT or (previous in OWNED_WITH_ARGUMENT and not flag.startswith("-")):
            previous = ""
            continue
        hint = owned(flag)
        if hint is not None:
            report.add(where, f'"{flag}" is not for cflags', hint)
        elif not flag.startswith("-"):
            report.add(where, f'"{flag}" is no flag: clang would take it for a file to compile', "flags start with '-'")
        elif re.match(r"-[^\s=\"']*\s+-", flag):
            report.add(
                where, f'"{flag}" is several flags in one string', ", ".join(f'"{word}"' for word in flag.split())
            )
        previous = flag
