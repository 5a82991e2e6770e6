"""`bpfgen bpf2go`, as far as nothing but Ninja is needed: a run with nothing to do imports this, `memo` and `files`.

Each call of bpf2go has a project of its own in `.bpfgen/bpf2go/`, in the module's folder: a `build.toml`, what bpfgen
and Ninja make of it, and a note of the call. What it makes is copied to where bpf2go would write it.
"""

from __future__ import annotations

import os
import sys

from bpfgen import memo
from bpfgen.files import write_if_changed

TYPE_CHECKING = False  # typing's own costs 9 ms
if TYPE_CHECKING:
    from collections.abc import Sequence

VARIABLES = ("BPF2GO_CC", "BPF2GO_CFLAGS", "BPF2GO_MAKEBASE", "BPF2GO_STRIP", "GOFILE", "GOPACKAGE", "V")
"""What bpf2go reads of its environment."""
NOTE, MADE = "call", "go"
"""The note, and the folder of the Go files, in such a project."""


def main(words: Sequence[str]) -> int:
    """Makes what `bpf2go WORDS…` would make in the current folder; returns bpf2go's exit code, or 130."""
    try:
        return _make(words)
    except KeyboardInterrupt:
        return 130


def _make(words: Sequence[str]) -> int:
    here = os.getcwd()
    module = module_folder(here)
    asked = repr((os.path.relpath(here, module), list(words), [os.environ.get(name) for name in VARIABLES]))
    folder = project_folder(module, asked)
    # All that the call's meaning depends on, but for the files that Ninja looks at.
    call = f"{asked} {here} {memo.stamp(os.path.join(module, 'go.mod'))}"
    try:
        with open(os.path.join(folder, NOTE), encoding="utf-8", errors="surrogateescape") as file:
            noted, _, target = file.read().partition("\0")
        if noted == call:
            os.chdir(folder)
            with open("lock", "w", encoding="utf-8") as lock:
                hold(lock.fileno())
                if memo.fresh():
                    return build(here, target)
    except OSError:
        pass  # it is made anew, and fails with a message if need be
    os.chdir(here)
    from bpfgen.bpf2go import direct

    return direct.main(words, call, folder)


def module_folder(folder: str) -> str:
    """The nearest folder at or above this one that has a `go.mod`; the folder itself where none has."""
    above = folder
    while not os.path.exists(os.path.join(above, "go.mod")):
        if above == os.path.dirname(above):
            return folder
        above = os.path.dirname(above)
    return above


def project_folder(module: str, asked: str) -> str:
    """The folder of a call's project; two calls that share one make it anew in turn."""
    from binascii import crc32

    number = crc32(asked.encode("utf-8", "surrogateescape"))
    return os.path.join(module, ".bpfgen", "bpf2go", f"{number:08x}")


def hold(file: int) -> None:
    """Waits until no other run is in this project; the lock goes with the file."""
    import fcntl

    fcntl.flock(file, fcntl.LOCK_EX)


def build(here: str, target: str) -> int:
    """Runs Ninja in the current folder, a call's project, and copies what it made to the folder `target`."""
    code, said = run(ninja(), "--quiet")
    if said:
        from bpfgen.bpf2go.said import translate

        sys.stderr.write(translate(said, os.getcwd(), here))
    if code:
        print("Error: compile: exit status 1", file=sys.stderr)
        return 1
    for name in sorted(os.listdir(MADE)):
        with open(os.path.join(MADE, name), "rb") as file:
            write_if_changed(os.path.join(target, name), file.read())
    return 0


def ninja() -> str:
    """The Ninja that was installed with bpfgen, else the one on PATH."""
    beside = os.path.join(os.path.dirname(sys.executable), "ninja")
    return beside if os.path.exists(beside) else "ninja"


def run(*words: str) -> tuple[int, str]:
    """A command's exit code and what it printed. Without the module subprocess, whose import takes as long as Ninja."""
    read, write = os.pipe()
    try:
        actions = [(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_DUP2, write, 2)]
        child = os.posix_spawnp(words[0], words, os.environ, file_actions=actions)
    except OSError:
        os.close(read)
        raise
    finally:
        os.close(write)
    with open(read, encoding="utf-8", errors="replace") as file:
        text = file.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text
