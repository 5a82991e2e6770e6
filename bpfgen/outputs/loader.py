"""The static program that loads objects in machines."""

from __future__ import annotations

from bpfgen.verify.trouble import told


def step(loader: str, arch: str, libbpf: str, path: str) -> None:
    """Builds the loader `libbpf` or `cilium` for an architecture. Raises `Failure` and `OSError`."""
    from bpfgen.verify.loaders import build

    with told(path):
        build(loader, arch, libbpf, path)
