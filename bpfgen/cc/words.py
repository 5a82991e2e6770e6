"""The words that a compile can name: from the text of its files, or, where that isn't sure to have all, from clang."""

from __future__ import annotations

import os

from bpfgen.cc import flags
from bpfgen.cc.index import Index, kept, text
from bpfgen.cc.job import COMPILE, Job, first_error, run
from bpfgen.cc.scan import WORD, Folders, Refused, Scan, makes_names, normal
from bpfgen.files import write_if_changed

TYPE_CHECKING = False  # typing's own costs 9 ms
if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 3
"""Tries to name every file that clang reads; it takes two where a flag names one."""


class Words:
    """What a compile can name, and the files that this was found in, by their normal paths."""

    def __init__(self, words: set[bytes], files: list[str], reads_header: bool) -> None:
        self.words = words
        self.files = files
        self.reads_header = reads_header
        self.why_clang = ""
        """Why clang was asked."""
        self.overlooked: list[str] = []
        """Files that clang read all the same: then the words are not all."""


def attempts(job: Job, index: Index) -> Iterator[Words]:
    """The words of a job's source, found in the cheapest way first; whoever gets them says what was overlooked.

    Raises Refused where they can't be known.
    """
    more: list[str] = []
    flags.refuse(job.clang)
    try:
        for _ in range(ROUNDS):
            words = from_text(job, more)
            yield words
            more += words.overlooked
    except Refused as reason:
        more = [str(reason)]
    words = from_clang(job, index)
    words.why_clang = more[0]
    yield words


def from_text(job: Job, more: list[str]) -> Words:
    """The words of a job's source, of `more` files, and of the macros on clang's command line; raises Refused."""
    defined = "\n".join(flags.macros(job.clang)).encode(errors="surrogateescape")
    scan = Scan(Folders(job.clang, job.builtin), job.header)
    for path in (job.source, *more):
        scan.add(path)
    scan.pastes = scan.pastes or makes_names("a flag", defined)
    scan.words.update(defined.translate(WORD).split())
    if scan.pastes and scan.reads_header:
        raise Refused(scan.pastes)
    return Words(scan.all_words(), list(scan.files), scan.reads_header)


def from_clang(job: Job, index: Index) -> Words:
    """The words that clang's preprocessor gives, which knows what `##` makes; takes as long as clang takes to start.

    `-dD` keeps the macros: one that is defined before the header changes what the header says. Raises Refused where
    clang fails.
    """
    write_header(job, index, kept(index, ()))
    made = f"{job.reduced}/words"
    clang = job.with_reduced()[: -len(COMPILE)]
    status, messages = run(job.with_depfile([*clang, "-E", "-dD", "-P", job.source, "-o", made]))
    if status:
        raise Refused(f"clang's preprocessor fails: {first_error(messages)}")
    with open(made, "rb") as file:
        said = file.read()
    os.unlink(made)
    words = set(said.translate(WORD).split())
    _refuse_renamed(job, index, words, said)
    files = dict.fromkeys(map(normal, job.read()))
    header = normal(job.reduced_header)
    reads_header = header in files
    files.pop(header, None)
    return Words(words, list(files), reads_header)


def _refuse_renamed(job: Job, index: Index, words: set[bytes], said: bytes) -> None:
    """Raises Refused where a macro has a name that the header uses: clang has not shown what it makes of it there."""
    lines = [line.split(None, 2) for line in said.split(b"\n") if line.startswith(b"#define ")]
    macros = {line[1].partition(b"(")[0] for line in lines}
    numbers = kept(index, words)
    whole = os.open(job.header, os.O_RDONLY)
    try:
        own = text(index, whole, index.always).translate(WORD).split()
        used = text(index, whole, sorted(set(numbers).difference(index.always))).translate(WORD).split()
    finally:
        os.close(whole)
    renamed = sorted(macros.difference(own).intersection(used))
    if renamed:
        raise Refused(f"the macro {renamed[0].decode(errors='replace')} changes it, in ways that only clang knows")


def write_header(job: Job, index: Index, declarations: list[int]) -> None:
    """Writes these declarations of the job's header as its reduced one."""
    whole = os.open(job.header, os.O_RDONLY)
    try:
        write_if_changed(job.reduced_header, text(index, whole, declarations))
    finally:
        os.close(whole)
