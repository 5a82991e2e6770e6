"""What one edge does, from its words; and how clang is run."""

from __future__ import annotations

import os

from bpfgen.cc import depfile
from bpfgen.cc.scan import VMLINUX

OBJECT = ".bpf.o"
COMPILE = ("-c", "SOURCE", "-o", "OUTPUT")
"""How clang's words end in a compile."""


class Job:
    """One edge: `OPTIONS -- CLANG…` (see `cc.main`)."""

    def __init__(self, argv: list[str]) -> None:
        split = argv.index("--")
        options: dict[str, list[str]] = {}
        for option, value in zip(argv[:split:2], argv[1:split:2]):
            options.setdefault(option, []).append(value)
        self.clang = argv[split + 1 :]
        self.launcher = options.get("-l", [])
        out = options["-o"][0]
        self.output = self.clang[-1]
        name = self.output[len(f"{out}/debug/") :]
        self.object = f"{out}/obj/{name}" if name.endswith(OBJECT) else ""
        """Empty where the output is no object yet."""
        self.depfile = f"{self.object or self.output}.d" if "-MD" in self.clang else ""
        """Where Ninja looks for it; empty where all that is read stands in the Ninja file."""
        self.vmlinux = options.get("-v", [""])[0]
        self.reduced = f"{out}/fast/{name[: -len(OBJECT)] if self.object else name}"
        self.builtin = options.get("-b", [])
        self.source = self.clang[-3]
        self.environment = [variable.partition("=")[::2] for variable in options.get("-e", [])]

    @property
    def header(self) -> str:
        """The whole header."""
        return f"{self.vmlinux}/{VMLINUX}"

    @property
    def reduced_header(self) -> str:
        """What stands in for it."""
        return f"{self.reduced}/{VMLINUX}"

    def with_reduced(self) -> list[str]:
        """Clang's words, with the folder of the reduced header in the place of that of the whole one."""
        return [self.reduced if word == self.vmlinux else word for word in self.clang]

    def with_depfile(self, words: list[str]) -> list[str]:
        """Words of clang's that write the depfile; its target is one letter, since clang doesn't escape colons."""
        return [*words, "-MF", self.depfile, "-MT", "o"]

    def read(self) -> list[str]:
        """The files that the depfile of the last run of clang has."""
        with open(self.depfile, encoding="utf-8", errors="surrogateescape") as file:
            return depfile.parse(file.read())


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
