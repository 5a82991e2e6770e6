"""What libbpf and cilium/ebpf themselves make of CO-RE relocations."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Union

import fetch
from oracle import MODULE, go

Result = Union[int, str]
"""What an instruction gets, as 64 bits; `missing` where it is poisoned, `stop` where the loader gives up."""
Results = dict[tuple[str, str, str, int], Result]
"""By object, then for libbpf the section, an empty word and the record's number in it; for cilium/ebpf the program, the
function and the slot in it. For a whole program, the last two are empty and 0."""
SOURCES = Path(__file__).parent / "core"
LIBBPF = re.compile(r"libbpf: (?:sec '(.+)': found \d+ CO-RE reloc|prog '.+?': relo #(\d+): (.*)$)")
PATCHED = re.compile(r"patched insn #\d+ \(.*\) (?:imm|imm64|off) \d+ -> (\d+)")
STOPS = ("failed to", "error matching")


def libbpf_command(folder: Path) -> Path:
    """Builds the one of `relo.c`."""
    subprocess.run(["gcc", SOURCES / "relo.c", "-o", folder / "relo", "-lbpf"], check=True)
    return folder / "relo"


def cilium_command(folder: Path) -> Path:
    """Builds the one of `main.go`."""
    (folder / "go.mod").write_text(f"module relo\n\ngo 1.24\n\nrequire {MODULE} {fetch.EBPF}\n")
    (folder / "main.go").write_bytes((SOURCES / "main.go").read_bytes())
    go("build", "-o", "relo", ".", cwd=folder)
    return folder / "relo"


def libbpf(command: Path, types: Path, objects: Iterable[Path]) -> Results:
    """By running it."""
    found: Results = {}
    name, section = "", ""
    for line in _run(command, types, objects):
        if line.startswith("object "):
            name = line[7:]
        match = LIBBPF.match(line)
        if match is None:
            continue
        if match[1]:
            section = match[1]
            continue
        said, key = match[3], (name, section, "", int(match[2]))
        patched = PATCHED.match(said)
        if patched:
            found[key] = int(patched[1])
        elif said.startswith("substituting"):
            found[key] = "missing"
        elif said.startswith(STOPS):
            found[key] = "stop"
    return found


def cilium(command: Path, types: Path, objects: Iterable[Path]) -> Results:
    """By running it; numbers of the program's own types, which it makes up, are left out."""
    found: Results = {}
    for line in _run(command, types, objects):
        name, program, function, slot, said = line.split("\t")
        kind, _, values = said.partition("=")
        if said.startswith("error"):
            found[name, program, function, int(slot or 0)] = "stop"
        elif kind != "local_type_id":
            number = "missing" if values == "poison" else int(values.partition("->")[2])
            found[name, program, function, int(slot)] = number
    return found


def _run(command: Path, types: Path, objects: Iterable[Path]) -> list[str]:
    done = subprocess.run([command, types, *objects], check=True, capture_output=True, text=True, errors="replace")
    return done.stdout.splitlines()
