"""What a kernel said of the objects that are for it."""

from __future__ import annotations

from bpfgen.outputs import PLAN, read_notes
from bpfgen.verify.trouble import told


def step(plan: str, kernel: str, arch: str, image: str, config: str, loader: str, path: str) -> None:
    """Loads what has changed in a machine that boots `image`, and writes the report. Raises `Failure` and `OSError`."""
    from bpfgen.verify.targets import verify_target

    with told(path):
        verify_target(read_notes(plan, (*PLAN, "verify")), kernel, arch, (image, config), loader, path)
