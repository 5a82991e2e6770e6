"""`vmlinux.h` from a kernel's types."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

from bpfgen.bpf.malformed import Malformed
from bpfgen.errors import Failure
from bpfgen.files import write_if_changed
from bpfgen.kernels.unusable import Unusable
from bpfgen.outputs.types import refusal

SWITCH = b"#define BPF_NO_KFUNC_PROTOTYPES\n\n"
"""bpftool from 7.5 on declares the kernel's functions too: then what a program may declare depends on the host."""


def step(file: str, kernel: str, bpftool: str, source: str, path: str, session: str) -> None:
    """Writes the header of raw BTF, by `bpftool btf dump file … format c` (bpftool-btf(8)) or, where that has no name,
    by `kernels.header`; a ready header is copied. With a builder's `session`, that is started meanwhile, and the index
    is made too, for which compiles would wait after they waited for the builder. Raises `Failure`.
    """
    if session:
        from bpfgen.cc.session import wake

        wake(session)
    try:
        if source.endswith(".h"):
            text = Path(source).read_bytes()
        else:
            text = _by_bpftool(bpftool, source) if bpftool else _by_ourselves(source)
        write_if_changed(path, text)
    except Unusable as error:
        raise Failure([refusal(file, kernel, source, error)]) from error
    if session:
        from bpfgen.cc.words import index_of

        with contextlib.suppress(ValueError):  # a header that can't be reduced; the index says so
            index_of(os.path.dirname(path))


def _by_ourselves(source: str) -> bytes:
    from bpfgen.bpf.btf import Btf
    from bpfgen.kernels.header import header

    try:
        return header(Btf(Path(source).read_bytes())).encode()
    except Malformed as error:
        raise Unusable(f"can't be written as C: {error}") from error


def _by_bpftool(bpftool: str, source: str) -> bytes:
    command = (bpftool, "btf", "dump", "file", source, "format", "c")
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode or not done.stdout:
        words = done.stderr.decode(errors="replace").strip().splitlines() or ["it wrote nothing"]
        message = f"can't be made a vmlinux.h by {bpftool}: {words[0].removeprefix('Error: ')}"
        raise Unusable(message, 'write  bpftool = "none"  below [toolchain]: then bpfgen makes it')
    return SWITCH + done.stdout
