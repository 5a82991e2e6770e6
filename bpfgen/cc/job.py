"""What one edge does, from its words; and how clang is run."""

from __future__ import annotations

import os

from bpfgen.cc import VMLINUX
from bpfgen.cc.lean import hidden, without_dwarf

SIGTERM = 15  # the module that knows it takes 2 ms to import
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
        self.session = options.get("-r", [""])[0]
        self.sysroot = options.get("-s", [""])[0]
        self.kept = options.get("-k", [])
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
        self.lean = "lean" in own
        self.scripted = "script" in own.get("lean", ())
        """Whether the compiler is a script that has the words for that."""
        self.made = own.get("made", [""])[0]
        """What the shell had clang make, without DWARF; empty where clang is still to be run."""
        self.bare = bool(self.made)
        """Whether the object is one that was compiled without DWARF from the whole source."""
        self.ahead = own.get("ahead", [""])[0]
        """The process that compiles already, with the reduced header of last time; empty where there is none."""
        self.reduced = f"{self.out}/fast/{self.output[len(self.out) + 1 :]}"
        """The folder of the reduced header."""

    def start(self, words: list[str]) -> Run:
        """Starts a command, here or in the builder's session; raises OSError."""
        if not self.session:
            return Run(words)
        from bpfgen.cc.session import SessionRun

        return SessionRun(self.session, words)

    def local(self, path: str) -> str:
        """Where a path of the builder's is on this host."""
        if not self.sysroot or not path.startswith("/"):
            return path
        below = any(path == folder or path.startswith(f"{folder}/") for folder in self.kept)
        return path if below else self.sysroot + path

    def read(self, depfile: str) -> list[str]:
        """The files of a depfile that clang wrote; without those that are in a builder's image and not on this host:
        the image's id stands for them. Raises OSError.
        """
        from bpfgen.cc.depfile import read

        files = read(depfile)
        if not self.sysroot:
            return files
        pairs = ((file, self.local(file)) for file in files)
        return [local for file, local in pairs if local == file or os.path.exists(local)]

    @property
    def header(self) -> str:
        """The whole header."""
        return f"{self.vmlinux}/{VMLINUX}"

    @property
    def reduced_header(self) -> str:
        """What stands in for it."""
        return f"{self.reduced}/{VMLINUX}"

    def wake(self) -> None:
        """Has the builder's session start, if there is one: what comes first may take longer. Raises OSError."""
        if self.session:
            from bpfgen.cc.session import wake

            wake(self.session)

    def with_header(self, folder: str) -> list[str]:
        """The flags, with another folder in the place of that of the whole header."""
        return [folder if word == self.vmlinux else word for word in self.flags]

    def compile(self, flags: list[str], output: str) -> list[str]:
        """The command for the source."""
        last = ["-MD", "-MF", self.depfile, *TARGET, "-c", self.source, "-o", output]
        return [*self.launcher, *flags, *last]

    def compile_reduced(self, output: str) -> list[str]:
        """The command for the source with the reduced header."""
        flags = self.with_header(self.reduced)
        return self.compile_lean(flags, output) if self.lean else self.compile(flags, output)

    def compile_lean(self, flags: list[str], output: str) -> list[str]:
        """The command for the source, without DWARF."""
        target = flags[flags.index("-target") + 1]
        words = [hidden(target)] if self.scripted else without_dwarf(target)
        return self.compile([*flags, *words], output)


OWN = "--bpfgen-"


def other_words(argv: list[str]) -> list[str]:
    """Clang's words where they are neither a compile nor a link; empty where they are."""
    words = _parted(argv[argv.index("--") + 1 :])[1]
    return words if "-E" in words or "-o" not in words else []


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


class Run:
    """A command that was started."""

    def __init__(self, words: list[str]) -> None:
        """Starts it; raises OSError."""
        self.running = True
        self._name = words[0]
        self._messages, write = os.pipe()
        actions = [
            (os.POSIX_SPAWN_DUP2, write, 2),
            (os.POSIX_SPAWN_CLOSE, write),
            (os.POSIX_SPAWN_CLOSE, self._messages),
        ]
        try:
            self._process = os.posix_spawnp(words[0], words, os.environ, file_actions=actions)
        finally:
            os.close(write)

    def end(self) -> tuple[int, bytes]:
        """Waits for its end; the exit code as a shell gives it, and what was written to the standard error."""
        self.running = False
        with open(self._messages, "rb") as messages:
            said = messages.read()
        status = os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])
        return _ended(self._name, status, said)

    def stop(self) -> None:
        """Ends it, if it still runs; what it made is of no use."""
        if self.running:
            os.kill(self._process, SIGTERM)
            self.end()


class Ahead(Run):
    """A command that was started before this process was what it is (see `graph.Ahead`)."""

    def __init__(self, process: int, messages: str) -> None:
        self.running = True
        self._name = "clang"
        self._process = process
        self._path = messages

    def end(self) -> tuple[int, bytes]:
        """As `Run.end`."""
        self.running = False
        status = os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])
        try:
            with open(self._path, "rb") as messages:
                said = messages.read()
            os.unlink(self._path)
        except FileNotFoundError:  # it was ended before it was clang
            said = b""
        return _ended(self._name, status, said)


def _ended(name: str, status: int, said: bytes) -> tuple[int, bytes]:
    """What `Run.end` returns; `status` is negative for a signal."""
    if status < 0:
        said += f"{name} was ended by signal {-status}\n".encode()
    return (status if status >= 0 else 128 - status), said


def first_error(messages: bytes) -> str:
    """The line of clang's messages that says why it failed."""
    lines = messages.decode(errors="replace").splitlines() or ["it says nothing"]
    return next((line for line in lines if "error: " in line), lines[0])
