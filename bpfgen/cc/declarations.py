"""`vmlinux.h` → `Index`: its declarations, what each one names and needs.

Understood is what bpftool and pahole write: declarations that begin in the first column, with bodies that are indented.
Anything else is refused, and then the header is used whole.
"""

from __future__ import annotations

import fcntl
import re
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate

from bpfgen.cc import VMLINUX
from bpfgen.cc.index import BUCKETS, FILE, LOCK, Index, Stale, bucket, dump, load, mark, refusal
from bpfgen.cc.scan import WORD
from bpfgen.files import write_if_changed

_COMMENT = re.compile(rb"/\*.*?\*/|//[^\n]*", re.DOTALL)
_DECLARATION = re.compile(
    rb"""^(?:
        \#[^\n\\]*(?:\\\n[^\n\\]*)*                                # a directive
        | [A-Za-z_][^\n;{]*\{(?:\n(?:[ \t][^\n]*\n|\n)*)?\}[^;\n{}]*;  # with a body, which is indented
        | [A-Za-z_][^\n{};]*;                                      # on one line
    )[ \t]*$""",
    re.MULTILINE | re.VERBOSE,
)
# Without \b, which takes time: a word that ends in one of these only means more than is needed.
_TAG = re.compile(rb"(?:struct|union|enum)\s+(\w+)")
_HEAD = re.compile(rb"(?:struct|union|enum) (\w+)(?: \{|;)")
_TYPE_ALONE = re.compile(rb"\}(?: *__attribute__ *\(\(.*\)\))*;$")
_BODY_TAG = re.compile(rb"\b(?:struct|union|enum)\s+(\w+)\s*\{")
_ENUM = re.compile(rb"\benum\b[^;{}]*\{([^}]*)\}")
_VALUE = re.compile(rb"(?:^|,)\s*([A-Za-z_]\w*)")
_TYPEDEF = re.compile(
    rb"(?:\(\**(?: *const)? *(\w+)(?:\[\w*\])*\)|(\w+))(?:\[\w*\])*(?:\([^{}]*\))?(?: *__attribute__ *\(.*\))?;$"
)
_FUNCTION = re.compile(rb"extern [\w *]*?(\w+)\((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\)[ \w]*;")
_OPENED = re.compile(rb"\b(?:struct|union|enum)(?: \w+)? \{")
_BRACES = re.compile(rb"[{}]")
_ODD = (b" #", b"\t#", b"%:", b"??", b"_Pragma", b"__pragma", b"__COUNTER__", b"__LINE__")
"""What acts on other declarations from within one, or depends on where one stands."""
_EXPRESSION = re.compile(rb"->|\b(?:__)?typeof(?:__|_unqual)?\b|\b(?:__builtin_)?offsetof\b|\)\.")
"""What names members: then a plain pointer is more than a pointer."""
_EXPRESSION_PARTS = (b"->", b"typeof", b"offsetof", b").")
"""One of them is in every match; looking for these takes a tenth of the time."""
_SOFT = re.compile(rb"^[ \t]+(?:struct|union) (\w+) \*(\w+);$", re.MULTILINE)
_BETWEEN = (b"\n", b"\n\n", b"")
"""What is mostly between two declarations."""


class Unreadable(Exception):
    """The header is written in another way; the message says where."""


class Names:
    """The names of declarations, by what they are: name → numbers of declarations."""

    def __init__(self) -> None:
        self.bodies: dict[bytes, list[int]] = {}
        """Tags whose members or values are given."""
        self.forward: dict[bytes, list[int]] = {}
        """Tags that are declared alone."""
        self.ordinary: dict[bytes, list[int]] = {}
        """Types, enumerators and functions."""

    def of(self, word: bytes) -> list[int]:
        """Every declaration that a word can mean."""
        found = [table[word] for table in (self.ordinary, self.bodies, self.forward) if word in table]
        return found[0] if len(found) == 1 else [number for numbers in found for number in numbers]


