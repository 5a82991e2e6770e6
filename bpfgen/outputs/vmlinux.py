"""`vmlinux.h` from a kernel's types."""

from __future__ import annotations

import subprocess

from bpfgen.errors import EXIT_FAILED, Failure, Location, Problem
from bpfgen.files import write_if_changed


def step(bpftool: str, source: str, path: str) -> None:
    """Writes the header of raw BTF or of a vmlinux ELF file, by `bpftool btf dump file … format c` (bpftool-btf(8));
    a ready header is copied. Raises `Failure` when bpftool refuses the file.
    """
    if source.endswith(".h"):
        with open(source, "rb") as file:
            write_if_changed(path, file.read())
    else:
        write_if_changed(path, _dump(bpftool, source))


def _dump(bpftool: str, source: str) -> bytes:
    command = (bpftool, "btf", "dump", "file", source, "format", "c")
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode or not done.stdout:
        words = done.stderr.decode(errors="replace").strip().splitlines() or ["it wrote nothing"]
        hint = "it must be raw BTF (such as /sys/kernel/btf/vmlinux), a vmlinux ELF file, or a vmlinux.h"
        message = f"bpftool can't make a vmlinux.h of it: {words[0].removeprefix('Error: ')}"
        raise Failure([Problem(Location(source), message, hint)], EXIT_FAILED)
    return done.stdout
