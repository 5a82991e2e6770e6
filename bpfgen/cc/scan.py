"""Every identifier that a source can name: its words and those of each file that it may include.

Taken for granted are only the lexical rules of C. Comments, strings and branches that the preprocessor drops are read
too: more words make a larger header, never a wrong one. What could make words that stand nowhere in the text (`##`, an
`#include` of a macro) is noticed. That no file was overlooked is checked afterwards, against what clang says it read.
"""

from __future__ import annotations

import os

from bpfgen.cc import VMLINUX

TYPE_CHECKING = False  # typing's own costs 9 ms
if TYPE_CHECKING:
    from collections.abc import Callable

WORD = bytes(c if c >= 128 or chr(c).isalnum() or c in b"_$" else 32 for c in range(256))
"""Translates all that can't be part of an identifier to spaces."""
LIBBPF = frozenset(["bpf_core_read.h", "bpf_endian.h", "bpf_helpers.h", "bpf_tracing.h", "usdt.bpf.h"])
LIBBPF_PASTES = (([b"BPF_FIELD_"], [b"info"]), ([b"__u"], [b"b"]), ([b"____"], [b"name"]),
                 ([b"____btf_map_"], [b"name"]))  # fmt: skip
"""What libbpf's headers paste (`##`): names of their own macros, enumerators and `____` functions only (libbpf 1.5)."""
LIBBPF_PASTERS = (b"___bpf_concat", b"___bpf_apply", b"___bpf_mvb", b"___concat", b"___apply", b"__CORE_RELO")
LIBBPF_PASTED = (b"(fn,", b"(a,", b"(__unique_value,", b"(___", b"(x,", b"(s,", b"(src,")
"""Macros of theirs that paste what they are given, and how that begins where they use them."""
HELPERS = "bpf_helper_defs.h"
STARTS = (b"static ", b"struct ", b"enum ")
"""How lines of it begin."""


class Refused(Exception):
    """The words can't be known; the message says why."""


def normal(path: str) -> str:
    """A path by which a file is known. `LINK/..` is where the link leads, so those that have `..` are looked up."""
    return os.path.realpath(path) if ".." in path else os.path.normpath(path)


class Folders:
    """Where clang looks for headers, in its order (clang's manual, "-I", "-iquote", "-isystem", "-idirafter")."""

    def __init__(self, words: list[str], builtin: list[str]) -> None:
        found: dict[str, list[str]] = {"-iquote": [], "-I": [], "-isystem": [], "-idirafter": []}
        for index, word in enumerate(words):
            option = next((option for option in found if word.startswith(option)), "")
            if option and (word != option or index + 1 < len(words)):
                found[option].append(word[len(option) :] or words[index + 1])
        self.quoted = found["-iquote"]
        self.angled = [*found["-I"], *found["-isystem"], *builtin, *found["-idirafter"]]


class Scan:
    """Files that were read, by their normal paths, and their words."""

    def __init__(self, folders: Folders, header: str, local: Callable[[str], str] = str) -> None:
        """`local` gives the place on this host of a path of the compiler's."""
        self.files: dict[str, None] = {}
        """In the order in which they were found."""
        self.words: set[bytes] = set()
        self.reads_header = False
        """Whether a file includes `header`, the `vmlinux.h` that is to be reduced and is not read itself."""
        self.pastes = ""
        """Why there could be words that stand nowhere in the text, if so."""
        self._folders = folders
        self._local = local
        self._header = normal(header)
        self._helpers: list[bytes] = []
        """Declarations of helpers."""

    def add(self, path: str) -> None:
        """Reads a file and all that it can include; raises Refused, or OSError for a file that can't be read."""
        todo = [normal(path)]
        while todo:
            file = todo.pop()
            if file in self.files:
                continue
            self.files[file] = None
            with open(file, "rb") as stream:
                data = stream.read()
            helpers = _helpers(data) if os.path.basename(file) == HELPERS else None
            if helpers is not None:  # which have no includes, nor `##`
                self._helpers += helpers
                continue
            if b"\\" in data:
                data = data.replace(b"\\\r\n", b"").replace(b"\\\n\r", b"").replace(b"\\\n", b"")
            self.pastes = self.pastes or makes_names(file, data)
            self.words.update(data.translate(WORD).split())
            for name, rest in _includes(file, data):
                todo += self._found(os.path.dirname(file), name, rest)

    def all_words(self) -> set[bytes]:
        """The words of all files; of the list of helpers, only what is said of helpers that some file names."""
        words = set(self.words)
        for line in self._helpers:
            words.update(_helper_words(line, self.words))
        return words

    def _found(self, own: str, name: str, delimiter: str) -> list[str]:
        """The file that an include names; every such file where it is `include_next`."""
        angled = self._folders.angled
        places = [own, *self._folders.quoted, *angled] if delimiter != "<" else angled
        found = []
        for place in places:
            path = normal(self._local(os.path.join(place, name)))
            if path == self._header:
                self.reads_header = True
            elif not os.path.isfile(path):
                continue
            elif os.path.basename(path) == VMLINUX:
                raise Refused(f"another vmlinux.h is found first: {path}")
            else:
                found.append(path)
            if delimiter != "next":
                break
        return found


