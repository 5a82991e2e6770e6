"""The project's files on a remote machine: brought there by rsync when they aren't what they were the last time."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping

from bpfgen.builders import Unavailable
from bpfgen.builders.paths import Paths
from bpfgen.builders.settings import Settings
from bpfgen.builders.ssh import over
from bpfgen.cc import VMLINUX

LEAVE_OUT = (".*", "*.o", "*.a", "*.so", "__pycache__", "node_modules")
"""Patterns of names that no compile reads, unless a folder of headers has one."""
_LEFT_OUT = re.compile(r"\..*|.*\.(?:o|a|so)|__pycache__|node_modules", re.DOTALL)
GENERATED = ("build.ninja", "compile_commands.json")
MARKS = "m"
"""The folder of marks, below bpfgen's own there."""
VANISHED = 24
"""rsync's code for a file that went away meanwhile (rsync(1), "EXIT VALUES"); the next look says so."""

DISCONNECTED = 255
"""ssh's code (ssh(1), "EXIT STATUS"), which rsync hands on."""

Stamps = dict[str, tuple[int, ...]]


class Disconnected(Unavailable):
    """There is no connection any more."""


class Mirror:
    """Folders of this host, and what their files were when they were copied. Threads share it.

    The machine keeps a mark of what a copy is of, so that a new session need not have rsync compare them.
    """

    def __init__(self, settings: Settings, paths: Paths, marks: Mapping[str, str]) -> None:
        """`marks` are those that are there, by file."""
        remote = settings.remote
        assert remote is not None
        self._root, self._remote, self._paths, self._marks = settings.root, remote, paths, marks
        self._outside = settings.readable[2:]
        """Without the project, and bpfgen's own, whose files go with the commands."""
        self._known: dict[str, Stamps] = {settings.root: {}} if remote.copied else {}
        self._lock = threading.Lock()
        self._looked = -1.0

    def refresh(self, asked: float, words: Iterable[str]) -> None:
        """Brings over what has changed; `asked` is when the command came, on the monotonic clock. Raises Unavailable.

        A look that began after that is as good as one of its own.
        """
        with self._lock:
            new = [folder for word in words for folder in self._folder(word) if folder not in self._known]
            if self._looked > asked and not new:
                return
            self._known.update((folder, {}) for folder in new)
            looked = time.monotonic()
            for folder, before in self._known.items():
                if before and f"{folder}/".startswith(tuple(f"{place}/" for place in self._remote.mapped)):
                    continue  # what is installed stays as it is
                now = dict(self._stamps(folder))
                if now != before or folder in new:
                    self._bring(folder, now, not before)
                    self._known[folder] = now
            self._looked = looked

    def _bring(self, folder: str, now: Stamps, first: bool) -> None:
        name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        mark = hashlib.sha256(repr(sorted(now.items())).encode(errors="surrogatepass")).hexdigest()
        # Of one that this session has copied before, the mark is old.
        if not first or self._marks.get(name) != mark:
            self._copy(folder, f"{self._remote.base}/{MARKS}/{name}", mark)

    def _folder(self, word: str) -> Iterator[str]:
        """The folder that a word names, where that isn't one of the project that is copied anyway."""
        path = word.removeprefix("-I")
        if not path or path.startswith("-") or not ("/" in path or path.startswith(".")):
            return
        path = os.path.normpath(os.path.join(self._root, path))
        below = path[len(self._root) + 1 :]
        if path == self._root or path.startswith(f"{self._root}/"):
            out = f"{below}/".startswith(f"{self._remote.out}/")
            own = f"{below}/".startswith(f"{self._remote.out}/fast/")
            hidden = any(_LEFT_OUT.fullmatch(part) for part in below.split("/"))
            if not self._remote.copied or own or not (out or hidden):
                return
        elif not any(f"{path}/".startswith(f"{folder}/") for folder in self._outside):
            return
        if os.path.isdir(path):
            yield path
        elif os.path.isfile(path) and not path.startswith(f"{self._root}/{self._remote.out}/"):
            yield os.path.dirname(path)

    def _stamps(self, top: str) -> Iterator[tuple[str, tuple[int, ...]]]:
        """What tells each file from what it was."""
        out = os.path.join(self._root, self._remote.out)
        pending, seen = [top], set()
        while pending:
            folder = pending.pop()
            try:
                entries = list(os.scandir(folder))
                here = os.stat(folder)
            except OSError:  # it isn't there yet, or any more
                continue
            if (here.st_dev, here.st_ino) in seen:
                continue
            seen.add((here.st_dev, here.st_ino))
            for entry in entries:
                if _LEFT_OUT.fullmatch(entry.name) or entry.path == out or _is_generated(entry, self._root):
                    continue
                try:
                    found = entry.stat()
                    folder_too = entry.is_dir()
                except OSError:  # a link to nothing
                    continue
                if folder_too:
                    pending.append(entry.path)
                elif not top.startswith(f"{out}/vmlinux/") or entry.name == VMLINUX:
                    yield entry.path, (found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns)

    def _copy(self, folder: str, note: str, mark: str) -> None:
        """By rsync, which the shell there has make the note once it is done."""
        target = self._paths.there(folder)
        made = " ".join(map(shlex.quote, (target, os.path.dirname(note))))
        there = f'mkdir -p {made} && : >{shlex.quote(note)} && rsync "$@" && echo {mark} >{shlex.quote(note)}'
        # Times to the nanosecond: with seconds, an edit that leaves the size would be missed (rsync(1)).
        words = [
            "rsync",
            "-rtpl",
            "--copy-unsafe-links",
            "--delete",
            "--modify-window=-1",
            "-s",
            *self._filters(folder),
        ]
        words += ["-e", " ".join(over(self._remote.control)), f"--rsync-path=sh -c {shlex.quote(there)} rsync"]
        try:
            done = subprocess.run(
                [*words, "--", f"{folder}/", f"bpfgen:{target}/"],
                check=False,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
            )
        except FileNotFoundError as error:
            raise Unavailable("there is no rsync\n  hint: install it from your system's packages") from error
        problems = [line for line in done.stderr.splitlines() if line and "has no referent" not in line]
        if done.returncode in {0, VANISHED} or not [line for line in problems if not line.startswith("rsync error")]:
            return
        if done.returncode == DISCONNECTED:
            raise Disconnected(f"the connection to {self._remote.name} ended: {problems[0]}")
        raise self._failure(problems)

    def _failure(self, problems: list[str]) -> Unavailable:
        name = self._remote.name
        if any("rsync: not found" in line or "rsync: command not found" in line for line in problems):
            return Unavailable(f"{name} has no rsync\n  hint: install it there, or share the project and set path")
        return Unavailable(f"the project can't be copied to {name}: {problems[0]}")

    def _filters(self, folder: str) -> Iterator[str]:
        if folder == self._root:
            out = re.sub(r"([*?\[\\])", r"\\\1", self._remote.out)
            yield from (f"--exclude=/{name}" for name in (*GENERATED, out))
        elif folder.startswith(os.path.join(self._root, self._remote.out, "vmlinux", "")):
            yield from (f"--include=/{VMLINUX}", "--exclude=*")  # beside it is what is made on this host from it
        yield from (f"--exclude={name}" for name in LEAVE_OUT)


def _is_generated(entry: os.DirEntry[str], root: str) -> bool:
    return entry.name in GENERATED and os.path.dirname(entry.path) == root
