"""The declarations of a `vmlinux.h`: which words mean each one, what each one needs, and what a set of words needs.

A declaration that is kept keeps what it needs to be complete. One thing may stay incomplete: the struct behind a plain
member `struct X *member`, unless a word means X or names the member. In BTF such a pointer leads to a forward
declaration anyway (LLVM's BTFDebug::visitDerivedType), so the object is the same; `const`, arrays and functions lead
further.
"""

from __future__ import annotations

import os
from _bisect import bisect_left  # bisect itself, without its Python half
from mmap import MAP_PRIVATE, PROT_READ, mmap

from bpfgen.cc import VMLINUX

TYPE_CHECKING = False  # typing's own costs 9 ms
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FILE, LOCK = "vmlinux.index", "vmlinux.lock"
ARRAYS = 10
BUCKETS = 4093
"""Words are kept in so many groups."""


def bucket(word: bytes) -> int:
    """The group of a word, by its last letters: `bpf_` alone begins 3,000."""
    return int.from_bytes(word[-3:], "big") % BUCKETS


class Index:
    """What `declarations.parse` finds in a header. Loading it reads next to nothing, for it happens in every compile.

    Numbers are in two arrays: those of row N are `values[starts[N]:starts[N + 1]]`.
    """

    def __init__(self, words: bytes | mmap, base: int, *arrays: Sequence[int]) -> None:
        self.words = words
        """From `base` on, every word that matters, each with a line break before and after it, by group: names, and
        members that are plain pointers to structs. One piece, because 40,000 take 3 ms to make."""
        self.base = base
        self.buckets, self.starts, self.named, self.named_starts, *more = arrays
        """Where each group starts, and where the last one ends; where each word starts; the declarations that a source
        means by it."""
        self.hard, self.hard_starts, self.soft, self.soft_starts, self.always, self.ends = more
        """Declaration → those that it needs; declaration → pairs: the word of a member that is a plain pointer to a
        struct, and a declaration of the struct. Declarations that are kept whatever a source says: directives, and what
        wasn't understood. Where each declaration starts and ends in the header, in bytes."""

    def find(self, word: bytes) -> int:
        """The number of a word; -1 where it doesn't matter."""
        group = bucket(word)
        base = self.base
        # The line break behind a group is the one before the next.
        at = self.words.find(b"\n%b\n" % word, base + self.buckets[group], base + self.buckets[group + 1] + 1)
        return bisect_left(self.starts, at - base) if at >= 0 else -1


class Stale(Exception):
    """There is no index, or it is of another header."""


def mark(header: str) -> bytes:
    """How the index of a header begins: `bpfgen index`, then sizes and times of the header, and of the code that makes
    indexes. Raises OSError.
    """
    stats = [os.stat(path) for path in (header, f"{__file__.rpartition('/')[0]}/declarations.py", __file__)]
    return b"bpfgen index " + b" ".join([b"%d %d" % (stat.st_size, stat.st_mtime_ns) for stat in stats]) + b"\n"


def dump(index: Index) -> bytes:
    """What follows the mark in the file that `load` reads: a line with the length of each array, then the arrays, which
    are of C's `unsigned int`, then the words.
    """
    arrays = (index.buckets, index.starts, index.named, index.named_starts, index.hard, index.hard_starts)
    more = (index.soft, index.soft_starts, index.always, index.ends)
    rows = [bytes(memoryview(array)) for array in (*arrays, *more)]  # type: ignore[arg-type]
    pieces = [*rows, bytes(index.words)]
    return b" ".join([b"%d" % len(piece) for piece in pieces]) + b"\n" + b"".join(pieces)


def refusal(reason: str) -> bytes:
    """The same for a header that can't be reduced."""
    return f"refused: {reason}\n".encode()


def load(folder: str) -> Index:
    """The index of the `vmlinux.h` in a folder; raises Stale, OSError where there is no header, or ValueError with the
    reason where it can't be reduced.
    """
    start = mark(f"{folder}/{VMLINUX}")
    try:
        with open(f"{folder}/{FILE}", "rb") as file:
            data = mmap(file.fileno(), 0, MAP_PRIVATE, PROT_READ)  # of the file that is open, whatever comes after it
        end = data.find(b"\n", len(start)) if data[: len(start)] == start else -1
        line = data[len(start) : max(end, 0)]
        if not line.startswith(b"refused: "):
            return _parted(data, end + 1, list(map(int, line.split())))
    except (OSError, ValueError, TypeError) as error:
        raise Stale from error
    raise ValueError(line.partition(b" ")[2].decode())


def _parted(data: mmap, at: int, sizes: list[int]) -> Index:
    """The index in what was read; raises ValueError or TypeError where that is damaged."""
    if len(sizes) != ARRAYS + 1 or at + sum(sizes) != len(data):
        raise ValueError("of another length")
    view = memoryview(data)
    arrays = []
    for size in sizes[:-1]:
        arrays.append(view[at : at + size].cast("I"))
        at += size
    return Index(data, at, *arrays)


def kept(index: Index, words: Iterable[bytes]) -> list[int]:
    """The declarations that sources with these words need, in the order of the header."""
    meant = {index.find(word) for word in words}
    meant.discard(-1)
    todo = list(index.always)
    for number in meant:
        todo += index.named[index.named_starts[number] : index.named_starts[number + 1]]
    found: set[int] = set()
    hard, hard_starts, soft, soft_starts = index.hard, index.hard_starts, index.soft, index.soft_starts
    while todo:
        number = todo.pop()
        if number in found:
            continue
        found.add(number)
        todo += hard[hard_starts[number] : hard_starts[number + 1]]
        for at in range(soft_starts[number], soft_starts[number + 1], 2):
            if soft[at] in meant:
                todo.append(soft[at + 1])
    return sorted(found)


KEYWORDS = b"#if defined(struct) || defined(union)\n#error a macro has the name of a keyword\n#endif"
"""What is a plain pointer to a struct is so by its words; then clang fails, and gets the whole header."""


def text(index: Index, header: bytes | mmap, numbers: Iterable[int]) -> bytes:
    """The declarations of a header, one below the other."""
    ends = index.ends
    parts = [KEYWORDS, *[header[ends[2 * number] : ends[2 * number + 1]] for number in numbers]]
    return b"\n".join(parts) + b"\n"
