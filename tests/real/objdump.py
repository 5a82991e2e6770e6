"""What llvm-objdump says of an object, compared with what bpfgen says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Optional

from bpfgen.bpf.disasm import text
from bpfgen.bpf.object import BpfObject

OBJDUMP = "llvm-objdump-19"
_SECTION = re.compile(r"^Disassembly of section (.*):$")
_INSTRUCTION = re.compile(r"^ +(\d+):\t(.*?)(?: <[^<>]*>)?$")
_CORE = re.compile(r"^\t\t[0-9a-f]+:  CO-RE <\w+> \[(\d+)\] (.*?)(?: \([\d:]+\)| = \S+)?$")
_LINE = re.compile(r"^; (.+:\d+)$")
_ANONYMOUS = re.compile(r"<anon \d+>\.?")
_NAME = re.compile(r"(?:[a-z0-9]+ )?(.*?)(?:::(.*))?$")

Place = tuple[str, int]
"""Section and slot."""
Core = tuple[int, str]
"""Type and path of a CO-RE relocation; paths as bpfgen writes them, without anonymous members."""
Row = tuple[str, Optional[Core], str]
"""Text, relocation and `FILE:LINE` of an instruction."""


def differences(path: Path) -> list[str]:
    """A line for each instruction of which the two don't say the same, at most 20: its text, relocation or line."""
    found, theirs = BpfObject(path.read_bytes()), _rows(path)
    code = {(each.section, insn.slot): text(insn) for each in found.functions for insn in each.code}
    asked = {(each.section, each.slot): (each.access.root, each.access.path) for each in found.relocations}
    starts = {(each.section, insn.slot): each.start for each in found.functions for insn in each.code}
    ours = {
        place: (
            _known(words),
            asked.get(place),
            # llvm-objdump names a line only where it changes.
            _line(found, place, starts[place]) if place in theirs and theirs[place][2] else "",
        )
        for place, words in code.items()
    }
    places = sorted({*ours, *theirs})
    unlike = [place for place in places if ours.get(place) != theirs.get(place)]
    return [f"{place}: {ours.get(place)}, {theirs.get(place)}" for place in unlike[:20]]


def _line(found: BpfObject, place: Place, start: int) -> str:
    line = found.lines.at(*place, start) if found.lines is not None else None
    return f"{line.file}:{line.number}" if line is not None else ""


def _known(words: str) -> str:
    return "<unknown>" if words.startswith(".insn") else words


def _rows(path: Path) -> dict[Place, Row]:
    # alu32: names of 32-bit registers where 32 bits are loaded, which newer versions show by default.
    words = (OBJDUMP, "-d", "-r", "-l", "--no-show-raw-insn", "--mattr=+alu32", str(path))
    place, line_of, rows = ("", 0), "", dict[Place, Row]()
    for line in subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines():
        if found := _SECTION.match(line):
            place = (found[1], 0)
        elif found := _INSTRUCTION.match(line):
            place = (place[0], int(found[1]))
            rows[place] = (found[2].replace("\t", " "), None, line_of)
            line_of = ""
        elif found := _CORE.match(line):
            rows[place] = (rows[place][0], (int(found[1]), _path(found[2])), rows[place][2])
        elif found := _LINE.match(line):
            line_of = found[1]
    return rows


def _path(words: str) -> str:
    """`struct mm::[1].<anon 0>.users[2]` → `mm[1].users[2]`."""
    found = _NAME.match(words)
    assert found
    root, rest = "(anon)" if found[1].startswith("<anon") else found[1], found[2] or ""
    rest = _ANONYMOUS.sub("", rest).rstrip(".")
    return root + (rest if rest.startswith("[") or not rest else f".{rest}")
