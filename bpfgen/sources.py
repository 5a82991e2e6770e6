"""Config → the files that its programs are made of. The one place that asks the file system what is there."""

from __future__ import annotations

import fnmatch
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Union

from bpfgen.catalog import arches
from bpfgen.config.check import RESERVED
from bpfgen.config.checkkernel import GLOB
from bpfgen.config.report import Path, Report, did_you_mean, quoted
from bpfgen.config.schema import Compile, Config, Program, Variant
from bpfgen.config.values import UNWRITABLE
from bpfgen.frozen import frozen


@frozen
class NamedProgram:
    """A program of the matrix: a table of `build.toml` with its name and files filled in."""

    name: str
    key: str
    """The name of its table, which holds a `*` where one table makes many programs."""
    files: tuple[str, ...]
    """C sources as clang will see them: relative to the project, or absolute."""


@frozen
class Sources:
    """What was found."""

    programs: tuple[NamedProgram, ...]
    folders: tuple[str, ...]
    """Folders whose listing a glob depends on; `.` is the project."""
    named: tuple[str, ...] = ()
    """Files and folders that the configuration names one by one: they must go on being there."""


def discover(root: str, config: Config, report: Report) -> Sources:
    """Finds the sources of every program below `root`; reports files and folders that are missing."""
    folders: set[str] = set()
    programs: list[NamedProgram] = []
    for key, program in config.program.items():
        programs += _named(root, config, key, program, folders, report)
        _includes(root, program.include, ("program", key, "include"), report)
        for name, variant in program.variants.items():
            _includes(root, variant.include, ("program", key, "variants", name, "include"), report)
    _includes(root, config.compile.include, ("compile", "include"), report)
    _unique(config, programs, report)
    named = {file for program in programs if "*" not in program.key for file in program.files}
    return Sources(tuple(programs), tuple(sorted(folders)), tuple(sorted(named | _include_folders(config))))


def _include_folders(config: Config) -> set[str]:
    settings: list[Union[Compile, Program, Variant]] = [config.compile, *config.program.values()]
    settings += [variant for program in config.program.values() for variant in program.variants.values()]
    return {folder for each in settings for folder in each.include}


def _named(
    root: str, config: Config, key: str, program: Program, folders: set[str], report: Report
) -> Iterator[NamedProgram]:
    path = ("program", key)
    out = config.project.out.rstrip("/")
    patterns = (
        ((program.source, (*path, "source")),) if program.source else _indexed(program.sources, (*path, "sources"))
    )
    files = [
        file for pattern, where in patterns for file in _files(root, pattern, where, program, out, folders, report)
    ]
    if "*" not in key:
        if files:
            yield NamedProgram(key, key, tuple(dict.fromkeys(files)))
        return
    for file in files:
        name = key.replace("*", _stem(file))
        if name.startswith(("-", " ")) or len(name) > 100 or name.endswith(" "):
            report.add((*path, "source"), f'"{file}" can\'t name a program', "rename the file, or exclude it")
        else:
            yield NamedProgram(name, key, (file,))


def _indexed(patterns: Sequence[str], path: Path) -> tuple[tuple[str, Path], ...]:
    return tuple((pattern, (*path, index)) for index, pattern in enumerate(patterns))


def _stem(file: str) -> str:
    """The file's name up to its first dot."""
    return os.path.basename(file).split(".", 1)[0]


def _files(
    root: str, pattern: str, where: Path, program: Program, out: str, folders: set[str], report: Report
) -> list[str]:
    if not pattern.endswith(".c"):
        report.add(where, f'"{pattern}" is no C source', "a source ends in .c")
        return []
    if not GLOB.search(pattern):
        if not os.path.isfile(os.path.join(root, pattern)):
            report.add(where, f'no such file: "{pattern}"', _nearest(root, pattern))
        return [os.path.normpath(pattern)]
    found = [file for file in expand(root, pattern, out, folders) if not _excluded(file, program.exclude)]
    for file in found:
        if re.search(rf"[{UNWRITABLE}*\ud800-\udfff]", file):
            report.add(
                where, f"{quoted(file)} can't be built", "Ninja can't write such a path: rename the file, or exclude it"
            )
    if not found:
        report.add(where, f'no file matches "{pattern}"', _nearest(root, pattern))
    return found


