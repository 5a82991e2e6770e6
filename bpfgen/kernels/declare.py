"""One type as C: what stands to the left of a name, and what around it (C11 6.7.6, "Declarators")."""

from __future__ import annotations

from bpfgen.bpf.btf import Kind
from bpfgen.bpf.malformed import Malformed
from bpfgen.kernels.names import Names
from bpfgen.kernels.padding import Layout
from bpfgen.kernels.types import COMPOSITE, ENUMS, QUALIFIERS, Types, identifier

MODES = {1: "byte", 2: "HI", 8: "word"}
"""Bytes of an enum → GCC's attribute `mode` that gives it them."""
SLACK = 10_000
"""How many more declarations a header may have than its types have words: each takes two words or more, but types
without a name stand wherever they are used. Damage can put a type into itself a billion times.
"""


class Declarations:
    """Writes types as C."""

    def __init__(self, types: Types, names: Names) -> None:
        self._types = types
        self._names = names
        self._mentioned: dict[str, None] = {}
        self._left = types.words + SLACK
        self.enums: set[int] = set()
        """Those that were written."""

    def definition(self, number: int) -> tuple[str, tuple[str, ...]]:
        """A typedef, struct, union or enum without the semicolon, and the tags that must be declared before it."""
        self._mentioned = {}
        if self._types.kinds[number] is Kind.TYPEDEF:
            text = self._typedef(number)
        else:
            text = self._body(number, self._names.tag(number) or self._word(number), "")
        return text, tuple(self._mentioned)

    def _typedef(self, number: int) -> str:
        name, target = self._names.ident(number), self._types.last[number]
        if target == 0 and name == "__gnuc_va_list":  # GCC writes it as one of void
            return f"typedef __builtin_va_list {name}"
        return f"typedef {self._declare(target, name, '')}"

    def _declare(self, number: int, inner: str, indent: str) -> str:
        """A declaration of `inner`; from the outermost part of its type to the innermost."""
        types = self._types
        self._left -= 1
        if not self._left:
            raise Malformed("BTF: its types contain each other without an end")
        words: list[str] = []  # qualifiers
        tags: list[str] = []
        while True:
            kind = types.kind(number)
            if kind in QUALIFIERS:
                words.insert(0, QUALIFIERS[kind])
            elif kind is Kind.TYPE_TAG:
                tags.insert(0, self._tag(number))
            elif kind is Kind.PTR:
                inner = f"*{_joined(*tags, *words, inner)}"
            elif kind is Kind.ARRAY:  # GCC qualifies arrays as well as their elements; C has only the latter
                inner = f"{_enclosed(inner)}[{types.own[number][2]}]"
            elif kind is Kind.FUNC_PROTO:
                inner = f"{_enclosed(inner)}({self._parameters(number, indent)})"
            else:
                return _joined(*words, self._base(number, kind, indent), *tags, inner)
            if kind not in QUALIFIERS and kind is not Kind.TYPE_TAG:
                words, tags = [], []
            number = types.own[number][0] if kind is Kind.ARRAY else types.last[number]

    def _tag(self, number: int) -> str:
        text = self._types.names[number]
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f"__attribute__(({text if self._types.flags[number] else f'btf_type_tag({chr(34)}{escaped}{chr(34)})'}))"

    def _base(self, number: int, kind: Kind, indent: str) -> str:
        if kind is Kind.VOID:
            return "void"
        if kind in (Kind.TYPEDEF, Kind.INT, Kind.FLOAT):
            return self._names.ident(number)
        if kind not in COMPOSITE and kind not in ENUMS and kind is not Kind.FWD:
            raise Malformed(f"BTF: type {number} ({kind.name}) is no type of a member")
        tag = self._names.tag(number)
        if not tag:
            return self._body(number, self._word(number), indent)
        if kind not in ENUMS:
            self._mentioned[tag] = None
        return tag

    def _word(self, number: int) -> str:
        kind = self._types.kinds[number]
        return "enum" if kind in ENUMS else kind.name.lower()

    def _parameters(self, number: int, indent: str) -> str:
        own = self._types.own[number]
        kinds = own[1::2]
        names = [identifier(self._types.text(name)) if name else "" for name in own[::2]]
        if kinds in ((), (0,)):
            return "void"
        parts = [self._declare(kind, name, indent) for kind, name in zip(kinds, names)]
        if kinds[-1] == 0:
            parts[-1] = "..."
        return ", ".join(parts)

    def _body(self, number: int, head: str, indent: str) -> str:
        if self._types.kinds[number] in ENUMS:
            return self._enum(number, head, indent)
        inner, union = indent + "\t", self._types.kinds[number] is Kind.UNION
        layout = Layout(self._types, number, union)
        lines: list[str] = []
        for name, kind, offset, bits in self._types.members(number):
            lines += layout.before(kind, offset, bits)
            width = f": {bits}" if bits else ""
            lines.append(f"{self._declare(kind, identifier(name) if name else '', inner)}{width};")
        lines += layout.after()
        packed = " __attribute__((packed))" if self._types.packed(number) else ""
        if not lines:
            return f"{head} {{}}{packed}"
        return f"{head} {{\n{inner}{f'{chr(10)}{inner}'.join(lines)}\n{indent}}}{packed}"

    def _enum(self, number: int, head: str, indent: str) -> str:
        lines = []
        self.enums.add(number)
        values = self._values(number)
        wide = self._types.kinds[number] is Kind.ENUM64
        suffix = ("LL" if self._types.flags[number] else "ULL") if wide else ""
        for name, value in values:
            lines.append(f"{indent}\t{self._names.unique(identifier(name))} = {value}{suffix},\n")
        if not lines:  # a declaration alone
            return head
        size = self._types.last[number]
        least, most = min(value for _, value in values), max(value for _, value in values)
        natural = 4 if least >= -(1 << 31) and most < 1 << (32 if least >= 0 else 31) else 8
        mode = f" __attribute__((mode({MODES[size]})))" if size != natural and size in MODES else ""
        return f"{head} {{\n{''.join(lines)}{indent}}}{mode}"

    def _values(self, number: int) -> list[tuple[str, int]]:
        own, text = self._types.own[number], self._types.text
        signed = self._types.flags[number]
        if self._types.kinds[number] is Kind.ENUM:
            return [(text(name), _signed(value, 32) if signed else value) for name, value in zip(own[::2], own[1::2])]
        rows = zip(own[::3], own[1::3], own[2::3])
        return [(text(name), _signed(low | high << 32, 64) if signed else low | high << 32) for name, low, high in rows]


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value


def _enclosed(inner: str) -> str:
    """A pointer binds less tightly than what stands behind it."""
    return f"({inner})" if inner.startswith("*") else inner


def _joined(*words: str) -> str:
    return " ".join(word for word in words if word)
