"""Headers that only an image has, on this host: for the driver's scan, for Ninja and for editors."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tarfile
from collections.abc import Iterable, Iterator

from bpfgen.builders.settings import Settings
from bpfgen.toolchain import Clang

LEAVE_OUT = ("c++", "clang-*", "llvm*", "python*", "boost")
"""Folders that no C program for the kernel includes."""


def export_script(folders: Iterable[str]) -> str:
    """A script that writes a tar archive of folders, without symbolic links, to its standard output."""
    excluded = " ".join(f"--exclude='*/{name}'" for name in LEAVE_OUT)
    names = " ".join(f"'.{folder}'" for folder in folders)
    return f'cd / && for f in {names}; do [ -d "$f" ] && set -- "$@" "$f"; done; tar -chf - {excluded} "$@" 2>/dev/null'


def unpack(archive: bytes, folder: str) -> None:
    """The files of an archive, below a folder that is there whole or not at all; raises OSError, tarfile.TarError."""
    partial = f"{folder}.{os.getpid()}.tmp"
    shutil.rmtree(partial, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            name = os.path.normpath(member.name)
            if name.startswith(("..", "/")) or not (member.isfile() or member.islnk()):
                continue
            content = tar.extractfile(member)
            assert content is not None
            path = os.path.join(partial, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                shutil.copyfileobj(content, file)
            os.utime(path, (member.mtime, member.mtime))
    above = os.path.dirname(folder)
    for other in os.listdir(above):
        if other != os.path.basename(partial):
            shutil.rmtree(os.path.join(above, other), ignore_errors=True)
    with contextlib.suppress(OSError):
        os.makedirs(partial, exist_ok=True)
    os.rename(partial, folder)


def editor_words(words: Iterable[str], clang: Clang, settings: Settings) -> tuple[str, ...]:
    """A compile's words for an editor on a host that has none of the headers: those of the image, and no others."""
    given = list(words)
    last = given.index("-idirafter") if "-idirafter" in given else given.index("-c")
    own = [word for folder in clang.include for word in ("-isystem", settings.sysroot + folder)]
    return tuple(_mapped([*given[:last], "-nostdinc", *own, *given[last:]], settings))


def _mapped(words: list[str], settings: Settings) -> Iterator[str]:
    for word in words:
        shared = any(word == folder or word.startswith(f"{folder}/") for folder in settings.readable)
        there = word.startswith("/") and not shared and os.path.isdir(settings.sysroot + word)
        yield settings.sysroot + word if there else word
