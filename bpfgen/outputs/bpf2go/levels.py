"""What each version of bpf2go writes: a level stays as it is, whatever later versions do.

Read in cilium/ebpf's cmd/bpf2go and elf_reader.go at the tags v0.17.0 to v0.22.0, and compared with these versions in
tests/real/test_same_bindings.py.
"""

from __future__ import annotations

from bpfgen.frozen import frozen


@frozen
class Level:
    """One level of `go.api`."""

    host_layout: bool
    """Structs begin with `_ structs.HostLayout`, which came with Go 1.23; and `bpfel` is for wasm too."""
    struct_ops: bool
    """Variables of `.struct_ops.link` are maps."""
    constants: bool
    """Names of maps, programs and variables are constants; and `any` is written for `interface{}`."""


LEVELS = {
    f"0.{minor}": Level(host_layout=minor >= 19, struct_ops=minor >= 21, constants=minor >= 22)
    for minor in range(17, 23)
}
"""By `go.api`."""
