"""One edge of clang's: `OPTIONS -- CLANG…`, where clang's words end with `-o OUT/debug/NAME`.

  -o OUT      the output folder: where NAME ends in `.bpf.o`, the object is stripped to OUT/obj/NAME
  -v FOLDER   where vmlinux.h and its index are; clang's words name the folder too
  -b FOLDER   a folder that clang searches by itself (again and again)
  -a SOURCE   another source of the same program, whose words count too (again and again)
  -e NAME=X   an environment variable of clang's, where it isn't set (again and again)

A compile has `-MD` and ends with `-c SOURCE -o …`; beside what Ninja waits for, it leaves `NAME.d`: every file that
clang read, and every one that the reduced header comes from. A reduced header is only ever a first try: where clang
fails with it, the whole header is next, and what clang then says is what counts.
"""

from __future__ import annotations

import os
import sys

from bpfgen.cc import HOW, depfile
from bpfgen.cc.index import FILE, kept, load, text
from bpfgen.cc.scan import VMLINUX, WORD, Folders, Refused, Scan
from bpfgen.files import write_if_changed
from bpfgen.strip import BadObject, strip

OBJECT = ".bpf.o"
ROUNDS = 3
"""Tries to name every file that clang reads; it takes two where a flag names one."""
EXIT_FAILED, EXIT_INTERRUPTED = 1, 130


class Job:
    """What one edge does, from its words."""

    def __init__(self, argv: list[str]) -> None:
        split = argv.index("--")
        options: dict[str, list[str]] = {}
        for option, value in zip(argv[:split:2], argv[1:split:2]):
            options.setdefault(option, []).append(value)
        self.clang = argv[split + 1 :]
        out = options["-o"][0]
        self.output = self.clang[-1]
        name = self.output[len(f"{out}/debug/") :]
        self.object = f"{out}/obj/{name}" if name.endswith(OBJECT) else ""
        """Empty where the output is no object yet."""
        self.reduced = f"{out}/fast/{name[: -len(OBJECT)] if self.object else name}"
        self.depfile = f"{self.object or self.output}.d" if "-MD" in self.clang else ""
        """Where Ninja looks for it; empty where all that is read stands in the Ninja file."""
        self.vmlinux = options.get("-v", [""])[0]
        self.builtin = options.get("-b", [])
        self.sources = [self.clang[-3], *options.get("-a", [])]
        self.environment = [variable.partition("=")[::2] for variable in options.get("-e", [])]


def main() -> int:
    """Runs the edge that the process's arguments name; returns the exit code."""
    try:
        return _run(Job(sys.argv[1:]))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except OSError as error:
        print(f"{error.filename or 'bpfgen'}: error: {error.strerror or error}", file=sys.stderr)
        return EXIT_FAILED


def _run(job: Job) -> int:
    for name, value in job.environment:
        os.environ.setdefault(name, value)
    for path in filter(None, (job.output, job.depfile)):
        os.makedirs(os.path.dirname(path), exist_ok=True)
    if job.depfile:
        status = _compile(job)
    else:
        status, messages = _clang(job.clang)
        _show(messages)
    return _strip(job) if job.object and not status else status


def _strip(job: Job) -> int:
    with open(job.output, "rb") as file:
        data = file.read()
    try:
        stripped = strip(data)
    except BadObject as error:
        print(f"{job.output}: error: the object {error}", file=sys.stderr)
        return EXIT_FAILED
    write_if_changed(job.object, stripped)
    return 0


def _compile(job: Job) -> int:
    """The compile and its depfile, the fast way if it can be."""
    scanned: list[str] = []
    how = ""
    if job.vmlinux:
        try:
            how, scanned = _compile_reduced(job)
        except (Refused, ValueError, OSError) as refusal:
            how = f"whole: {refusal}"
        os.makedirs(job.reduced, exist_ok=True)
        write_if_changed(f"{job.reduced}/{HOW}", f"{how}\n".encode())
    if not how.startswith("reduced"):
        status, messages = _clang([*job.clang, *_dependencies(job)])
        _show(messages)
        if status:
            return status
    _write_depfile(job, scanned)
    return 0