def _excluded(file: str, patterns: Sequence[str]) -> bool:
    return any(matches(file, os.path.normpath(pattern)) for pattern in patterns)


def matches(file: str, pattern: str) -> bool:
    """Whether a path matches a glob: `*` and `?` stay inside a folder, `**` is any number of folders."""
    return _match(file.split("/"), pattern.split("/"))


def _match(parts: Sequence[str], patterns: Sequence[str]) -> bool:
    if not patterns:
        return not parts
    if patterns[0] == "**":
        return any(_match(parts[skip:], patterns[1:]) for skip in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], patterns[0]) and _match(parts[1:], patterns[1:])


def expand(root: str, pattern: str, out: str, folders: set[str]) -> list[str]:
    """Files below `root` that match a glob, sorted; adds the folders that were listed to `folders`.

    Hidden folders and the output folder are never entered, and `**` follows no symbolic links, so it always ends.
    """
    parts = os.path.normpath(pattern).split("/")
    plain = next(index for index, part in enumerate(parts) if GLOB.search(part))
    start = "/".join(parts[:plain]) or ("/" if pattern.startswith("/") else "")
    return sorted(set(_walk(root, start, parts[plain:], out, folders)))


def _walk(root: str, folder: str, parts: Sequence[str], out: str, folders: set[str]) -> Iterator[str]:
    if folder == out:
        return
    part, rest = parts[0], parts[1:]
    if part == "**":
        yield from _walk(root, folder, rest, out, folders)
    folders.add(folder or ".")
    for entry in _entries(os.path.join(root, folder)):
        path = f"{folder.rstrip('/')}/{entry.name}" if folder else entry.name
        if part == "**":
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(root, path, parts, out, folders)
        elif fnmatch.fnmatchcase(entry.name, part):
            if rest and entry.is_dir():
                yield from _walk(root, path, rest, out, folders)
            elif not rest and entry.is_file():
                yield path


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _nearest(root: str, pattern: str) -> str:
    folder = os.path.dirname(pattern)
    if not GLOB.search(folder) and not os.path.isdir(os.path.join(root, folder)):
        return f'there is no folder "{folder}"'
    if GLOB.search(pattern):
        return ""
    names = [
        os.path.join(folder, entry.name) for entry in _entries(os.path.join(root, folder)) if entry.name.endswith(".c")
    ]
    return did_you_mean(pattern, names)


def _includes(root: str, paths: Sequence[str], where: Path, report: Report) -> None:
    for index, path in enumerate(paths):
        if not os.path.isdir(os.path.join(root, path)):
            report.add((*where, index), f'no such folder: "{path}"', "an include path is relative to the project")


def _unique(config: Config, programs: Sequence[NamedProgram], report: Report) -> None:
    """Names become folders and Ninja targets: no two may be one on a file system that ignores case."""
    seen: dict[str, NamedProgram] = {}
    taken = {*RESERVED, *arches(), *config.kernel}
    for program in programs:
        folded = unicodedata.normalize("NFC", program.name).casefold()
        path = ("program", program.key)
        if program.name in taken:
            report.add(
                path,
                f'the program name "{program.name}" is taken by a Ninja target of bpfgen',
                "choose another",
                key=True,
            )
        elif folded in seen and seen[folded].name != program.name:
            report.add(
                path,
                f'the program names "{seen[folded].name}" and "{program.name}" name one folder',
                "rename one: some file systems ignore case and the encoding of accents",
                key=True,
            )
        elif folded in seen:
            other = seen[folded]
            files = f"{other.files[0]} and {program.files[0]}"
            report.add(
                path,
                f'two programs are named "{program.name}": {files}',
                "exclude one, or use a second table",
                key=True,
            )
        seen.setdefault(folded, program)
