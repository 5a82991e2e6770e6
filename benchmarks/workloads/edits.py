"""What one edit costs in libbpf-tools, and what it costs that there was none."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.measure import Command, Contestant, compare, run
from benchmarks.peers import X86
from benchmarks.results import Case, case
from benchmarks.workloads.tree import SUFFIX

EDITED = (("a small source", "opensnoop"), ("a large source", "ksnoop"), ("by far the largest source", "klockstat"))
SERIAL = itertools.count(1)


def edits(make: Contestant, ninja: Contestant, ours: Sequence[Contestant], rounds: int) -> list[Case]:
    """One file changes before each round; everyone must build what it takes, and Ninja and bpfgen nothing more."""
    all_ = (make, ninja, *ours)
    for one in all_:
        settle(one)
    found = []
    for what, program in EDITED:
        expected = frozenset([f"{X86.name}/{program}"])
        changed = [_edited(one, f"{program}{SUFFIX}", expected, exact=True) for one in all_]
        found.append(case(f"{what} edited ({program}{SUFFIX})", make.name, compare(changed, rounds)))
    header, users = common_header(ninja)
    changed = [_edited(one, header, users, exact=one is not make) for one in (ninja, make, *ours)]
    title = f"a header of {len(users)} programs edited ({header})"
    note = "The tree's own rule, `$(wildcard %.h)`, rebuilds nothing; here make is given every header."
    found.append(case(title, ninja.name, compare(changed, rounds), note=note))
    touched = [_touched(one, frozenset() if one in ours else None) for one in all_]
    found.append(case("vmlinux.h made again, the same as before", make.name, compare(touched, rounds)))
    found.append(case("nothing changed", make.name, compare([idle(one) for one in all_], rounds)))
    return found


def idle(one: Contestant) -> Contestant:
    """A contestant that has nothing to do, and must do nothing."""
    settle(one)
    return replace(one, prepare=lambda: None, remade=frozenset())


def settle(one: Contestant) -> None:
    """Brings a contestant up to date, and lets its files get older than what bpfgen trusts at once."""
    first = one.commands[0]
    for command in (*one.commands, Command(("sleep", "0.1"), first.folder, first.env), *one.commands):
        run(command)


def common_header(ninja: Contestant) -> tuple[str, frozenset[str]]:
    """The header of the tree whose number of users is nearest to a quarter of the programs, by Ninja's depfiles; and
    the objects of its users.
    """
    folder = ninja.commands[0].folder
    words = (ninja.commands[0].argv[0], "-t", "deps")
    text = subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True).stdout
    users: dict[str, set[str]] = {}
    for block in text.split("\n\n"):
        output, _, rest = block.strip().partition(": ")
        for line in map(str.strip, rest.splitlines()[1:]):
            if re.fullmatch(r"[\w.]+\.h", line):
                users.setdefault(line, set()).add(output)
    header = min(sorted(users), key=lambda name: abs(len(users[name]) - len(ninja.objects) / 4))
    names = {str(path.relative_to(folder)): name for name, path in ninja.objects.items()}
    return header, frozenset(names[output] for output in users[header])


def _edited(one: Contestant, file: str, expected: frozenset[str], exact: bool) -> Contestant:
    """A contestant before each of whose rounds a constant in `file` gets another value: no mere comment, so that
    every object of a user differs.
    """
    path = _tree(one) / file
    name = re.sub(r"\W", "_", f"bench_{file}")
    # In a header the line must be within its guard.
    head, guard, tail = path.read_text(encoding="utf-8").rpartition("#endif" if file.endswith(".h") else "\n")

    def edit() -> None:
        line = f"static const volatile int {name} __attribute__((used)) = {next(SERIAL)};\n"
        path.write_text(f"{head}\n{line}{guard}{tail}", encoding="utf-8")

    return replace(one, prepare=edit, remade=expected, exact=exact)


def _touched(one: Contestant, remade: frozenset[str] | None) -> Contestant:
    path = _tree(one) / X86.kernel / "vmlinux.h"
    return replace(one, prepare=lambda: os.utime(path), remade=remade)


def _tree(one: Contestant) -> Path:
    folder = one.commands[0].folder
    return folder if folder.name == "libbpf-tools" else folder / "libbpf-tools"