def _compile_reduced(job: Job) -> tuple[str, list[str]]:
    """Compiles with a reduced header, unless there are reasons not to; how it went, and the files that were scanned.

    Raises Refused, ValueError or OSError where the header can't be reduced.
    """
    header = f"{job.vmlinux}/{VMLINUX}"
    reduced = f"{job.reduced}/{VMLINUX}"
    words = [job.reduced if word == job.vmlinux else word for word in job.clang]
    overlooked: list[str] = []
    for _ in range(ROUNDS):
        scan = scanned(job, overlooked)
        if not scan.reads_header:
            return "whole: no vmlinux.h is included", list(scan.files)
        count = _reduce(job, header, reduced, scan.all_words())
        status, messages = _clang([*words, *_dependencies(job)])
        if status:
            return f"whole: clang refuses the reduced one: {_first_error(messages)}", list(scan.files)
        read = {os.path.normpath(file) for file in _read(job.depfile)}
        unknown = read - scan.files.keys() - {os.path.normpath(reduced)}
        if not unknown:
            _show(messages)
            return f"reduced: {count}", list(scan.files)
        overlooked += sorted(unknown)
    raise Refused(f"clang reads files that nothing names: {overlooked[-1]}")


def _reduce(job: Job, header: str, path: str, words: set[bytes]) -> str:
    """Writes the declarations of a header that these words need; says how many they are."""
    index = load(f"{job.vmlinux}/{FILE}")
    numbers = kept(index, words)
    descriptor = os.open(header, os.O_RDONLY)
    try:
        write_if_changed(path, text(index, descriptor, numbers))
    finally:
        os.close(descriptor)
    return f"{len(numbers)} of {len(index.ends) // 2} declarations"


def scanned(job: Job, more: list[str]) -> Scan:
    """The words of a compile: of its sources, of `more` files, and of the macros on its command line."""
    scan = Scan(Folders(job.clang, job.builtin), f"{job.vmlinux}/{VMLINUX}")
    for path in (*job.sources, *more):
        scan.add(path)
    before = ""
    for word in job.clang:
        if "-include-pch" in word or word.startswith("-fmodule"):
            raise Refused(f"clang gets {word}")
        if "-D" in word or before == "-D":
            if "##" in word:
                raise Refused(f"the flag {word} makes names with ##")
            scan.words.update(word.encode(errors="surrogateescape").translate(WORD).split())
        before = word
    return scan


def _clang(words: list[str]) -> tuple[int, bytes]:
    """Runs clang; its exit code, and what it wrote to the standard error."""
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


def _show(messages: bytes) -> None:
    sys.stderr.buffer.write(messages)
    sys.stderr.flush()


def _first_error(messages: bytes) -> str:
    lines = messages.decode(errors="replace").splitlines() or ["it says nothing"]
    return next((line for line in lines if " error: " in line), lines[0])


def _dependencies(job: Job) -> tuple[str, ...]:
    # A target of one letter: clang doesn't escape a colon in a name.
    return ("-MF", job.depfile, "-MT", "o")


def _read(path: str) -> list[str]:
    """The files of a depfile of clang's."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return depfile.parse(file.read())


def _write_depfile(job: Job, scan: list[str]) -> None:
    """Puts the header itself in the place of the reduced one, and adds what that was made from."""
    header = f"{job.vmlinux}/{VMLINUX}"
    files = dict.fromkeys(header if file == f"{job.reduced}/{VMLINUX}" else file for file in _read(job.depfile))
    known = {os.path.normpath(file) for file in files}
    files.update(dict.fromkeys(file for file in scan if file not in known))
    with open(job.depfile, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(depfile.render(job.object or job.output, list(files)))
