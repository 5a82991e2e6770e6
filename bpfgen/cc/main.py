"""One edge of clang's, `OPTIONS -- CLANG…`, or what a cache takes for the compiler.

  -o OUT      the output folder
  -b FOLDER   a folder that clang searches by itself (again and again)
  -r SOCKET   clang is run by the builder's session, which listens there
  -s FOLDER   where the headers of the builder's image are, by their paths in it
  -k FOLDER   a folder that the builder shares with this host (again and again)
  -l WORD     a word of the launcher, which clang's own are appended to (again and again)

Among clang's words stand the driver's own, which clang doesn't get:

  --bpfgen-strip           the output is an object: drop its DWARF
  --bpfgen-reduce=FOLDER   where vmlinux.h and its index are; other words name the folder too
  --bpfgen-lean[=script]   no DWARF is made in the first place, but with a whole vmlinux.h (see `cc.lean`)
  --bpfgen-made=OBJECT     what the shell has compiled so already, with its depfile
  --bpfgen-ahead=PROCESS   one that the shell started and left to this one: it compiles to OUTPUT.tmp with the reduced
                           header that is there, and writes its messages to OUTPUT.said; empty where there is none

A compile has `-MD -MF DEPFILE -c SOURCE -o OUTPUT`, in any order and place. Its depfile has every file that clang read,
and every one that the reduced header comes from. A reduced header is only ever a first try: where clang fails with it,
the whole header is next, and what clang then says is what counts.
"""

from __future__ import annotations

import os
import sys

from bpfgen.cc.job import Ahead, Job, Run, first_error, other_words

# The rest is imported where it is needed: while clang runs, that costs nothing.

EXIT_FAILED, EXIT_INTERRUPTED = 1, 130


def start() -> None:
    """`main` as a process of its own: garbage is left lying, for it ends at once."""
    import gc

    gc.disable()
    status = main()
    sys.stdout.flush()
    os._exit(status)


def main() -> int:
    """Runs the edge that the process's arguments name; returns the exit code."""
    try:
        others = other_words(sys.argv[1:])
        if others:  # what a cache asks the compiler besides
            return _other(sys.argv[1:], others)
        return _run(Job(sys.argv[1:]))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except OSError as error:
        print(f"{error.filename or 'bpfgen'}: error: {error.strerror or error}", file=sys.stderr)
        return EXIT_FAILED


def _run(job: Job) -> int:
    os.makedirs(os.path.dirname(job.output), exist_ok=True)
    # The output is left alone where it doesn't change. A compile that a killed build left waiting for its builder may
    # still come to its end.
    made = job.made or (f"{job.output}.{os.getpid()}.tmp" if job.session else f"{job.output}.tmp")
    try:
        return (0 if job.made else _make(job, made)) or _finish(job, made)
    finally:
        if made != job.output and os.path.exists(made):
            os.unlink(made)


def _make(job: Job, made: str) -> int:
    return _compile(job, made) if job.depfile else _say(job, [*job.launcher, *job.flags, "-o", made])


def _finish(job: Job, made: str) -> int:
    from bpfgen.files import write_if_changed
    from bpfgen.strip import BadObject, mended, strip

    with open(made, "rb") as file:
        data = file.read()
    try:
        write_if_changed(job.output, mended(data) if job.bare else strip(data) if job.strip else data)
    except BadObject as error:
        print(f"{job.output}: error: the object {error}", file=sys.stderr)
        return EXIT_FAILED
    return 0


def _other(argv: list[str], words: list[str]) -> int:
    """Runs a command that is neither a compile nor a link, with all that it writes."""
    if "-r" not in argv[: argv.index("--")]:
        os.execvp(words[0], words)  # noqa: S606 - words, and no shell
    from bpfgen.cc.session import SessionRun

    running = SessionRun(argv[argv.index("-r") + 1], words)
    status, messages = running.end()
    sys.stdout.buffer.write(running.output)
    _show(messages)
    return status


def _say(job: Job, words: list[str]) -> int:
    """Runs a command whose messages count."""
    status, messages = job.start(words).end()
    _show(messages)
    return status


