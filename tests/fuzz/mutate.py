"""Damages the bytes of real files, reproducibly: what input number N is depends on N, the seed and the files alone."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence

NUMBERS = (0, 1, 2, 4, 8, 0x7F, 0x80, 0xFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF8, 0xFFFFFFFF)
KINDS = 20
"""Of BTF types."""
MOST = 8
"""Changes of one input."""

Change = Callable[[bytearray], None]


def mutant(seeds: Sequence[bytes], seed: int, number: int) -> bytes:
    """Input number `number`: one of the files with one to eight changes."""
    data, changes = recipe(seeds, seed, number)
    return apply(data, changes)


def recipe(seeds: Sequence[bytes], seed: int, number: int) -> tuple[bytes, list[Change]]:
    """The file and the changes that make an input, so that a failing one can be had with fewer changes."""
    source = random.Random(f"{seed}:{number}")
    data = source.choice(seeds)
    return data, [_change(source, data, seeds) for _ in range(source.choice((1, 1, 2, 3, MOST)))]


def apply(data: bytes, changes: Sequence[Change]) -> bytes:
    """The file with these changes."""
    damaged = bytearray(data)
    for change in changes:
        change(damaged)
    return bytes(damaged)


def _change(source: random.Random, data: bytes, seeds: Sequence[bytes]) -> Change:
    at = source.randrange(len(data))
    length = source.choice((1, 4, 8, 12, 24, 64, 300))
    order = source.choice("<>")
    choice = source.randrange(16)
    if choice < 7:  # a word of 32 bits, which BTF, instructions and most of ELF consist of
        return _put(at & ~3, struct.pack(f"{order}I", _number(source)))
    if choice < 10:
        return _put(at, bytes([source.randrange(256)]))
    if choice == 10:
        return _put(at & ~7, struct.pack(f"{order}Q", source.choice((_number(source), (1 << 64) - 1, 1 << 63))))
    if choice == 11:
        return _cut(at, len(data))
    if choice == 12:
        return _cut(at, at + length)
    if choice == 13:  # the same bytes again: a table that is longer, or another one's place
        return _put(at & ~3, data[source.randrange(len(data)) & ~3 :][:length])
    if choice == 14:
        return _insert(at, data[at : at + length])
    other = source.choice(seeds)
    return _put(at, other[source.randrange(len(other)) :][:length])


def _number(source: random.Random) -> int:
    choice = source.randrange(4)
    if choice == 0:
        return source.choice(NUMBERS)
    if choice == 1:
        return source.randrange(64)
    if choice == 2:  # a type's `info`
        return source.randrange(2) << 31 | source.randrange(KINDS + 2) << 24 | source.choice((0, 1, 2, 5, 0xFFFF))
    return source.randrange(1 << 32)


def _put(at: int, value: bytes) -> Change:
    def change(data: bytearray) -> None:
        room = max(len(data) - at, 0)
        data[at : at + len(value)] = value[:room]

    return change


def _cut(start: int, end: int) -> Change:
    def change(data: bytearray) -> None:
        del data[start:end]

    return change


def _insert(at: int, value: bytes) -> Change:
    def change(data: bytearray) -> None:
        data[at:at] = value

    return change
