"""The declarations of a `vmlinux.h`: which words mean each one, what each one needs, and what a set of words needs.

A declaration that is kept keeps what it needs to be complete. One thing may stay incomplete: the struct behind a plain
member `struct X *member`, unless a word means X or names the member. In BTF such a pointer leads to a forward
declaration anyway (LLVM's BTFDebug::visitDerivedType), so the object is the same; `const`, arrays and functions lead
further.
"""

from __future__ import annotations

import marshal
import os
from _bisect import bisect_left  # bisect itself, without its Python half

TYPE_CHECKING = False  # typing's own costs 9 ms
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAGIC = b"bpfgen index 1\n"
MARSHAL = 4
"""The version of marshal's format that every Python since 3.4 reads and writes."""
FILE = "vmlinux.index"


class Index:
    """What `declarations.parse` finds in a header. Loading copies nothing but the words, for it runs in every compile.

    Numbers are in two arrays: those of row N are `values[starts[N]:starts[N + 1]]`.
    """

    def __init__(self, words: Sequence[bytes], *arrays: Sequence[int]) -> None:
        self.words = words
        """Every word that matters, sorted: names, and members that are plain pointers to structs."""
        self.named, self.named_starts, self.hard, self.hard_starts, self.soft, self.soft_starts, *more = arrays
        """Word → declarations that a source means by it; declaration → those that it needs; declaration → pairs: the
        word of a member that is a plain pointer to a struct, and a declaration of the struct."""
        self.always, self.ends = more
        """Declarations that are kept whatever a source says: directives, and what wasn't understood. Where each
        declaration starts and ends in the header, in bytes."""

    def find(self, word: bytes) -> int:
        """The number of a word; -1 where it doesn't matter."""
        at = bisect_left(self.words, word)
        return at if at < len(self.words) and self.words[at] == word else -1


def dump(index: Index) -> bytes:
    """The file for `load`; its arrays are of C's `unsigned int`."""
    arrays = (index.named, index.named_starts, index.hard, index.hard_starts, index.soft, index.soft_starts)
    rows = [bytes(memoryview(array)) for array in (*arrays, index.always, index.ends)]  # type: ignore[arg-type]
    return MAGIC + marshal.dumps((b"\n".join(index.words), *rows), MARSHAL)


def refusal(reason: str) -> bytes:
    """The file of a header that can't be reduced."""
    return MAGIC + marshal.dumps(reason, MARSHAL)


def load(path: str) -> Index:
    """Reads an index; raises OSError, or ValueError where there is none, with the reason."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        if not data.startswith(MAGIC):
            raise EOFError
        value = marshal.loads(memoryview(data)[len(MAGIC) :])  # noqa: S302 - bpfgen wrote it
        if not isinstance(value, str):
            words, *arrays = value
            return Index(words.split(b"\n"), *(memoryview(array).cast("I") for array in arrays))
    except (EOFError, ValueError, TypeError, AttributeError, MemoryError) as error:
        raise ValueError(f"{path} is no index of this bpfgen") from error
    raise ValueError(value)


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


def text(index: Index, header: int, numbers: Iterable[int]) -> bytes:
    """The declarations, one below the other, from the open file (descriptor) of the header."""
    ends = index.ends
    parts = [KEYWORDS]
    for number in numbers:
        start = ends[2 * number]
        parts.append(os.pread(header, ends[2 * number + 1] - start, start))
    return b"\n".join(parts) + b"\n"