def _includes(file: str, data: bytes) -> list[tuple[str, str]]:
    """Name and kind (`"`, `<`, `next`) of each include of a file."""
    found = []
    for keyword in (b"include", b"import"):
        at = data.find(keyword)
        while at >= 0:
            end = at + len(keyword)
            kind = ""
            if data[end : end + 5] == b"_next":
                end, kind = end + 5, "next"
            before = data[data.rfind(b"\n", 0, at) + 1 : at].rstrip(b" \t")
            stop = data.find(b"\n", end)
            rest = data[end : stop if stop >= 0 else len(data)].strip()
            closing = {b'"': b'"', b"<": b">"}.get(rest[:1])
            if closing and closing in rest[1:]:
                name = rest[1 : rest.index(closing, 1)].decode(errors="surrogateescape")
                found.append((name, kind or rest[:1].decode()))
            elif before.endswith((b"#", b"%:", b"??=")) or (before.endswith(b"*/") and b"#" in before):
                raise Refused(f"{file} includes a file that a macro names")
            at = data.find(keyword, end)
    return found


def makes_names(file: str, data: bytes) -> str:
    """Why the preprocessor could make words that don't stand in a file; empty where it can't."""
    libbpf = os.path.basename(file) in LIBBPF
    if b"##" in data:
        parts = data.split(b"##")
        for part, after in zip(parts, parts[1:]):
            # `, ##__VA_ARGS__` only drops a comma (GCC's manual, "Variadic Macros").
            if part.rstrip(b" \t").endswith((b",", b"#")) or not part.strip():
                continue
            if not libbpf or not _is_libbpf_paste(part, after):
                return f"{file} makes names with ##"
    if b"%:%:" in data or b"??=" in data or b"??/" in data:
        return f"{file} has digraphs or trigraphs"
    # Clang joins lines where there are spaces after the backslash.
    if b"\\" in data and any(part.lstrip(b" \t\v\f")[:1] in (b"\n", b"\r") for part in data.split(b"\\")[1:]):
        return f"{file} has spaces after a backslash"
    word = next((word for word in LIBBPF_PASTERS if word in data and not (libbpf and _is_libbpf_use(word, data))), b"")
    return f"{file} makes names with {word.decode()}" if word else ""


def _is_libbpf_use(word: bytes, data: bytes) -> bool:
    """Whether libbpf's own use of one of `LIBBPF_PASTERS` is the only one."""
    parts = data.split(word)
    return all(
        use.startswith(LIBBPF_PASTED) or (before.endswith(b"#ifndef ") and use[:1] == b"\n")
        for before, use in zip(parts, parts[1:])
    )


def _is_libbpf_paste(left: bytes, right: bytes) -> bool:
    """Whether `left##right` is one of `LIBBPF_PASTES`."""
    before, after = left[-64:].translate(WORD).split(), right[:64].translate(WORD).split()
    pair = (before[-1:], after[:1])
    if pair == ([b"a"], [b"b"]):
        return before[-4:-3] in ([b"___bpf_concat"], [b"___concat"])
    return pair in LIBBPF_PASTES


def _helpers(data: bytes) -> list[bytes] | None:
    """The declarations of a list of helpers, if it is as libbpf's bpf_doc.py writes it: comments, forward declarations
    and one line for each helper. Then nothing of it is used but the helpers that another file names.
    """
    if data.count(b"*/") != data.count(b"*/\n"):
        return None
    code = [line for line in data.split(b"\n") if line and not line.startswith((b" *", b"/*"))]
    if not all(line.endswith(b";") and b"{" not in line and line.startswith(STARTS) for line in code):
        return None
    if makes_names(HELPERS, b"\n".join(code)):
        return None
    declared = {line[len(b"struct ") : -1] for line in code if line.startswith(b"struct ")}
    words = b"\n".join(code).translate(WORD).split()
    tags = {tag for before, tag in zip(words, words[1:]) if before in (b"struct", b"union")}
    # A struct that isn't declared before would be one of its parameter list alone, and clang says so.
    return [line for line in code if not line.startswith(b"struct ")] if tags <= declared else None


def _helper_words(line: bytes, named: set[bytes]) -> list[bytes]:
    """The words that matter of a helper's declaration: all of one that is named; of another what it can't do without,
    which is its types but for structs.
    """
    parts = line.translate(WORD).split()
    if not named.isdisjoint([part for part in parts if part.startswith(b"bpf_")]):
        return parts
    words = []
    result, _, parameters = line.partition(b")(")
    for part in (result.partition(b"(")[0], *parameters.rpartition(b") =")[0].split(b",")):
        typed = part.translate(WORD).split()
        tagged = typed[:-1] if len(typed) > 1 and part is not result else typed  # the last one is its name
        words += [word for at, word in enumerate(tagged) if tagged[at - 1] not in (b"struct", b"union")]
    return words
