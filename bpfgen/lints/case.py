"""One object with all that lints look at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Optional, Union

from bpfgen.bpf.code import Function
from bpfgen.config.schema import Config
from bpfgen.errors import Location
from bpfgen.lints.tree import Tree
from bpfgen.matrix import Unit
from bpfgen.verdicts.subject import Site, Subject

Where = Callable[[tuple[Union[str, int], ...]], Location]
"""A path of keys → its place in `build.toml`."""


class Case:
    """A unit that was built: its object, the files that its compiles read, and `build.toml`."""

    def __init__(
        self, unit: Unit, subject: Subject, reads: Sequence[str], tree: Tree, config: Config, where: Where
    ) -> None:
        """`subject` has all programs of the object; `reads` are as the compiler named them."""
        self.unit, self.subject, self.reads = unit, subject, reads
        self.tree, self.config, self.where = tree, config, where

    @cached_property
    def own(self) -> tuple[str, ...]:
        """Files of the project that were read, relative to it."""
        return tuple(dict.fromkeys(name for name in map(self.tree.own, self.reads) if name is not None))

    @property
    def versions(self) -> tuple[Optional[str], ...]:
        """Upstream versions of the kernel targets that it is for."""
        return tuple(self.config.kernel[name].upstream for name in self.unit.kernels)

    def at(self, site: Site) -> Optional[Location]:
        """Where an instruction comes from, if that is known and the project's."""
        line = self.subject.line(site)
        name = self.tree.own(line.file) if line is not None else None
        return Location(name, line.number, line.column) if line is not None and name is not None else None

    def head(self, function: Function) -> Optional[Location]:
        """The line that names a function, else that of its first instruction."""
        place = self.at((function, function.start))
        if place is None:
            return None
        lines, named = self.tree.code(place.file), re.compile(rf"\b{re.escape(function.name)}\b\s*[(,)]")
        above = (number for number in range(min(place.line, len(lines)), 0, -1) if named.search(lines[number - 1]))
        return Location(place.file, next(above, place.line))

    def declared(self, name: str, word: str = "") -> Optional[Location]:
        """The line that declares a map, or the one in its declaration that has `word`."""
        pattern = re.compile(rf'\b{re.escape(name)}\b.*\bSEC\s*\(\s*"\.?maps')
        for path in self.own:
            lines = self.tree.code(path)
            for number, line in enumerate(lines, 1):
                if pattern.search(line):
                    return Location(path, next(_above(lines, number, word), number))
        return None


def _above(lines: Sequence[str], number: int, word: str) -> Iterator[int]:
    """Lines with a word, from `number` up to where the declaration begins."""
    for at in range(number, 0, -1):
        if word and re.search(rf"\b{word}\b", lines[at - 1]):
            yield at
        if re.match(r"\s*(?:static\s+|const\s+)*struct\b", lines[at - 1]):
            return
