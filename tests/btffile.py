"""Writes BTF sections, type by type. It knows the format from linux/btf.h."""

from __future__ import annotations

import struct

from bpfgen.bpf.btf import Kind


class Builder:
    """A BTF section in the making; `base` is the one that a module's goes on from."""

    def __init__(self, order: str, base: Builder | None = None) -> None:
        self.order = order
        self.types = b""
        self.count = 0
        self.first = base.next if base is not None else 1
        self.strings = b"" if base is not None else b"\0"
        self.shift: int = base.shift + len(base.strings) if base is not None else 0

    @property
    def next(self) -> int:
        """The id of the next type."""
        return self.first + self.count

    def add(self, kind: Kind, name: str, last: int, *words: int, items: int = 0, flag: bool = False) -> int:
        """A type, given the words after the first three; its id."""
        info = flag << 31 | kind << 24 | items
        at = self.name(name) if name else 0
        self.types += struct.pack(f"{self.order}{3 + len(words)}I", at, info, last, *words)
        self.count += 1
        return self.next - 1

    def name(self, text: str) -> int:
        """The offset of a new string."""
        at = len(self.strings)
        self.strings += text.encode() + b"\0"
        return at + self.shift

    def bytes(self) -> bytes:
        """The section."""
        sizes = 0, len(self.types), len(self.types), len(self.strings)
        return struct.pack(f"{self.order}HBBIIIII", 0xEB9F, 1, 0, 24, *sizes) + self.types + self.strings


def every_kind(order: str) -> Builder:
    """A section with a type of each kind, in their order."""
    btf = Builder(order)
    btf.add(Kind.INT, "int", 4, 32)  # 1
    btf.add(Kind.PTR, "", 1)  # 2
    btf.add(Kind.ARRAY, "", 0, 1, 1, 3)  # 3: int[3]
    btf.add(Kind.STRUCT, "s", 16, btf.name("a"), 1, 0, btf.name("p"), 2, 64, items=2)  # 4
    btf.add(Kind.UNION, "u", 4, btf.name("bits"), 1, 5 << 24 | 3, items=1, flag=True)  # 5
    btf.add(Kind.ENUM, "e", 4, btf.name("ONE"), 1, items=1)  # 6
    btf.add(Kind.FWD, "opaque", 0)  # 7
    btf.add(Kind.TYPEDEF, "t", 11)  # 8
    btf.add(Kind.VOLATILE, "", 4)  # 9
    btf.add(Kind.CONST, "", 4)  # 10
    btf.add(Kind.RESTRICT, "", 18)  # 11
    btf.add(Kind.FUNC, "f", 13, items=1)  # 12
    btf.add(Kind.FUNC_PROTO, "", 1, btf.name("x"), 1, items=1)  # 13
    btf.add(Kind.VAR, "v", 3, 1)  # 14
    btf.add(Kind.DATASEC, ".data", 16, 14, 4, 12, items=1)  # 15
    btf.add(Kind.FLOAT, "double", 8)  # 16
    btf.add(Kind.DECL_TAG, "tag", 14, 0xFFFFFFFF)  # 17
    btf.add(Kind.TYPE_TAG, "tag", 10)  # 18
    btf.add(Kind.ENUM64, "big", 8, btf.name("HUGE"), 0, 1, items=1)  # 19
    return btf
