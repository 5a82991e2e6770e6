"""What the types of a kernel are called in its `vmlinux.h`: C has one name space for tags, and one for the rest."""

from __future__ import annotations

from bpfgen.bpf.btf import Kind
from bpfgen.kernels.types import COMPOSITE, ENUMS, Types, identifier

KNOWN = frozenset(
    {
        "char",
        "signed char",
        "unsigned char",
        "short",
        "short int",
        "unsigned short",
        "short unsigned int",
        "int",
        "unsigned int",
        "long",
        "long int",
        "unsigned long",
        "long unsigned int",
        "long long",
        "long long int",
        "unsigned long long",
        "long long unsigned int",
        "__int128",
        "__int128 unsigned",
        "unsigned __int128",
        "_Bool",
        "float",
        "double",
        "long double",
    }
)
"""Numbers that clang has for BPF. GCC has more on arm64, such as `__Poly8_t` and `__bf16`: they become integers."""
_BY_SIZE = {
    1: "unsigned char",
    2: "unsigned short",
    4: "unsigned int",
    8: "unsigned long long",
    16: "unsigned __int128",
}
_WORDS = {Kind.STRUCT: "struct", Kind.UNION: "union", Kind.ENUM: "enum", Kind.ENUM64: "enum"}


class Names:
    """Names by the ids of types; of several with one name, the first one keeps it."""

    def __init__(self, types: Types) -> None:
        self._tags: dict[int, str] = {}
        self._idents: dict[int, str] = {}
        self._counts: dict[str, int] = {}
        tags: dict[str, int] = {}
        defined: dict[tuple[str, str], str] = {}
        forward: list[int] = []
        for number, kind in enumerate(types.kinds):
            name = identifier(types.names[number]) if types.names[number] else ""
            if kind is Kind.FWD or (kind in ENUMS and name and not types.own[number]):
                forward.append(number)
            elif kind in COMPOSITE or kind in ENUMS:
                if name:
                    tags[name] = tags.get(name, 0) + 1
                    tag = f"{_WORDS[kind]} {_numbered(name, tags[name])}"
                    self._tags[number] = tag
                    defined.setdefault((_WORDS[kind], name), tag)
            elif kind is Kind.TYPEDEF:
                self._idents[number] = self.unique(name)
            elif kind in (Kind.INT, Kind.FLOAT):
                name = types.names[number]
                self._idents[number] = name if name in KNOWN else _BY_SIZE.get(types.last[number], "unsigned char")
        for number in forward:
            self._forward(types, number, tags, defined)

    def tag(self, number: int) -> str:
        """`struct x` of a struct, union, enum or forward declaration; empty where it has no name."""
        return self._tags.get(number, "")

    def ident(self, number: int) -> str:
        """The name of a typedef or a number."""
        return self._idents[number]

    def unique(self, name: str) -> str:
        """A name for one more enumerator or typedef."""
        count = self._counts[name] = self._counts.get(name, 0) + 1
        return _numbered(name, count)

    def _forward(self, types: Types, number: int, tags: dict[str, int], defined: dict[tuple[str, str], str]) -> None:
        """A declaration alone is of the type that is defined under that name, if there is one of its kind."""
        word, name = _WORDS.get(types.kinds[number], ""), identifier(types.names[number])
        word = word or ("union" if types.flags[number] else "struct")
        if (word, name) not in defined:
            tags[name] = tags.get(name, 0) + 1
            defined[word, name] = f"{word} {_numbered(name, tags[name])}"
        self._tags[number] = defined[word, name]


def _numbered(name: str, count: int) -> str:
    return name if count == 1 else f"{name}___{count}"
