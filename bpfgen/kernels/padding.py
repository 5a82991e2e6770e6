"""Where C puts the members of a struct, and what must stand between them so that they are where the kernel has them.

Gaps are filled with unnamed bit-fields: they have no name that a program could use, and don't change how a struct is
aligned (System V ABI, "Bit-Fields").
"""

from __future__ import annotations

from collections.abc import Iterator

from bpfgen.kernels.types import Types

UNITS = ((8, "char"), (16, "short"), (32, "int"), (64, "long"))
"""Bits of the types that gaps are filled with, for the BPF target."""


class Layout:
    """Follows the members of one struct or union, as clang lays them out."""

    def __init__(self, types: Types, number: int, union: bool) -> None:
        self._types = types
        self._union = union
        self._packed = types.packed(number)
        self._size = 8 * types.last[number]
        self._align = 8 * types.align(number)
        self._at = 0
        """Bits so far; of a union, those of its largest member."""

    def before(self, kind: int, offset: int, bits: int) -> Iterator[str]:
        """What to write before a member at that bit; `bits` are those of a bit-field, or 0."""
        size = 8 * self._types.size(kind)
        if self._union:
            self._at = max(self._at, bits or size)
            return
        if self._natural(8 * self._types.align(kind), size, bits) != offset:
            yield from filling(self._at, offset)
        self._at = offset + (bits or size)

    def _natural(self, align: int, size: int, bits: int) -> int:
        if self._packed:
            return self._at if bits else _up(self._at, 8)
        if bits:
            return self._at if self._at % size + bits <= size else _up(self._at, size)
        return _up(self._at, align)

    def after(self) -> Iterator[str]:
        """What to write after the last member."""
        if _up(self._at, self._align) == self._size:
            return
        if self._union:
            yield f"struct {{ {' '.join(filling(0, self._size))} }};"
        else:
            yield from filling(self._at, self._size)


def filling(start: int, end: int) -> Iterator[str]:
    """Unnamed bit-fields from one bit to another, each within one aligned unit of its type: so C puts it where the last
    one ends, and doesn't begin another unit.
    """
    while start < end:
        stop = min(end, _up(start + 1, UNITS[-1][0]))
        name = next(name for bits, name in UNITS if start // bits == (stop - 1) // bits)
        yield f"{name}: {stop - start};"
        start = stop


def _up(value: int, unit: int) -> int:
    return -(-value // unit) * unit
