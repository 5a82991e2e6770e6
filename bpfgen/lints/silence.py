"""What is silenced: by a comment at the line, or by `[[lint.allow]]` in `build.toml`."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from typing import Optional

from bpfgen.config.schemacheck import Silence
from bpfgen.errors import Location
from bpfgen.lints.tree import Tree

COMMENT = re.compile(r"(?://|/\*|#).*?\bbpfgen:\s*allow\(([^)]*)\)")


def by_comment(code: str, place: Optional[Location], source: str, tree: Tree) -> bool:
    """Whether a comment on the line, or on the one before, names the lint; anywhere in `source` where there is no
    line.
    """
    if place is None or not place.line:
        return any(code in _named(line) for line in tree.lines(source))
    lines = tree.lines(place.file)[max(place.line - 2, 0) : place.line]
    return any(code in _named(line) for line in lines)


def _named(line: str) -> list[str]:
    return [code.strip() for match in COMMENT.finditer(line) for code in match[1].split(",")]


def by_table(code: str, program: str, tables: Sequence[Silence]) -> Optional[int]:
    """The first of `[[lint.allow]]` that accepts a lint in a program, by index."""
    for index, each in enumerate(tables):
        if fnmatch.fnmatchcase(code, each.code) and fnmatch.fnmatchcase(program, each.program):
            return index
    return None
