"""Two BTF sections as one graph: which of their types are the same, whatever their ids, order and string offsets.

Types are the same that no walk along their references can tell apart (bisimulation: pointers make cycles, so there is
no order in which to hash them). The classes are found by splitting: first by what a type says of itself, then by the
classes that it refers to, until nothing splits. A class that splits keeps its number for its largest part, and only
types that refer to a renumbered one are looked at again, so each type is renumbered at most log n times (Hopcroft's
"smaller half"; Jacobs and Wißmann, "Fast Coalgebraic Bisimilarity Minimization", 2023).
"""

from __future__ import annotations

from collections.abc import Iterable

from bpfgen.bpf.btf import Btf, Kind
from bpfgen.bpf.btfrecords import LAYOUTS, REFERRING
from bpfgen.bpf.malformed import Malformed

FAN = 32
"""References of one node. A type with more gets nodes in between, or a change in each of 50,000 members would cost
50,000 steps."""
OVERLAP = 16
"""How often all strings together may fill the string table. Compilers write each string once; damage can make every
reference one more tail of one huge string."""

_LAYOUTS = [LAYOUTS.get(kind, "") for kind in Kind]
_REFERRING = [kind in REFERRING for kind in Kind]


class Strings(dict[int, bytes]):
    """The strings of a string table by offset, each cut out once; a missing one raises Malformed."""

    def __init__(self, table: bytes) -> None:
        super().__init__()
        self._table = table
        self._left = OVERLAP * len(table)

    def __missing__(self, offset: int) -> bytes:
        end = self._table.find(b"\0", offset)
        self._left -= end - offset
        if end < 0 or self._left < 0:
            raise Malformed(f"BTF: no string at {offset}")
        found = self[offset] = self._table[offset:end]
        return found


