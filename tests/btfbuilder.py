"""BTF by hand, of either byte order."""

from __future__ import annotations

import struct

from bpfgen.bpf.btf import Kind


class Builder:
    """Writes a BTF section, type by type."""

    def __init__(self, order: str) -> None:
        self.order = order
        self.types = b""
        self.strings = b"\0"

    def add(self, kind: Kind, name: str, last: int, *words: int, items: int = 0, flag: bool = False) -> None:
        """One more type; its id is the number of those before it, and one."""
        at = len(self.strings) if name else 0
        if name:
            self.strings += name.encode() + b"\0"
        info = flag << 31 | kind << 24 | items
        self.types += struct.pack(f"{self.order}{3 + len(words)}I", at, info, last, *words)

    def name(self, text: str) -> int:
        """The offset of a string that is added."""
        at = len(self.strings)
        self.strings += text.encode() + b"\0"
        return at

    def bytes(self) -> bytes:
        """The section."""
        sizes = 0, len(self.types), len(self.types), len(self.strings)
        return struct.pack(f"{self.order}HBBIIIII", 0xEB9F, 1, 0, 24, *sizes) + self.types + self.strings
