"""Names for programs: short ones, and as much longer as it takes to tell them apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from bpfgen.config.schema import Program

LONGEST = 90
"""Letters; a program's name may have 100, and a number can come on top."""


def names(programs: Sequence[Program], taken: Iterable[str]) -> list[str]:
    """A name for each program, from its source and its Go names; none is in `taken`, and case tells none apart."""
    choices = [_choices(program) for program in programs]
    level = [0] * len(programs)
    reserved = {name.casefold() for name in taken}

    def clashing() -> list[int]:
        now = [row[at].casefold() for row, at in zip(choices, level)]
        count = Counter(now)
        return [
            index
            for index, name in enumerate(now)
            if (count[name] > 1 or name in reserved) and level[index] + 1 < len(choices[index])
        ]

    while longer := clashing():
        for index in longer:
            level[index] += 1
    return _numbered([row[at] for row, at in zip(choices, level)], reserved)


def _choices(program: Program) -> list[str]:
    """From short to long: the source, with its folders, with the Go names, with the targets."""
    *folders, file = [part for part in str(program.source).split("/") if part not in {"", ".", ".."}] or [""]
    base = file.split(".", 1)[0]
    stem = program.go.stem if program.go else None
    kind = "portable" if program.portable else "_".join(program.arches or ())
    paths = ["_".join((*folders[at:], base)) for at in range(len(folders), -1, -1)]
    more = [f"{path}_{stem}" for path in (paths[0], paths[-1])]
    return [_plain(name) for name in (*paths, *more, *(f"{name}_{kind}" for name in more))]


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name).lstrip(".-")[:LONGEST] or "program"


def _numbered(chosen: Sequence[str], taken: set[str]) -> list[str]:
    result: list[str] = []
    seen = set(taken)
    for name in chosen:
        number, free = 2, name
        while free.casefold() in seen:
            free, number = f"{name}_{number}", number + 1
        seen.add(free.casefold())
        result.append(free)
    return result