class Types:
    """The types of two BTF sections with the class of each; side 0 is the first section, side 1 the second."""

    def __init__(self, first: Btf, second: Btf) -> None:
        """Raises Malformed where a type refers to a type or a string that isn't there."""
        self.sides = (first, second)
        self.strings = (Strings(first.strings), Strings(second.strings))
        self._labels: dict[object, int] = {}
        self._weights: list[int] = []
        """What a node adds to the balance of its class: 1 on side 0, -1 on side 1, 0 where it is no type."""
        self._edges: list[tuple[int, ...]] = []
        self._classes: list[int] = []
        self._add(0)
        self._second = len(self._classes)
        self._add(1)
        self._blocks: dict[int, set[int]] = {}
        for node, number in enumerate(self._classes):
            self._blocks.setdefault(number, set()).add(node)
        self.uneven = self._refine()
        """The classes, as lists of (side, type id), that one side has more types of than the other; where there are
        some, only those nearest to the cause, and the classes are no finer than it took to find them."""

    def class_of(self, side: int, number: int) -> int:
        """The class of a type: equal numbers, equal types; raises Malformed where there is no such type."""
        if number >= len(self.sides[side]):
            raise Malformed(f"BTF: no type {number}")
        return self._classes[self._second * side + number]

    def example(self, number: int) -> tuple[int, int]:
        """Side and id of a type of that class."""
        return self._place(min(self._blocks[number]))

    def _place(self, node: int) -> tuple[int, int]:
        return (0, node) if node < self._second else (1, node - self._second)

    def _add(self, side: int) -> None:
        btf, names = self.sides[side], self.strings[side]
        base, weight = len(self._classes), -1 if side else 1
        self._node("void", (), weight)
        records = [(0, 0, 0), *btf.records()]
        for words in records[1:]:
            label, targets = _decode(_in_order(words, records, names), names)
            if targets and max(targets) >= len(btf):
                raise Malformed(f"BTF: no type {max(targets)}")
            self._node(label, tuple([base + target for target in targets]), weight)
        for node in range(base, base + len(btf)):
            edges = self._edges[node]
            while len(edges) > FAN:
                parts = [edges[at : at + FAN] for at in range(0, len(edges), FAN)]
                edges = tuple([self._node(("part", len(part)), part, 0) for part in parts])
            self._edges[node] = edges

    def _node(self, label: object, edges: tuple[int, ...], weight: int) -> int:
        self._classes.append(self._labels.setdefault(label, len(self._labels)))
        self._edges.append(edges)
        self._weights.append(weight)
        return len(self._edges) - 1

    def _refine(self) -> list[list[tuple[int, int]]]:
        """Splits classes until they are stable, or until one is uneven; its answer is `uneven`."""
        users: list[list[int]] = [[] for _ in self._edges]
        for node, edges in enumerate(self._edges):
            for target in edges:
                users[target].append(node)
        touched: Iterable[int] = [node for node, edges in enumerate(self._edges) if edges]
        even = not any(map(self._balance, self._blocks.values()))
        while even and touched:
            moved, even = self._split(touched)
            touched = {user for node in moved for user in users[node]}
        uneven = [] if even else [sorted(block) for block in self._blocks.values() if self._balance(block)]
        return [[self._place(node) for node in block if self._weights[node]] for block in uneven]

    def _balance(self, nodes: Iterable[int]) -> int:
        return sum([self._weights[node] for node in nodes])

    def _split(self, touched: Iterable[int]) -> tuple[list[int], bool]:
        """One round for the nodes whose references changed class: which nodes change theirs, and whether every class
        is still even. An untouched node differs from the touched ones of its class: these have a new class among
        their references.
        """
        classes, of = self._classes, self._classes.__getitem__
        found: dict[int, dict[tuple[int, ...], list[int]]] = {}
        for node in touched:
            if len(self._blocks[classes[node]]) > 1:
                signature = tuple(map(of, self._edges[node]))
                found.setdefault(classes[node], {}).setdefault(signature, []).append(node)
        moved: list[int] = []
        even = True
        for number, groups in found.items():
            parts = sorted(groups.values(), key=len)
            block = self._blocks[number]
            rest = len(block) - sum(map(len, parts))
            if rest < len(parts[-1]):  # the largest part keeps the number, and the rest of the block is a part
                kept = set(parts.pop())
                if rest:
                    parts.append([*block.difference(kept, *parts)])
                self._blocks[number] = kept
            for part in parts:
                even = even and not self._balance(part)
                moved += part
                self._move(part, number)
        return moved, even

    def _move(self, part: list[int], number: int) -> None:
        self._blocks[number].difference_update(part)
        fresh = len(self._labels) + len(self._blocks)
        self._blocks[fresh] = set(part)
        for node in part:
            self._classes[node] = fresh


def _decode(words: tuple[int, ...], names: Strings) -> tuple[tuple[object, ...], tuple[int, ...]]:
    """What a type record says of itself, and the ids that it refers to."""
    name, info, last, *own = words
    kind = info >> 24 & 0x1F
    layout = _LAYOUTS[kind]
    text = names.__getitem__
    targets: list[int] = [last] if _REFERRING[kind] else []
    label: list[object] = [info, 0 if targets else last, text(name)]
    step = len(layout)
    for column, letter in enumerate(layout):
        cells = own[column::step]
        if letter == "r":
            targets += cells
        else:
            label.append(tuple(map(text, cells)) if letter == "n" else tuple(cells))
    return tuple(label), tuple(targets)


def _in_order(words: tuple[int, ...], records: list[tuple[int, ...]], names: Strings) -> tuple[int, ...]:
    """The record; that of a data section with its variables in order of offset, size, kind and name, because in a
    relocatable object the offset of every global variable is 0.
    """
    if words[1] >> 24 & 0x1F != Kind.DATASEC:
        return words
    rows = list(zip(words[3::3], words[4::3], words[5::3]))
    if max((number for number, _offset, _size in rows), default=0) >= len(records):
        raise Malformed(f"BTF: the data section {names[words[0]]!r} has a variable that isn't there")

    def rank(row: tuple[int, int, int]) -> tuple[int, int, int, bytes]:
        name, info, _last = records[row[0]][:3]
        return (row[1], row[2], info >> 24, names[name])

    return (*words[:3], *[word for row in sorted(rows, key=rank) for word in row])
