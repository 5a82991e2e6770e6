"""One edge of clang's: `OPTIONS -- CLANG…`, where clang's words end with `-o OUT/debug/NAME`.

  -o OUT      the output folder: where NAME ends in `.bpf.o`, the object is stripped to OUT/obj/NAME
  -l WORD     a word of the launcher, which clang's own are appended to (again and again)
  -v FOLDER   where vmlinux.h and its index are; clang's words name the folder too
  -b FOLDER   a folder that clang searches by itself (again and again)
  -e NAME=X   an environment variable of clang's, where it isn't set (again and again)

A compile has `-MD` and ends with `-c SOURCE -o …`; beside what Ninja waits for, it leaves `NAME.d`: every file that
clang read, and every one that the reduced header comes from. A reduced header is only ever a first try: where clang
fails with it, the whole header is next, and what clang then says is what counts.
"""

from __future__ import annotations

import os
import sys

from bpfgen.cc import HOW, depfile
from bpfgen.cc.index import FILE, kept, load
from bpfgen.cc.job import Job, first_error, run
from bpfgen.cc.scan import Refused, normal
from bpfgen.cc.words import attempts, write_header
from bpfgen.files import write_if_changed
from bpfgen.strip import BadObject, strip

EXIT_FAILED, EXIT_INTERRUPTED = 1, 130


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
        status, messages = run([*job.launcher, *job.clang])
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
    files: list[str] = []
    how = ""
    if job.vmlinux:
        os.makedirs(job.reduced, exist_ok=True)
        how, files = _compile_reduced(job)
        write_if_changed(f"{job.reduced}/{HOW}", f"{how}\n".encode())
    if not how.startswith("reduced"):
        status, messages = run([*job.launcher, *job.with_depfile(job.clang)])
        _show(messages)
        if status:
            return status
    _write_depfile(job, files)
    return 0


def _compile_reduced(job: Job) -> tuple[str, list[str]]:
    """Compiles with a reduced header, unless there are reasons not to; how it went, and the files that decided it."""
    files: list[str] = []
    try:
        index = load(f"{job.vmlinux}/{FILE}")
        for words in attempts(job, index):
            files = words.files
            if not words.reads_header:
                return "whole: no vmlinux.h is included", files
            declarations = kept(index, words.words)
            write_header(job, index, declarations)
            status, messages = run([*job.launcher, *job.with_depfile(job.with_reduced())])
            if status:
                return f"whole: clang refuses the reduced one: {first_error(messages)}", files
            read = set(map(normal, job.read()))
            _refuse_read(job, read, messages)
            words.overlooked = sorted(read.difference(files, [normal(job.reduced_header)]))
            if not words.overlooked:
                _show(messages)
                by = f", by clang's preprocessor, as {words.why_clang}" if words.why_clang else ""
                return f"reduced: {len(declarations)} of {len(index.ends) // 2} declarations{by}", files
        return f"whole: nothing names {words.overlooked[0]}, which clang reads", files
    except (Refused, ValueError, IndexError, OSError) as reason:
        return f"whole: {reason}", files


def _refuse_read(job: Job, read: set[str], messages: bytes) -> None:
    """Raises Refused for files and messages that come out otherwise with the whole header."""
    if normal(job.header) in read:
        raise Refused("clang finds the whole one by itself")
    precompiled = next((file for file in sorted(read) if file.endswith((".pch", ".gch"))), "")
    if precompiled:
        raise Refused(f"{precompiled} is precompiled")
    if os.fsencode(job.reduced_header) in messages:
        raise Refused("clang's messages show lines of it")


def _write_depfile(job: Job, looked_at: list[str]) -> None:
    """Puts the header itself in the place of the reduced one, and adds what that comes from."""
    reduced = job.reduced_header
    files = dict.fromkeys(job.header if file == reduced else file for file in job.read())
    known = set(map(normal, files))
    files.update(dict.fromkeys(file for file in looked_at if file not in known))
    with open(job.depfile, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(depfile.render(job.object or job.output, list(files)))


def _show(messages: bytes) -> None:
    sys.stderr.buffer.write(messages)
    sys.stderr.flush()
