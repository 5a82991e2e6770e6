"""Commands of a build → what is to become of them: compiles, and what other tools do with BPF objects. Pure but for
globs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Optional

from bpfgen.bpf2go.remarks import Note
from bpfgen.errors import Location, Problem
from bpfgen.frozen import field, frozen
from bpfgen.recipes.clang import Compiled, compiled, compiler, for_bpf
from bpfgen.recipes.lexer import Unreadable
from bpfgen.recipes.walk import Command, commands


@frozen
class Line:
    """One command line of another tool, as a shell would get it."""

    where: Optional[Location]
    folder: str
    """Absolute."""
    text: str
    words: tuple[str, ...] = ()
    """Its arguments, where they are known without a shell."""


@frozen
class Gathered:
    """What the lines of a build do."""

    compiles: list[Compiled] = field(default_factory=list)
    kernels: dict[str, Optional[Location]] = field(default_factory=dict)
    """Files that `bpftool btf dump file … format c` reads, as they are seen from the line's folder, absolute."""
    linked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Objects of `bpftool gen object`, with what they are linked of; absolute."""
    skeletons: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    left: list[Problem] = field(default_factory=list)


ENGINES = ("docker", "podman", "nerdctl", "vagrant", "ssh", "limactl")


def gather(lines: Iterable[Line], environ: Mapping[str, str]) -> Gathered:
    """Reads every line."""
    found = Gathered()
    for line in lines:
        try:
            known = [Command(line.words, line.folder, "", piped=False)] if line.words else None
            for command in known if known is not None else commands(line.text, line.folder, environ):
                _take(command, line, found)
        except Unreadable as error:
            if for_bpf(line.text):
                found.left.append(Problem(line.where, f"this line can't be followed: {error}", _shown(line.text)))
    return found


def _take(command: Command, line: Line, found: Gathered) -> None:
    name = os.path.basename(command.words[0])
    compiles = compiled(command, line.where)
    found.compiles.extend(compiles)
    if compiles:
        return
    if name == "bpftool":
        _bpftool(command, line, found)
    elif name in ENGINES:
        if any(word.startswith(("clang", "make")) for word in command.words) or "run" in command.words:
            text = f"{name} is left out: what it runs inside isn't seen; clang in a container is [builder.docker]"
            found.notes.append(Note(line.where, text))
    elif name.startswith("llc") and any(word.startswith("-march=bpf") for word in command.words):
        _llc(line, found)
    elif name == "go" and command.words[1:2] == ("generate",):
        text = (
            "`go generate` is left out: `bpfgen import bpf2go` reads its lines, and `bpfgen bpf2go` can stand in them"
        )
        found.notes.append(Note(line.where, text))
    elif name.startswith("pahole"):
        found.notes.append(Note(line.where, "pahole is left out: clang writes BTF itself"))
    elif compiler(command.words) is None and any(map(for_bpf, (" ".join(command.words),))):
        found.left.append(Problem(line.where, f"{name} is no clang that bpfgen knows", _shown(line.text)))


def _llc(line: Line, found: Gathered) -> None:
    """The second half of a compile in two: right where clang was told the target, too."""
    if for_bpf(line.text.replace("-march=bpf", "")):
        found.notes.append(Note(line.where, "llc is left out: clang makes the object itself"))
        return
    message = "clang compiles for this host here, and llc makes BPF of that: the result depends on the host"
    found.left.append(Problem(line.where, message, "have clang compile with -target bpf, and drop llc"))


def _bpftool(command: Command, line: Line, found: Gathered) -> None:
    words = [word for word in command.words[1:] if not word.startswith("-")]
    if words[:3] == ["btf", "dump", "file"] and words[4:6] == ["format", "c"]:
        found.kernels.setdefault(_absolute(command.folder, words[3]), line.where)
    elif words[:2] == ["gen", "object"] and len(words) > 3:
        output, *parts = (_absolute(command.folder, word) for word in words[2:])
        if len(parts) > 1:
            found.linked[output] = tuple(parts)
    elif words[:2] == ["gen", "skeleton"]:
        found.skeletons.extend(words[2:3])
    elif words[:2] != ["gen", "object"]:
        found.notes.append(Note(line.where, f"left out: bpftool {' '.join(words)}"))


def _absolute(folder: str, path: str) -> str:
    return os.path.normpath(os.path.join(folder, path))


def _shown(text: str, most: int = 100) -> str:
    said = " ".join(text.replace("\\\n", " ").split())
    return said if len(said) <= most else f"{said[: most - 1]}…"


def by_output(compiles: Sequence[Compiled]) -> dict[str, Compiled]:
    """Each compile by its object, absolute; the last one of a name, as in a file system."""
    return {_absolute(each.folder, each.output): each for each in compiles if each.output}
