"""`vmlinux.h` from a kernel's types, and the index that it is reduced with."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bpfgen.cc import VMLINUX
from bpfgen.cc.declarations import Unreadable, parse
from bpfgen.cc.index import FILE, dump, refusal
from bpfgen.errors import EXIT_FAILED, Failure, Location, Problem
from bpfgen.files import write_if_changed


def write(bpftool: str, source: str, folder: str) -> None:
    """Writes the header of raw BTF or of a vmlinux ELF file, by `bpftool btf dump file … format c` (bpftool-btf(8));
    a ready header is copied. Beside it goes the index (see `cc.index`). Raises `Failure` when bpftool
    refuses the file.
    """
    header = Path(source).read_bytes() if source.endswith(".h") else _dump(bpftool, source)
    try:
        index = dump(parse(header))
    except Unreadable as reason:
        index = refusal(f"the vmlinux.h {reason}")
    write_if_changed(f"{folder}/{FILE}", index)
    write_if_changed(f"{folder}/{VMLINUX}", header)


def _dump(bpftool: str, source: str) -> bytes:
    command = (bpftool, "btf", "dump", "file", source, "format", "c")
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode or not done.stdout:
        words = done.stderr.decode(errors="replace").strip().splitlines() or ["it wrote nothing"]
        hint = "it must be raw BTF (such as /sys/kernel/btf/vmlinux), a vmlinux ELF file, or a vmlinux.h"
        message = f"bpftool can't make a vmlinux.h of it: {words[0].removeprefix('Error: ')}"
        raise Failure([Problem(Location(source), message, hint)], EXIT_FAILED)
    return done.stdout
