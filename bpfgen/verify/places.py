"""Kernels that run already: this machine's, and that of a machine which ssh reaches."""

from __future__ import annotations

import io
import os
import platform
import tarfile
import tempfile
from collections.abc import Callable, Sequence

from bpfgen.errors import EXIT_FAILED, Failure, Problem
from bpfgen.files import write_if_changed
from bpfgen.frozen import frozen
from bpfgen.verify.job import Item, files
from bpfgen.verify.machine import HOST, Ran
from bpfgen.verify.process import Deadlines, talk
from bpfgen.verify.protocol import SILENT, Event


@frozen
class Here:
    """The running kernel."""

    loader: str
    deadlines: Deadlines

    def run(self, items: Sequence[Item], note: Callable[[Event], None]) -> Ran:
        """By the loader as a process, in a folder that is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="bpfgen-verify-") as folder:
            for path, data in files(items, ()):
                write_if_changed(os.path.join(folder, path), data)
            return Ran(talk((os.path.abspath(self.loader), folder), self.deadlines, note), "", "")

    def failure(self, ran: Ran) -> Problem:
        """What the loader said instead."""
        return _failure("the loader", ran)


def here_arch() -> str:
    """This machine's architecture. Raises `Failure` where nothing can be loaded into its kernel."""
    if platform.system() != "Linux":
        hint = "name kernel targets, and they run in virtual machines; or a Linux machine:  --ssh HOST"
        raise Failure([Problem(None, f"{platform.system()} loads no BPF objects", hint)], EXIT_FAILED)
    if os.geteuid() != 0:
        hint = "run  sudo bpfgen verify --running  or, without root, a kernel target in a virtual machine"
        raise Failure([Problem(None, "loading objects into the running kernel takes root", hint)], EXIT_FAILED)
    return known_arch(platform.machine())


def known_arch(name: str) -> str:
    """Go's name of what `uname -m` says. Raises `Failure`."""
    if name not in HOST:
        raise Failure([Problem(None, f"no loader is known for {name}", f"there are some for {', '.join(HOST)}")])
    return HOST[name]


@frozen
class There:
    """The kernel of another machine."""

    words: tuple[str, ...]
    """Of ssh, with its options."""
    host: str
    loader: str
    deadlines: Deadlines

    def run(self, items: Sequence[Item], note: Callable[[Event], None]) -> Ran:
        """By the loader, which goes there with the objects, into a folder that is gone afterwards."""
        words = (*self.words, "--", self.host, SCRIPT)
        return Ran(talk(words, self.deadlines, note, self._archive(items)), "", "")

    def _archive(self, items: Sequence[Item]) -> bytes:
        packed = io.BytesIO()
        with open(self.loader, "rb") as file, tarfile.open(fileobj=packed, mode="w") as archive:
            for path, data, mode in (
                ("loader", file.read(), 0o755),
                *((path, data, 0o644) for path, data in files(items, ())),
            ):
                member = tarfile.TarInfo(path)
                member.size, member.mode = len(data), mode
                archive.addfile(member, io.BytesIO(data))
        return packed.getvalue()

    def failure(self, ran: Ran) -> Problem:
        """What ssh or the loader said instead."""
        return _failure(self.host, ran)


# A login shell of any kind runs it.
SCRIPT = """exec sh -c '
d=$(mktemp -d) || exit 1
trap "rm -rf $d" EXIT
trap "exit 1" HUP INT TERM PIPE
cd "$d" && tar -xf - || exit 1
if [ "$(id -u)" = 0 ]; then ./loader .; else sudo -n ./loader .; fi'"""


def _failure(name: str, ran: Ran) -> Problem:
    found = ran.talk.heard
    if found.ended == SILENT:
        return Problem(
            None, f"{name} says nothing any more", "boot and timeout  in [verify] are the seconds it may take"
        )
    said = found.trouble or (ran.talk.said.splitlines() or [f"it ends with {ran.talk.code}"])[-1]
    hint = "its user must be root, or may run  sudo -n" if "sudo" in said or "password" in said else ""
    return Problem(None, f"{name} loads nothing: {said}", hint)
