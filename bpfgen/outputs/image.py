"""The kernel of a kernel target as the file that a machine boots, out of whatever it comes in."""

from __future__ import annotations

from bpfgen.errors import Failure
from bpfgen.kernels.unusable import Unusable
from bpfgen.outputs.types import refusal
from bpfgen.verify.trouble import told


def step(file: str, kernel: str, arch: str, key: str, source: str, path: str, config: str) -> None:
    """Writes the kernel of `source`, which the kernel target has for `key` (`image` or `btf`), and its configuration,
    which is empty where `source` has none. Raises `Failure` and `OSError`.
    """
    from bpfgen.files import write_if_changed
    from bpfgen.kernels.boot import bootable, configuration
    from bpfgen.kernels.held import mapped

    with told(path):
        try:
            data = mapped(source)
            write_if_changed(path, bootable(data, arch)[:])
            write_if_changed(config, configuration(data))
        except Unusable as error:
            raise Failure([refusal(file, kernel, source, error, key)]) from error