class Rows:
    """Lists of numbers, as `Index` has them."""

    def __init__(self) -> None:
        self.values = array("I")
        self.starts = array("I", [0])

    def add(self, numbers: Iterable[int]) -> None:
        """One more row."""
        self.values.extend(numbers)
        self.starts.append(len(self.values))


def parse(header: bytes) -> Index:
    """The declarations of a header; raises Unreadable."""
    spans = _spans(_blanked(header))
    texts = [header[start:end] for start, end in spans]
    names = Names()
    always = array("I", [number for number, text in enumerate(texts) if not _enter(text, number, names)])
    parted = [_SOFT.split(text) if b" *" in text and b"{" in text else [text] for text in texts]
    pointers = [list(zip(parts[1::3], parts[2::3])) for parts in parted]
    members = {member for found in pointers for _, member in found}
    spoken = members & {word for number in always for word in texts[number].translate(WORD).split()}
    words = sorted(members.union(names.bodies, names.forward, names.ordinary), key=lambda word: (bucket(word), word))
    named, hard, soft = Rows(), Rows(), Rows()
    for word in words:
        named.add(names.of(word))
    numbers = {word: number for number, word in enumerate(words)}
    unknown = set(always)
    for number, text in enumerate(texts):
        bodies = [(member, names.bodies.get(tag, ())) for tag, member in pointers[number]]
        if number in unknown:  # what a directive or an unknown declaration says may mean anything
            hard.add({other for word in text.translate(WORD).split() for other in names.of(word)})
        else:
            used = {body for member, found in bodies if member in spoken for body in found}
            hard.add(_needs(b"".join(parted[number][::3]), number, pointers[number], names) | used)
        soft.add([n for member, found in bodies for body in found for n in (numbers[member], body)])
    rows = (named.values, named.starts, hard.values, hard.starts, soft.values, soft.starts)
    return Index(*_found(words), *rows, always, array("I", [place for span in spans for place in span]))


def _found(words: Sequence[bytes]) -> tuple[bytes, int, array[int], array[int]]:
    """Words as `Index.find` looks them up: the text, where it begins, where each group and each word start."""
    starts = array("I")
    sizes = [0] * BUCKETS
    at = 0
    for word in words:
        starts.append(at)
        at += len(word) + 1
        sizes[bucket(word)] += len(word) + 1
    return b"\n" + b"".join([word + b"\n" for word in words]), 0, array("I", accumulate(sizes, initial=0)), starts


