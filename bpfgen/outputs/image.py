"""The kernel of a kernel target as the file that a machine boots, out of whatever it comes in."""

from __future__ import annotations

from bpfgen.errors import Failure
from bpfgen.kernels.unusable import Unusable
from bpfgen.outputs.types import refusal
from bpfgen.verify.trouble import told


def step(file: str, kernel: str, arch: str, key: str, source: str, path: str) -> None:
    """Writes the kernel of `source`, which the kernel target has for `key` (`image` or `btf`). Raises `Failure` and
    `OSError`.
    """
    from bpfgen.files import write_if_changed
    from bpfgen.kernels.boot import bootable
    from bpfgen.kernels.held import mapped

    with told(path):
        try:
            write_if_changed(path, bootable(mapped(source), arch)[:])
        except Unusable as error:
            raise Failure([refusal(file, kernel, source, error, key)]) from error
