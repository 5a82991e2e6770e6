"""bpf2go's C flags as keys of `build.toml`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Optional, get_args

from bpfgen.config.checkflags import OWNED_WITH_ARGUMENT, TAKES_ARGUMENT, owned
from bpfgen.config.values import MacroValue, Mcpu
from bpfgen.frozen import field, frozen

PATHS = ("-isystem", "-idirafter", "-iquote", "-isysroot", "-include", "-imacros")
"""Flags whose value is a path; it may follow at once or as the next word."""
DEFAULT_MCPU: Mcpu = "v1"
"""`insertDefaultFlags` of cmd/bpf2go/gen/compile.go."""
_MCPU: tuple[Mcpu, ...] = get_args(Mcpu)
_ATTACHED = re.compile(r"(-[IDU]|-isystem|-idirafter|-iquote|-isysroot|-imacros|-include(?!-))(.+)", re.DOTALL)


@frozen
class Places:
    """Where a compiler that runs in some folder finds things, as seen from the project's."""

    rebase: Callable[[str], str]
    """A path → the same one from the project's folder."""
    is_folder: Callable[[str], bool]
    """Whether a rebased path is a folder."""
    is_file: Callable[[str], bool]


@frozen
class CFlags:
    """Keys of `[compile]` or of a program."""

    mcpu: Mcpu = DEFAULT_MCPU
    include: tuple[str, ...] = ()
    define: dict[str, MacroValue] = field(default_factory=dict)
    cflags: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    """What was left out because it does nothing, and why."""
    lost: tuple[str, ...] = ()
    """What was left out though bpf2go hands it to clang, and why."""


@frozen
class _Found:
    """`CFlags` in the making."""

    mcpu: list[Mcpu] = field(default_factory=list)
    include: dict[str, None] = field(default_factory=dict)
    define: dict[str, MacroValue] = field(default_factory=dict)
    cflags: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def split(words: Sequence[str], places: Places) -> CFlags:
    """What `words`, behind bpf2go's own `-O2 -mcpu=v1`, mean in `build.toml`."""
    found = _Found()
    for name, value in _pairs(words):
        if name == "-I":
            _include(value or "", places, found)
        elif name in {"-D", "-U"} and value:
            _define(name, value, found)
        elif name in PATHS and value:
            found.cflags.extend((name, _path(name, value, places)))
        elif value is None and name.startswith(("-mcpu=", "-march=")):
            _mcpu(name, found)
        elif not _is_redundant(name):
            _other(name, value, found)
    cflags = _without_default_level(found.cflags)
    mcpu = found.mcpu[-1] if found.mcpu else DEFAULT_MCPU
    return CFlags(mcpu, tuple(found.include), found.define, cflags, tuple(found.dropped), tuple(found.lost))


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, Optional[str]]]:
    """Each flag with its value, where it is one that has a value in a word of its own, or a path or macro."""
    rest = iter(words)
    for word in rest:
        attached = _ATTACHED.fullmatch(word)
        if word in TAKES_ARGUMENT or word in OWNED_WITH_ARGUMENT:
            yield word, next(rest, "")
        elif attached:
            yield attached[1], attached[2]
        else:
            yield word, None


def _include(path: str, places: Places, found: _Found) -> None:
    folder = places.rebase(path) if path else ""
    if path and places.is_folder(folder):
        found.include.setdefault(folder)
    else:
        found.dropped.append(f"-I{path}: there is no such folder" if path else "-I without a folder")


def _define(name: str, value: str, found: _Found) -> None:
    macro, equals, text = value.partition("=")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", macro) or (name == "-U" and equals):
        found.cflags.append(f"{name}{value}")
        return
    found.define.pop(macro, None)  # the last one counts, in its place
    number = re.fullmatch(r"0|-?[1-9][0-9]{0,17}", text)
    found.define[macro] = False if name == "-U" else int(text) if number else text if equals else True


def _path(name: str, value: str, places: Places) -> str:
    """clang looks for `-include FILE` where it runs first, then in the folders of headers."""
    path = places.rebase(value)
    return value if name in {"-include", "-imacros"} and not places.is_file(path) else path


def _mcpu(word: str, found: _Found) -> None:
    value = word.partition("=")[2]
    known = [name for name in _MCPU if name == value and word.startswith("-mcpu=")]
    found.mcpu.extend(known)
    if not known:
        found.lost.append(f'{word}: bpfgen knows  mcpu = "v1"  to "v4"')


def _is_redundant(word: str) -> bool:
    """Whether bpfgen passes the same, or bpf2go overrides it: it ends its flags with `-c … -g`."""
    return word == "-c" or re.fullmatch(r"-g(?:[0-3]|gdb[0-3]?)?", word) is not None


def _other(name: str, value: Optional[str], found: _Found) -> None:
    hint = owned(name)
    if re.fullmatch(r"-{1,2}target(=.*)?|-o.*", name):
        found.dropped.append(f"{name}: bpf2go's own comes behind it")
    elif hint is not None:
        found.lost.append(f"{name}: {hint}")
    elif not name.startswith("-"):
        found.lost.append(f"{name}: clang would take it for a file to compile")
    else:
        found.cflags.extend((name,) if value is None else (name, value))


def _without_default_level(words: Sequence[str]) -> tuple[str, ...]:
    """The last `-O…` counts; the one that bpfgen passes anyway is left out."""
    levels = [index for index, word in enumerate(words) if re.fullmatch(r"-O\w*", word)]
    skip = set(levels if levels and words[levels[-1]] == "-O2" else levels[:-1])
    return tuple(word for index, word in enumerate(words) if index not in skip)


def rebased(folder: str, root: str) -> Places:
    """The places of a compiler that runs in `folder`, for a project in `root`; both are absolute."""
    up = os.path.relpath(folder, root)
    inside = root.rstrip("/") + "/"

    def rebase(path: str) -> str:
        if os.path.isabs(path):
            path = os.path.normpath(path)
            return os.path.relpath(path, root) if f"{path}/".startswith(inside) else path
        return os.path.normpath(os.path.join(up, path))

    def is_folder(path: str) -> bool:
        return os.path.isdir(os.path.join(root, path))

    def is_file(path: str) -> bool:
        return os.path.isfile(os.path.join(root, path))

    return Places(rebase, is_folder, is_file)
