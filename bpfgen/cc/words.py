"""The words that a compile can name: from the text of its files, or, where that isn't sure to have all, from clang."""

from __future__ import annotations

from mmap import MAP_PRIVATE, PROT_READ, mmap

from bpfgen.cc import VMLINUX, flags
from bpfgen.cc.index import Index, Stale, kept, load, text
from bpfgen.cc.job import TARGET, Job, first_error
from bpfgen.cc.scan import WORD, Folders, Refused, Scan, makes_names, normal
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
        self.why_clang = ""
        """Why clang was asked."""
        self.overlooked: list[str] = []
        """Files that clang read all the same: then the words are not all."""


def attempts(job: Job) -> Iterator[Words]:
    """The words of a job's source, found in the cheapest way first; whoever gets them says what was overlooked.

    Raises Refused where they can't be known.
    """
    more: list[str] = []
    flags.refuse(job.flags)
    try:
        for _ in range(ROUNDS):
            words = from_text(job, more)
            yield words
            more += words.overlooked
    except Refused as reason:
        more = [str(reason)]
    words = from_clang(job)
    words.why_clang = more[0]
    yield words


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
    """The words of a job's source, of `more` files, and of the macros on clang's command line; raises Refused."""
    defined = "\n".join(flags.macros(job.flags)).encode(errors="surrogateescape")
    scan = Scan(Folders(job.flags, job.builtin), job.header, job.local)
    for path in (job.source, *more):
        scan.add(path)
    scan.pastes = scan.pastes or makes_names("a flag", defined)
    scan.words.update(defined.translate(WORD).split())
    if scan.pastes and scan.reads_header:
        raise Refused(scan.pastes)
    return Words(scan.all_words(), list(scan.files), scan.reads_header)


def from_clang(job: Job) -> Words:
    """The words that clang's preprocessor gives, which knows what `##` makes; takes as long as clang takes to start.

    `-dD` keeps the macros: one that is defined before the header changes what the header says. Raises Refused where
    clang fails.
    """
    index = index_of(job.vmlinux)
    folder = f"{job.reduced}/words"  # for a header that only has what every reduced one has
    names = header, made, dependencies = [f"{folder}/{name}" for name in (VMLINUX, "i", "d")]
    write_if_changed(header, header_text(job, index, kept(index, ())))
    try:
        last = ("-MD", "-MF", dependencies, *TARGET, "-E", "-dD", "-P", job.source, "-o", made)
        status, messages = job.start([*job.with_header(folder), *last]).end()
        if status:
            raise Refused(f"clang's preprocessor fails: {first_error(messages)}")
        with open(made, "rb") as file:
            said = file.read()
        files = dict.fromkeys(map(normal, job.read(dependencies)))
    finally:
        remove(names)
    words = set(said.translate(WORD).split())
    _refuse_renamed(job, index, words, said)
    reads_header = files.pop(normal(header), "") is None
    return Words(words, list(files), reads_header)


def _refuse_renamed(job: Job, index: Index, words: set[bytes], said: bytes) -> None:
    """Raises Refused where a macro has a name that the header uses: clang has not shown what it makes of it there."""
    lines = [(line + b" ").split(b" ", 2)[1:] for line in said.split(b"\n") if line.startswith(b"#define ")]
    macros = {name.partition(b"(")[0]: (b"(" in name, text) for name, text in lines}
    own = header_text(job, index, list(index.always)).translate(WORD).split()
    others = header_text(job, index, sorted(set(kept(index, words)).difference(index.always)))

    def is_odd(name: bytes) -> bool:
        function, text = macros[name]
        if function:  # which is meant only where an argument follows
            return any(after.lstrip().startswith(b"(") for after in others.split(name)[1:])
        # One whose text has no macros is harmless: the words of its text are known.
        return b"##" in text or not macros.keys().isdisjoint(text.translate(WORD).split())

    renamed = sorted(filter(is_odd, (macros.keys() & others.translate(WORD).split()).difference(own)))
    if renamed:
        raise Refused(f"the macro {renamed[0].decode(errors='replace')} changes it, in ways that only clang knows")


def header_text(job: Job, index: Index, declarations: list[int]) -> bytes:
    """These declarations of the job's header."""
    with open(job.header, "rb") as file:
        # An empty file can't be mapped.
        header = mmap(file.fileno(), 0, MAP_PRIVATE, PROT_READ) if declarations else b""
    return text(index, header, declarations)
