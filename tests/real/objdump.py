"""What llvm-objdump says of an object: an oracle that bpfgen has no part in."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

OBJDUMP = "llvm-objdump-19"
_FUNCTION = re.compile(r"^[0-9a-f]{16} <(.*)>:$")
_SECTION = re.compile(r"^Disassembly of section (.*):$")
_INSTRUCTION = re.compile(r"^\s+(\d+):\s+(.*?)(?:\s+<[^<>]*>)?$")
_CORE = re.compile(r"^\s+[0-9a-f]+:  CO-RE <(\w+)> \[(\d+)\] (.*) \(([\d:]+)\)$")


def disassembly(path: Path) -> dict[tuple[str, int], str]:
    """Text of every instruction, by section and slot."""
    return {place: text for place, text, _core in _rows(path)}


def core_relocations(path: Path) -> dict[tuple[str, int], tuple[str, int, str, str]]:
    """Kind, type, words and access string of each CO-RE relocation, by section and slot."""
    return {place: core for place, _text, core in _rows(path) if core is not None}


def _rows(path: Path) -> list[tuple[tuple[str, int], str, tuple[str, int, str, str] | None]]:
    words = (OBJDUMP, "-d", "-r", "--no-show-raw-insn", str(path))
    section, rows = "", list[tuple[tuple[str, int], str, "tuple[str, int, str, str] | None"]]()
    for line in subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines():
        if found := _SECTION.match(line):
            section = found[1]
        elif (found := _CORE.match(line)) and rows:
            place, text, _none = rows[-1]
            rows[-1] = (place, text, (found[1], int(found[2]), found[3], found[4]))
        elif found := _INSTRUCTION.match(line):
            rows.append(((section, int(found[1])), found[2], None))
    return rows