def _compile(job: Job, made: str) -> int:
    """The compile to the file `made`, and its depfile; the fast way if it can be."""
    how, files = _compile_reduced(job, made) if job.vmlinux else ("", [])
    job.bare = job.lean and not job.vmlinux and _compile_lean(job, made)
    done = job.bare or how.startswith("reduced")
    status = 0 if done else _say(job, job.compile(job.flags, made))
    if status == 0:
        _write_depfile(job, files)
    return status


def _compile_lean(job: Job, made: str) -> bool:
    """Whether clang compiles a source without DWARF; where it doesn't, it says why when it is asked the plain way."""
    status, messages = job.start(job.compile_lean(job.flags, made)).end()
    if status == 0:
        _show(messages)
    return status == 0


def _compile_reduced(job: Job, made: str) -> tuple[str, list[str]]:
    """Compiles with a reduced header, unless there are reasons not to; how it went, and the files that decided it."""
    # Nearly always the header that is there is the right one: clang starts with it while that is found out.
    guess: Run | None = None
    if job.ahead:
        guess = Ahead(int(job.ahead), f"{job.output}.said")
    elif os.path.exists(job.reduced_header):
        guess = job.start(job.compile_reduced(made))
    else:
        job.wake()
    from bpfgen.cc import HOW
    from bpfgen.cc.scan import Refused
    from bpfgen.files import write_if_changed

    files: list[str] = []
    try:
        how = _attempt(job, made, guess, files)
    except (Refused, ValueError, IndexError, OSError) as reason:
        how = f"whole: {reason}"
    finally:
        if guess:
            guess.stop()
    write_if_changed(f"{job.reduced}/{HOW}", f"{how}\n".encode())
    return how, files


def _attempt(job: Job, made: str, guess: Run | None, files: list[str]) -> str:
    """Finds the words, writes the header, compiles; how it went. Fills in `files`; raises Refused, ValueError, OSError.

    `guess` is a compile that runs already, with the header that is there.
    """
    from bpfgen.cc.index import kept
    from bpfgen.cc.scan import normal
    from bpfgen.cc.words import attempts, header_text, index_of
    from bpfgen.files import holds, write_if_changed

    for words in attempts(job):
        files[:] = words.files
        if not words.reads_header:
            return "whole: no vmlinux.h is included"
        index = index_of(job.vmlinux)
        declarations = kept(index, words.words)
        text = header_text(job, index, declarations)
        if guess and not holds(job.reduced_header, text):
            guess.stop()
        write_if_changed(job.reduced_header, text)
        compiling = guess if guess and guess.running else job.start(job.compile_reduced(made))
        status, messages = compiling.end()
        if status:
            return f"whole: clang refuses the reduced one: {first_error(messages)}"
        read = set(map(normal, job.read(job.depfile)))
        _refuse_read(job, read, messages)
        words.overlooked = sorted(read.difference(files, [normal(job.reduced_header)]))
        if not words.overlooked:
            _show(messages)
            by = f", by clang's preprocessor, as {words.why_clang}" if words.why_clang else ""
            return f"reduced: {len(declarations)} of {len(index.ends) // 2} declarations{by}"
    return f"whole: nothing names {words.overlooked[0]}, which clang reads"


def _refuse_read(job: Job, read: set[str], messages: bytes) -> None:
    """Raises Refused for files and messages that come out otherwise with the whole header."""
    from bpfgen.cc.scan import Refused, normal

    if normal(job.header) in read:
        raise Refused("clang finds the whole one by itself")
    if os.fsencode(job.reduced_header) in messages:
        raise Refused("clang's messages show lines of it")


def _write_depfile(job: Job, looked_at: list[str]) -> None:
    """Puts the header itself in the place of the reduced one, and adds what that comes from."""
    from bpfgen.cc import depfile
    from bpfgen.cc.scan import normal

    reduced = job.reduced_header
    files = dict.fromkeys(job.header if file == reduced else file for file in job.read(job.depfile))
    known = set(map(normal, files)) if looked_at else set()
    files.update(dict.fromkeys(file for file in looked_at if file not in known))
    with open(job.depfile, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(depfile.render(job.output, list(files)))


def _show(messages: bytes) -> None:
    sys.stderr.buffer.write(messages)
    sys.stderr.flush()
