"""One run of bpf2go → the programs of a `build.toml` that make the same files."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Literal, Optional

from bpfgen.bpf2go.cflags import CFlags, Places, split
from bpfgen.bpf2go.options import GENERIC, Options
from bpfgen.catalog import arches
from bpfgen.config.schema import Program, ProgramGo
from bpfgen.frozen import frozen

# A portable object is one for all architectures of its byte order: any one of them asks for it.
STANDS_FOR = {"bpfel": "amd64", "bpfeb": "s390x"}
LAUNCHERS = ("ccache", "sccache")


@frozen
class Compiler:
    """What `-cc` says."""

    clang: str
    """As `[toolchain] clang` has it."""
    launcher: str
    """What runs it; empty where nothing does."""
    flags: tuple[str, ...]
    """Words behind it."""

    def __str__(self) -> str:
        return f"{self.launcher} {self.clang}".strip()


def compiler(options: Options) -> Compiler:
    """The compiler that a run asks for; `clang`, bpf2go's default, is whichever bpfgen finds."""
    first, *rest = options.cc
    launcher = first if first.rpartition("/")[2] in LAUNCHERS and rest else ""
    clang, *flags = rest if launcher else (first, *rest)
    return Compiler("auto" if clang == "clang" else clang, launcher, tuple(flags))


@frozen
class Made:
    """The programs of one run, and what became of its C flags."""

    programs: tuple[Program, ...]
    """Several where it has targets of both kinds: objects for one architecture, and for all of a byte order."""
    flags: CFlags


def programs(options: Options, places: Places, native: str) -> Made:
    """What `options` ask for; `native` is this host's architecture, by Go's name."""
    flags = split((*compiler(options).flags, *options.cflags), places)
    go = ProgramGo(
        stem=options.ident,
        output_stem=options.output_stem or None,
        suffix=options.output_suffix,
        types=options.types,
        global_types=options.global_types,
        tags=tags(options.tags),
        package=options.package,
        dir=places.rebase(options.output_dir or "."),
    )
    made = tuple(
        Program(
            source=places.rebase(options.source),
            arches=names,
            portable=portable,
            cflags=flags.cflags,
            include=flags.include,
            define=flags.define,
            mcpu=flags.mcpu,
            strip=not options.no_strip,
            go=dataclasses.replace(go, target=target),
        )
        for names, portable, target in _groups(options.targets, native)
    )
    return Made(made, flags)


def _groups(targets: tuple[str, ...], native: str) -> Iterator[tuple[tuple[str, ...], bool, Optional[Literal["bpf"]]]]:
    """Architectures, whether the object is portable, and the target that names its files."""
    exact = tuple(name for name in targets if name not in GENERIC)
    if exact:
        yield exact, False, None
    generic = tuple(STANDS_FOR[name] for name in targets if name in STANDS_FOR)
    if generic:
        yield generic, True, None
    if "bpf" in targets:
        yield (STANDS_FOR[arches()[native].target],), True, "bpf"


def tags(text: Optional[str]) -> tuple[str, ...]:
    """bpf2go's `-tags` as a list of which all must hold; a space means "or" (go/build/constraint, `// +build`), and
    what is no tag is `ignore`, which no build has.
    """
    if text is None:
        return ()
    clauses = [",".join(map(_tag, clause.split(","))) for clause in text.split()] or ["ignore"]
    return tuple(clauses[0].split(",")) if len(clauses) == 1 else (" ".join(clauses),)


def _tag(word: str) -> str:
    return word if re.fullmatch(r"!?[A-Za-z0-9_.]+", word) else "ignore"
