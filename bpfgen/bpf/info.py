"""What bpfgen knows about one BPF object: plain data, ready for JSON."""

from __future__ import annotations

from typing import Optional

from bpfgen.frozen import frozen


@frozen
class ProgramInfo:
    """One program: a function in an executable section that a loader attaches."""

    name: str
    section: str
    """The ELF section, as written in `SEC()`, without libbpf's leading `?`."""
    type: str
    """The kernel's program type in lower case (`xdp`, `sched_cls`, …); `unspec` when no rule matches."""
    instructions: int
    """8-byte instruction slots (a 64-bit load counts as two)."""
    attach_type: str = ""
    """The expected attach type in lower case (`trace_fentry`, `cgroup_inet_ingress`, …); empty where there is none."""
    attach_to: str = ""
    """What `SEC()` says that it is attached to; empty where it says nothing."""
    sleepable: bool = False
    autoload: bool = True
    """Whether libbpf loads it unasked: `SEC("?…")` is not."""


@frozen
class MapInfo:
    """One map that a loader creates."""

    name: str
    """As declared; global data maps bear the name of their section (`.rodata`)."""
    type: str
    """The kernel's map type in lower case (`hash`, `ringbuf`, …); global data sections are `array`."""
    key_size: int
    """Bytes; 0 where the type has no keys."""
    value_size: int
    """Bytes; 0 where the type has no values."""
    max_entries: int
    """0 where it is set at run time."""
    flags: int
    key: str = ""
    """C name of the key's BTF type; empty where it is unknown."""
    value: str = ""
    pinning: str = ""
    """`name` where libbpf pins the map below /sys/fs/bpf by its name; a number that libbpf refuses as text."""
    extra: int = 0
    """`map_extra`"""
    numa_node: int = 0
    inner: Optional[MapInfo] = None
    """What the maps in a map of maps are made as, where the object says so."""


@frozen
class ObjectInfo:
    """One BPF object."""

    endian: str
    """`little` or `big`."""
    size: int
    """Bytes of the file."""
    sha256: str
    license: str
    """Empty where the object declares none."""
    has_btf: bool
    has_dwarf: bool
    btf_size: int
    programs: tuple[ProgramInfo, ...]
    maps: tuple[MapInfo, ...]
    subprograms: tuple[ProgramInfo, ...] = ()
    """Functions in `.text` that programs call (BPF-to-BPF)."""
