"""The words that a compile can name: from the text of its files, or, where that isn't sure to have all, from clang."""

from __future__ import annotations

import os

from bpfgen.cc import VMLINUX, depfile
from bpfgen.cc.index import Index, Stale, kept, load, text
from bpfgen.cc.job import TARGET, Job, first_error, run
from bpfgen.cc.scan import WORD, Folders, Refused, Scan
from bpfgen.files import remove, write_if_changed

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
        self.overlooked: list[str] = []
        """Files that clang read all the same: then the words are not all."""


def attempts(job: Job, index: Index) -> Iterator[Words]:
    """The words of a job's sources, found in the cheapest way first; whoever gets them says what was overlooked.

    Raises Refused where they can't be known.
    """
    more: list[str] = []
    try:
        for _ in range(ROUNDS):
            words = from_text(job, more)
            yield words
            more += words.overlooked
    except Refused:
        pass
    yield from_clang(job, index)


def index_of(folder: str) -> Index:
    """The index of the `vmlinux.h` in a folder; it is made where there is none. Raises OSError, or ValueError where the
    header can't be reduced.

    The first compile that needs it makes it, while the others wait: where a cache has every object, none does.
    """
    try:
        return load(folder)
    except Stale:
        from bpfgen.cc.declarations import write  # `re` takes 4 ms to import

        return write(folder)


def from_text(job: Job, more: list[str]) -> Words:
    """The words of a job's sources, of `more` files, and of the macros on clang's command line; raises Refused."""
    scan = Scan(Folders(job.flags, job.builtin), job.header)
    for path in (job.source, *job.beside, *more):
        scan.add(path)
    before = ""
    for word in job.flags:
        if "-D" in word or before == "-D":
            if "##" in word:
                scan.pastes = f"the flag {word} makes names with ##"
            scan.words.update(word.encode(errors="surrogateescape").translate(WORD).split())
        before = word
    if scan.pastes and scan.reads_header:
        raise Refused(scan.pastes)
    return Words(scan.all_words(), list(scan.files), scan.reads_header)


def from_clang(job: Job, index: Index) -> Words:
    """The words that clang's preprocessor gives, which knows what `##` makes; takes as long as clang takes to start.

    `-dD` keeps the macros: one that is defined before the header changes what the header says. Raises Refused where
    clang fails.
    """
    folder = f"{job.reduced}/words"  # for a header that only has what every reduced one has
    names = header, made, dependencies = [f"{folder}/{name}" for name in (VMLINUX, "i", "d")]
    words: set[bytes] = set()
    files: dict[str, None] = {}
    write_if_changed(header, header_text(job, index, kept(index, ())))
    try:
        for source in (job.source, *job.beside):
            last = ("-MD", "-MF", dependencies, *TARGET, "-E", "-dD", "-P", source, "-o", made)
            status, messages = run([*job.with_header(folder), *last])
            if status:
                raise Refused(f"clang's preprocessor fails: {first_error(messages)}")
            with open(made, "rb") as file:
                words.update(file.read().translate(WORD).split())
            files.update(dict.fromkeys(map(os.path.normpath, depfile.read(dependencies))))
    finally:
        remove(names)
    reads_header = files.pop(os.path.normpath(header), "") is None
    return Words(words, list(files), reads_header)


def header_text(job: Job, index: Index, declarations: list[int]) -> bytes:
    """These declarations of the job's header."""
    whole = os.open(job.header, os.O_RDONLY)
    try:
        return text(index, whole, declarations)
    finally:
        os.close(whole)
