"""Some types of a BTF section as a section of their own (kernel: Documentation/bpf/btf.rst)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from struct import pack

from bpfgen.bpf.btf import HEADER_SIZE, MAGIC, Btf, Kind
from bpfgen.bpf.btfgraph import Strings
from bpfgen.bpf.btfrecords import ITEMS, KINDS, LAYOUTS, REFERRING
from bpfgen.bpf.malformed import Malformed

VERSION = 1
_COUNT, _FLAG = 0xFFFF, 1 << 31
"""The bits of `info` that are `vlen` and `kind_flag`."""


def write(btf: Btf, kept: Mapping[int, Collection[int] | None]) -> bytes:
    """A section with the types of `kept`, by their ids in `btf`, in the same order and byte order. Of a kind that has
    items (members, values and others), those of the given indices are kept, or all where None is given.

    What is kept is as it was: names, sizes, offsets of members. A reference to a type that isn't kept becomes one to
    void. `btf` must have no base. Raises Malformed where it lacks a string or a type that is referred to.
    """
    ids = {number: new for new, number in enumerate(sorted(kept), 1)}
    strings, table = Strings(btf.strings), {b"": 0}
    size = 1

    def name(offset: int) -> int:
        nonlocal size
        text = strings[offset]
        if text not in table:
            table[text] = size
            size += len(text) + 1
        return table[text]

    def reference(number: int) -> int:
        if number >= len(btf):
            raise Malformed(f"BTF: no type {number}")
        return ids.get(number, 0)

    change: dict[str, Callable[[int], int]] = {"n": name, "r": reference, "w": int}
    words = [word for number in ids for word in _record(btf, number, kept[number], change)]
    types = pack(f"{btf.order}{len(words)}I", *words)
    head = pack(f"{btf.order}HBBIIIII", MAGIC, VERSION, 0, HEADER_SIZE, 0, len(types), len(types), size)
    return head + types + b"".join(text + b"\0" for text in table)


def _record(
    btf: Btf, number: int, items: Collection[int] | None, change: Mapping[str, Callable[[int], int]]
) -> list[int]:
    """The words of a type as they become; `change` has what becomes of a word by its letter in `LAYOUTS`."""
    found = btf.type(number)
    start = found.at - 3
    at, info, last = btf.words[start : found.at]
    own: Sequence[int] = btf.own_words(found)
    layout = LAYOUTS.get(found.kind, "")
    if items is not None and found.kind in ITEMS:
        step = len(layout)
        own = [word for index in sorted(items) for word in own[step * index : step * (index + 1)]]
        info = info & ~_COUNT | len(items)
        if found.kind in (Kind.STRUCT, Kind.UNION) and not any(offset >> 24 for offset in own[2::3]):
            info &= ~_FLAG  # no bitfield is left; libbpf writes it so too
    head = [change["n"](at), info, change["r"](last) if KINDS[found.kind] in REFERRING else last]
    return head + [change[layout[index % len(layout)]](word) for index, word in enumerate(own)]
