"""Which line of which file an instruction comes from, by `.BTF.ext`."""

from __future__ import annotations

from bisect import bisect_right

from bpfgen.bpf.btf import Btf
from bpfgen.bpf.btfext import BtfExt
from bpfgen.bpf.insns import INSTRUCTION_SIZE
from bpfgen.frozen import frozen

LONGEST = 1 << 16
"""Bytes of a line or a path."""


@frozen
class Line:
    """A place in a source."""

    file: str
    """As the compiler was given it, or as a prefix map made it."""
    number: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.number}:{self.column}"


class Lines:
    """The line information of one object."""

    def __init__(self, btf: Btf, ext: BtfExt) -> None:
        """Raises Malformed where a section has no name."""
        self._btf = btf
        rows: dict[str, list[tuple[int, ...]]] = {}
        for block in ext.parts["line_info"]:
            rows.setdefault(btf.text(block.section), []).extend(block.records)
        self._rows = {section: sorted(own, key=lambda row: row[0]) for section, own in rows.items()}
        self._places = {section: [row[0] for row in own] for section, own in self._rows.items()}

    def at(self, section: str, slot: int, start: int = 0) -> Line | None:
        """The line of an instruction's slot; None where there is none from `start` on, where its function begins.

        A line holds until the next one. Raises Malformed where a string is missing.
        """
        places = self._places.get(section, [])
        found = bisect_right(places, slot * INSTRUCTION_SIZE) - 1
        if found < 0 or places[found] < start * INSTRUCTION_SIZE:
            return None
        _offset, file, text, place = self._rows[section][found][:4]
        words = [self._btf.text(offset, LONGEST) for offset in (file, text)]
        return Line(words[0], place >> 10, place & 0x3FF, words[1].strip())