def write(folder: str) -> Index:
    """Makes the index of the `vmlinux.h` in a folder, unless another process does; raises as `index.load` does."""
    with open(f"{folder}/{LOCK}", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # it goes with the process
        try:
            return load(folder)
        except Stale:
            pass
        start = mark(f"{folder}/{VMLINUX}")
        with open(f"{folder}/{VMLINUX}", "rb") as file:
            header = file.read()
        try:
            rest = dump(parse(header))
        except Unreadable as reason:
            rest = refusal(f"the vmlinux.h {reason}")
        write_if_changed(f"{folder}/{FILE}", start + rest)
        return load(folder)


def _blanked(header: bytes) -> bytes:
    """The header with spaces for comments, so that places stay."""
    if b"/*" not in header and b"//" not in header:
        return header
    if b'"' in _COMMENT.sub(b"", header) and re.search(rb'"[^"\n]*(?:/\*|//)', header):
        raise Unreadable("has comments within strings")
    return _COMMENT.sub(lambda match: re.sub(rb"[^\n]", b" ", match[0]), header)


def _spans(header: bytes) -> list[tuple[int, int]]:
    for odd in _ODD:
        if odd in header:
            _refuse(header, header.index(odd), header.index(odd) + len(odd))
    spans = []
    end = 0
    for match in _DECLARATION.finditer(header):
        start, before = match.start(), end
        if header[before:start] not in _BETWEEN:
            _refuse(header, before, start)
        end = match.end()
        text = match[0]
        if text[:1] == b"#":
            if re.match(rb"#\s*(?:include|import)", text):
                line = header.count(b"\n", 0, end) + 1
                raise Unreadable(f"includes another header in line {line}")
        elif b"{" in text:
            _check_body(header, match)
        spans.append((start, end))
    _refuse(header, end, len(header))
    return spans


def _check_body(header: bytes, match: re.Match[bytes]) -> None:
    """Refuses code, whose place shows in the object, and several declarations that one indents."""
    depth = 0
    text = match[0]
    for brace in _BRACES.finditer(header, *match.span()) if text.count(b"}") > 1 else ():
        depth += 1 if brace[0] == b"{" else -1
        if not depth and header.find(b";", brace.end(), match.end()) != header.rfind(b";", brace.end(), match.end()):
            _refuse(header, brace.end(), match.end())
    if not text.startswith((b"struct ", b"union ", b"enum ", b"typedef ")) and b")" in text.partition(b"{")[0]:
        _refuse(header, *match.span())


def _refuse(header: bytes, start: int, end: int) -> None:
    between = header[start:end]
    if between and not between.isspace():
        line = header.count(b"\n", 0, end - len(between.lstrip())) + 1
        raise Unreadable(f"isn't written as bpftool writes it, in line {line}")


def _enter(text: bytes, number: int, names: Names) -> bool:
    """Enters the names by which a source can mean a declaration; whether that could be found out."""
    body = text.find(b"{")
    head = _HEAD.match(text)
    if _names_members(text) or (body >= 0 and not _opens_types(text, body, head)):
        return False
    if text.startswith(b"typedef"):
        several = body < 0 and b"," in text and b"(" not in text
        match = None if several or b"(*(" in text else _TYPEDEF.search(text, max(text.rfind(b"}"), 0))
        if match is None:
            return False
        names.ordinary.setdefault(match[1] or match[2], []).append(number)
    elif text.startswith(b"extern"):
        match = _FUNCTION.fullmatch(text)
        if match is None:
            return False
        names.ordinary.setdefault(match[1], []).append(number)
    elif head and body < 0:
        names.forward.setdefault(head[1], []).append(number)
    elif not (head or text.startswith(b"enum {")) or not _TYPE_ALONE.search(text):  # the latter declares a variable
        return False
    if body >= 0:
        # Most bodies have none within.
        tags = [head[1]] if head and b"{" not in text[body + 1 :] else _BODY_TAG.findall(text)
        _enter_body(text, number, tags, names)
    return True


def _names_members(text: bytes) -> bool:
    return any(part in text for part in _EXPRESSION_PARTS) and _EXPRESSION.search(text) is not None


def _opens_types(text: bytes, body: int, head: re.Match[bytes] | None) -> bool:
    """Whether each brace opens the body of a type; the first one is at `body`, and most texts have no other."""
    braces = text.count(b"{")
    return (braces == 1 and head is not None and head.end() == body + 1) or len(_OPENED.findall(text)) == braces


def _enter_body(text: bytes, number: int, tags: Iterable[bytes], names: Names) -> None:
    for tag in tags:
        names.bodies.setdefault(tag, []).append(number)
    if b"enum" in text:
        for values in _ENUM.findall(text):
            for value in _VALUE.findall(values):
                names.ordinary.setdefault(value, []).append(number)


def _needs(text: bytes, number: int, pointers: Sequence[tuple[bytes, bytes]], names: Names) -> set[int]:
    """What a declaration needs by its text without the members `pointers`, of whose structs it only needs the forward
    declarations.
    """
    if text.startswith(b"enum"):
        return set()
    tags = _TAG.findall(text)
    needed: set[int] = set()
    for tag in (*tags, *(tag for tag, _ in pointers)):
        if tag in names.forward:
            needed.update(names.forward[tag])
    if b"{" in text or not _HEAD.match(text):  # a forward declaration needs no body
        for tag in tags:
            if tag in names.bodies:
                needed.update(names.bodies[tag])
    for word in names.ordinary.keys() & text.translate(WORD).split():
        needed.update(names.ordinary[word])
    needed.discard(number)
    return needed
