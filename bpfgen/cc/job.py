"""What one edge does, from its words; and how clang is run."""

from __future__ import annotations

import os

from bpfgen.cc import depfile
from bpfgen.cc.scan import VMLINUX

TARGET = ("-MT", "o")
"""The depfile's target: one letter, since clang doesn't escape a colon in a name."""


class Job:
    """One edge: `OPTIONS -- CLANG…` (see `cc.main`)."""

    def __init__(self, argv: list[str]) -> None:
        split = argv.index("--")
        options: dict[str, list[str]] = {}
        for option, value in zip(argv[:split:2], argv[1:split:2]):
            options.setdefault(option, []).append(value)
        self.launcher = options.get("-l", [])
        self.out = options["-o"][0]
        self.builtin = options.get("-b", [])
        own, words = _parted(argv[split + 1 :])
        self.strip = "strip" in own
        self.vmlinux = own.get("reduce", [""])[0]
        """The folder of vmlinux.h and its index; empty where the header isn't to be reduced."""
        self.output = _taken(words, "-o")
        self.depfile = _taken(words, "-MF") if "-MF" in words else ""
        """Empty where all that is read stands in the Ninja file."""
        self.source = _taken(words, "-c") if self.depfile else ""
        """Of a compile, which has a depfile."""
        self.flags = words
        self.beside = own.get("beside", [])
        self.reduced = f"{self.out}/fast/{self.output[len(self.out) + 1 :]}"
        """The folder of the reduced header."""

    @property
    def header(self) -> str:
        """The whole header."""
        return f"{self.vmlinux}/{VMLINUX}"

    @property
    def reduced_header(self) -> str:
        """What stands in for it."""
        return f"{self.reduced}/{VMLINUX}"

    def with_reduced(self) -> list[str]:
        """The flags, with the folder of the reduced header in the place of that of the whole one."""
        return [self.reduced if word == self.vmlinux else word for word in self.flags]

    def compile(self, flags: list[str], output: str) -> list[str]:
        """The command for the source."""
        last = ["-MD", "-MF", self.depfile, *TARGET, "-c", self.source, "-o", output]
        return [*self.launcher, *flags, *last]

    def read(self) -> list[str]:
        """The files that the depfile of the last run of clang has."""
        with open(self.depfile, encoding="utf-8", errors="surrogateescape") as file:
            return depfile.parse(file.read())


OWN = "--bpfgen-"


def _parted(words: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Words for the driver, by name, and clang's own. They stand among clang's, so that a cache tells them apart."""
    own: dict[str, list[str]] = {}
    others = []
    for word in words:
        if word.startswith(OWN):
            name, _, value = word[len(OWN) :].partition("=")
            own.setdefault(name, []).append(value)
        else:
            others.append(word)
    return own, others


def _taken(words: list[str], option: str) -> str:
    """Takes an option and its value out of the words; the value."""
    at = words.index(option)
    value = words[at + 1]
    del words[at : at + 2]
    return value


def run(words: list[str]) -> tuple[int, bytes]:
    """Runs a command; its exit code as a shell gives it, and what it wrote to the standard error."""
    read, write = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, write, 2), (os.POSIX_SPAWN_CLOSE, write), (os.POSIX_SPAWN_CLOSE, read)]
    try:
        child = os.posix_spawnp(words[0], words, os.environ, file_actions=actions)
    finally:
        os.close(write)
    with open(read, "rb") as messages:
        said = messages.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status < 0:
        said += f"{words[0]} was ended by signal {-status}\n".encode()
    return (status if status >= 0 else 128 - status), said


def first_error(messages: bytes) -> str:
    """The line of clang's messages that says why it failed."""
    lines = messages.decode(errors="replace").splitlines() or ["it says nothing"]
    return next((line for line in lines if "error: " in line), lines[0])
