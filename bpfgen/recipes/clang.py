"""A command → what it compiles for BPF. Pure."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import Optional

from bpfgen.bpf2go.programs import LAUNCHERS, Compiler
from bpfgen.catalog import arches
from bpfgen.config.checkflags import OWNED_WITH_ARGUMENT, TAKES_ARGUMENT
from bpfgen.errors import Location
from bpfgen.frozen import field, frozen
from bpfgen.recipes.expand import UNKNOWN
from bpfgen.recipes.walk import Command

_CLANG = re.compile(r"(?:.*/)?clang(?:-[0-9.]+)?(?:\.exe)?")
_TARGET = re.compile(r"(?:-{1,2}target=)?(bpf(?:el|eb)?)(?:-.*)?")
_ARCH = re.compile(r"-D__TARGET_ARCH_(\w+?)(?:=.*)?")
_NO_COMPILE = re.compile(r"-E|-M|-MM|-fsyntax-only|-###|--version|-print-.*|--print-.*|-dump.*|--analyze|-v")
_DEPENDENCIES = re.compile(r"-M[DPGV]+|-MMD|-MD|-M[FTQ].+|-Wp,-MM?D,.*")
_SYSTEM = re.compile(r"/usr/(?:local/)?include(?:/[a-z0-9_]+-linux-gnu\w*)?|(?:/.*)?/lib/clang/[0-9.]+/include")
"""The compiler's own folders and the host's: bpfgen passes those itself."""
_OURS = frozenset(["-MF", "-MT", "-MQ", "-x", "-c", "-S", "-emit-llvm", "-pipe"])
_PATH_FLAGS = ("-I", "-isystem", "-idirafter")


@frozen
class Compiled:
    """One source, compiled for BPF by one command."""

    where: Optional[Location]
    folder: str
    """Where the compiler runs, absolute; paths are relative to it."""
    compiler: Compiler
    source: str
    output: str
    """The object, or what a later command makes one of; empty where it isn't known."""
    order: str
    """`bpfel` or `bpfeb`."""
    arch: Optional[str]
    """The architecture of `__TARGET_ARCH_…`, by Go's name."""
    flags: tuple[str, ...]
    """What is left of the words: neither files, nor target, nor what bpfgen decides."""
    dropped: tuple[str, ...] = ()
    """What was left out, and why."""


@frozen
class _Words:
    """A command line in the reading."""

    targets: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    arches: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    emits: list[str] = field(default_factory=list)
    """Flags that say that something else than an object is made."""


def for_bpf(text: str) -> bool:
    """Whether text that can't be read looks like a compile for BPF."""
    return re.search(r"-target[= ]+bpf|-march=bpf", text) is not None


def compiler(words: Sequence[str]) -> Optional[tuple[Compiler, tuple[str, ...]]]:
    """The compiler that a command starts, and the words behind it; None where it starts none."""
    launcher = words[0] if os.path.basename(words[0]) in LAUNCHERS and len(words) > 1 else ""
    rest = words[1:] if launcher else words
    if not _CLANG.fullmatch(rest[0]):
        return None
    return Compiler("auto" if rest[0] == "clang" else rest[0], os.path.basename(launcher), ()), tuple(rest[1:])


def compiled(command: Command, where: Optional[Location]) -> tuple[Compiled, ...]:
    """Its sources; none where it compiles nothing for BPF."""
    found = compiler(command.words)
    if found is None:
        return ()
    words = _Words()
    for name, value in _pairs(found[1]):
        _sort(name, value, words)
    # Where there is no source, one of those is it.
    sources = words.sources or [word for word in words.unknown if not word.startswith("-")][:1]
    if not words.targets or not sources or any(map(_NO_COMPILE.fullmatch, words.emits)):
        return ()
    unknown = [f"{_seen(word)}: only the shell knows what it is" for word in words.unknown if word not in sources]
    order = "bpfeb" if words.targets[-1] == "bpfeb" else "bpfel"
    return tuple(
        Compiled(
            where=where,
            folder=command.folder,
            compiler=found[0],
            source=source,
            output=_output(words, source),
            order=order,
            arch=_go_arch(words.arches[-1], order) if words.arches else None,
            flags=tuple(words.flags),
            dropped=(*words.dropped, *unknown),
        )
        for source in sources
    )


def _output(words: _Words, source: str) -> str:
    if words.outputs:
        return "" if UNKNOWN in words.outputs[-1] or words.outputs[-1] == "-" else words.outputs[-1]
    return f"{os.path.splitext(os.path.basename(source))[0]}.o"


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, Optional[str]]]:
    """Each flag with its value, where that is the next word."""
    rest = iter(words)
    for word in rest:
        yield word, next(rest, "") if word in TAKES_ARGUMENT or word in OWNED_WITH_ARGUMENT else None


def _sort(name: str, value: Optional[str], words: _Words) -> None:
    """Puts a flag, or a file, where it belongs."""
    whole = name + (value or "")
    if re.match(r"-{1,2}target(=|$)", name):
        target = _TARGET.fullmatch(name if value is None else value)
        words.targets.extend([target[1]] if target else [])
    elif name.startswith("-o") or name == "--output":
        words.outputs.append(name[2:] if value is None else value)
    elif UNKNOWN not in whole and (arch := _ARCH.fullmatch(whole)):
        words.arches.append(arch[1])
    elif name in _OURS or _DEPENDENCIES.fullmatch(name):
        pass  # what Ninja, or bpfgen, sees to
    elif _NO_COMPILE.fullmatch(name):
        words.emits.append(name)
    elif value is None and not name.startswith("-") and name.endswith(".c"):
        words.sources.append(name)
    elif UNKNOWN in whole:
        words.unknown.append(whole)
    else:
        _keep(name, value, words)


def _keep(name: str, value: Optional[str], words: _Words) -> None:
    """What is a project's own, but for folders of the system and files that are no sources."""
    flag = next((each for each in _PATH_FLAGS if name.startswith(each)), "")
    path = value if value is not None else name[len(flag) :]
    if flag and _SYSTEM.fullmatch(os.path.normpath(path)):
        words.dropped.append(f"{flag} {path}: bpfgen passes the compiler's and the system's headers itself")
    elif value is None and not name.startswith("-"):
        words.dropped.append(f"{name}: is no C source")
    else:
        words.flags.extend(_whole(name, value))


def _whole(name: str, value: Optional[str]) -> tuple[str, ...]:
    return (name,) if value is None else (name, value)


def _seen(word: str) -> str:
    return word.replace(UNKNOWN, "…")


def _go_arch(define: str, order: str) -> Optional[str]:
    """`x86` → `amd64`: the first of the catalog that has the macro and the byte order."""
    rows = arches().items()
    return next((name for name, arch in rows if arch.define == define and arch.target == order), None)
