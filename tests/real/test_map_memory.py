"""Maps' memory as bpfgen estimates it against what a kernel says of maps that it has made (`memlock` in fdinfo)."""

from __future__ import annotations

import ctypes
import os
import platform
import re
from pathlib import Path

import pytest

from bpfgen.bpf.info import MapInfo
from bpfgen.bpf.memory import BPF_F_MMAPABLE, BPF_F_NO_PREALLOC, memory
from bpfgen.catalog import feature_names

BPF_SYSCALL = {"x86_64": 321, "aarch64": 280}.get(platform.machine(), 0)
BPF_MAP_CREATE, BPF_MAP_UPDATE_ELEM = 0, 2
LIBC = ctypes.CDLL(None, use_errno=True)
HEADER = 8192
"""Bytes that a map's own structures, which aren't counted, take at most."""

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(os.geteuid() != 0 or not BPF_SYSCALL, reason="maps are made by root"),
]


def info(kind: str, key: int, value: int, entries: int, flags: int = 0) -> MapInfo:
    """A map as an object declares it."""
    return MapInfo("m", kind, key, value, entries, flags)


MAPS = [
    info("array", 4, 12, 5000),
    info("array", 4, 12, 5000, BPF_F_MMAPABLE),
    info("percpu_array", 4, 12, 5000),
    info("hash", 6, 20, 5000),
    info("hash", 6, 20, 3000, BPF_F_NO_PREALLOC),
    info("lru_hash", 16, 8, 5000),
    info("percpu_hash", 4, 12, 5000),
    info("lru_percpu_hash", 4, 12, 5000),
    info("prog_array", 4, 4, 5000),
    info("perf_event_array", 4, 4, 5000),
    info("ringbuf", 0, 0, 1 << 20),
    info("queue", 0, 20, 5000),
    info("stack", 0, 20, 5000),
    info("stack_trace", 4, 1016, 5000),
    info("bloom_filter", 0, 8, 50000),
    info("lpm_trie", 8, 12, 3000, BPF_F_NO_PREALLOC),
]


def bpf(command: int, attributes: bytes) -> int:
    """The system call; raises OSError."""
    # 0 bytes after what is known mean the same as nothing, to every kernel.
    found = int(LIBC.syscall(BPF_SYSCALL, command, attributes.ljust(120, b"\0"), 120))
    if found < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return found


def fill(file: int, each: MapInfo) -> None:
    """Puts in as many elements as it takes."""
    for index in range(each.max_entries):
        number = index.to_bytes(4, "big")
        key = (32).to_bytes(4, "little") + number if each.type == "lpm_trie" else number
        key, value = key.ljust(each.key_size, b"\0"), bytes(each.value_size)
        buffers = [ctypes.create_string_buffer(data, len(data)) for data in (key, value)]
        places = b"".join(ctypes.addressof(buffer).to_bytes(8, "little") for buffer in buffers)
        bpf(BPF_MAP_UPDATE_ELEM, file.to_bytes(8, "little") + places)


@pytest.mark.parametrize("each", MAPS, ids=lambda each: f"{each.type}-{each.flags}")
def test_memory_as_the_kernel_counts(each: MapInfo) -> None:
    """To the byte, but for structures of a fixed size; nodes of a trie are 16 bytes larger in older kernels."""
    numbers = {name: number for number, name in feature_names("map_type", "BPF_MAP_TYPE_").items()}
    words = (numbers[each.type], each.key_size, each.value_size, each.max_entries, each.flags)
    file = bpf(BPF_MAP_CREATE, b"".join(word.to_bytes(4, "little") for word in words))
    try:
        if each.flags & BPF_F_NO_PREALLOC:
            fill(file, each)
        text = Path(f"/proc/self/fdinfo/{file}").read_text(encoding="utf-8")
    finally:
        os.close(file)
    said = int(re.findall(r"^memlock:\s*(\d+)$", text, re.MULTILINE)[0])
    possible = Path("/sys/devices/system/cpu/possible").read_text(encoding="utf-8").strip().rpartition("-")[2]
    counted = memory(each, int(possible) + 1)
    assert counted is not None
    room = 16 * each.max_entries if each.type == "lpm_trie" else 0
    assert 0 <= said - counted <= HEADER + room, (said, counted)
