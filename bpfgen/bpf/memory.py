"""How much of a kernel's memory a map takes when it is full: an estimate, by the rules of the kernel's `…_mem_usage`
functions (kernel/bpf/hashtab.c, arraymap.c and their neighbours, Linux 6.4 and later), for 64-bit kernels with pages of
4 KiB. Older kernels count a little otherwise. Structures of a fixed size for each map are left out.
"""

from __future__ import annotations

from typing import Optional

from bpfgen.bpf.info import MapInfo

BPF_F_NO_PREALLOC = 1
BPF_F_MMAPABLE = 1 << 10
POINTER = 8
PAGE = 4096
BUCKET = 16
"""`struct bucket` of a hash."""
LOCKS = 8 * 4
"""Bytes of a hash's locks, for each CPU (HASHTAB_MAP_LOCK_COUNT)."""
HASH_ELEMENT = 48
"""`struct htab_elem` before the key."""
LIST_NODE = 8
"""What the allocator puts before an element that isn't allocated in advance."""
TRIE_NODE = 24
"""`struct lpm_trie_node` before the key's bytes, in new kernels; 40 in older ones. Forks are not counted."""
STACK_BUCKET = 16
"""`struct stack_map_bucket` before its trace."""
RINGBUF_PAGES = 3
"""Pages of a ring buffer beside its data."""
POINTERS = frozenset(
    ("prog_array", "perf_event_array", "cgroup_array", "array_of_maps", "devmap", "cpumap", "xskmap", "sockmap",
     "reuseport_sockarray")
)  # fmt: skip
"""Types that hold a pointer for each entry; what it points to is not counted."""
HASHES = frozenset(("hash", "percpu_hash", "lru_hash", "lru_percpu_hash", "hash_of_maps"))


def memory(each: MapInfo, cpus: int = 1) -> Optional[int]:
    """Bytes of a full map on a machine with so many possible CPUs; None where the object doesn't say how large it gets:
    maps that are sized at run time, and types whose contents belong to sockets, tasks and the like.
    """
    if not each.max_entries:
        return None
    if each.type in HASHES:
        return _hash(each, cpus)
    value = _up(each.value_size, 8)
    if each.type in POINTERS:
        return each.max_entries * POINTER
    sizes = {
        "array": _array(each.max_entries * value, each.flags),
        "percpu_array": each.max_entries * (POINTER + value * cpus),
        "ringbuf": each.max_entries + RINGBUF_PAGES * PAGE,
        "user_ringbuf": each.max_entries + RINGBUF_PAGES * PAGE,
        "lpm_trie": each.max_entries * (TRIE_NODE + each.key_size - 4 + each.value_size),
        "queue": (each.max_entries + 1) * each.value_size,
        "stack": (each.max_entries + 1) * each.value_size,
        "stack_trace": _power(each.max_entries) * POINTER + each.max_entries * (STACK_BUCKET + each.value_size),
        "bloom_filter": _power(each.max_entries * (each.extra & 0xF or 5) * 7 // 5) // 8,
        "arena": each.max_entries * PAGE,
    }
    return sizes.get(each.type)


def _array(size: int, flags: int) -> int:
    """One that can be mapped, such as global data, has pages of its own, and one for its header."""
    return PAGE + _up(size, PAGE) if flags & BPF_F_MMAPABLE else size


def _hash(each: MapInfo, cpus: int) -> int:
    per_cpu, lru = "percpu" in each.type, each.type.startswith("lru")
    value = _up(each.value_size, 8)
    element = HASH_ELEMENT + _up(each.key_size, 8) + (POINTER if per_cpu else value)
    entries = each.max_entries
    more = 0
    if each.flags & BPF_F_NO_PREALLOC:
        element += LIST_NODE
    elif not per_cpu and not lru:
        entries += cpus  # one in reserve for each CPU, and a pointer to it
        more = POINTER * cpus
    values = value * cpus if per_cpu else 0
    return BUCKET * _power(each.max_entries) + LOCKS * cpus + more + entries * (element + values)


def _up(number: int, to: int) -> int:
    return -(-number // to) * to


def _power(number: int) -> int:
    """The next power of two."""
    return 1 << max(number - 1, 0).bit_length()
