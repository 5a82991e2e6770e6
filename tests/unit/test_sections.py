"""`SEC()` names → program types, and the two catalogue files of names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bpfgen.bpf.maps import map_type
from bpfgen.bpf.programs import program_type
from bpfgen.catalog import table

UAPI = Path("/usr/include/linux/bpf.h")


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("xdp", "xdp"),
        ("xdp.frags/cpumap", "xdp"),
        ("tc", "sched_cls"),
        ("tcx/ingress", "sched_cls"),
        ("action", "sched_act"),
        ("kprobe", "kprobe"),
        ("kprobe/do_exit+4", "kprobe"),
        ("kprobe.multi/tcp_*", "kprobe"),
        ("uprobe.s//bin/sh:main", "kprobe"),
        ("usdt/libc.so.6:libc:setjmp", "kprobe"),
        ("tp/sched/sched_switch", "tracepoint"),
        ("raw_tp.w/x", "raw_tracepoint_writable"),
        ("fentry.s/x", "tracing"),
        ("freplace/x", "ext"),
        ("lsm.s/file_open", "lsm"),
        ("cgroup/connect4", "cgroup_sock_addr"),
        ("struct_ops.s/init", "struct_ops"),
        ("syscall", "syscall"),
        # A name without `+` stands for itself alone, and a prefix ends at a slash.
        ("xdp/mine", "unspec"),
        ("tcx", "unspec"),
        ("kprobes/do_exit", "unspec"),
        ("kprobe_do_exit", "unspec"),
        ("cgroup/", "unspec"),
        ("", "unspec"),
    ],
)
def test_program_type(section: str, expected: str) -> None:
    assert program_type(section) == expected


def test_rules_name_each_section_once_and_only_types_of_the_kernel() -> None:
    names = [name for names in table("sections").values() for name in names]
    assert len(names) == len(set(names)) == 116
    assert all(re.fullmatch(r"[a-z0-9_.]+(/[a-z0-9_]+)?\+?", name) for name in names)
    assert not [name for name in names if name.endswith("+") and "/" in name], "program_type() needs this"


def test_map_types() -> None:
    assert [map_type(number) for number in (1, 2, 27, 999)] == ["hash", "array", "ringbuf", "999"]


@pytest.mark.real
def test_names_agree_with_the_kernel_header() -> None:
    header = UAPI.read_text()
    maps = re.search(r"enum bpf_map_type \{(.*?)\};", header, re.DOTALL)
    assert maps
    known = re.findall(r"^\tBPF_MAP_TYPE_(\w+),$", maps[1], re.MULTILINE)
    assert [map_type(number) for number in range(len(known))] == [name.lower() for name in known]
    programs = re.search(r"enum bpf_prog_type \{(.*?)\};", header, re.DOTALL)
    assert programs
    types = {name.lower() for name in re.findall(r"BPF_PROG_TYPE_(\w+),", programs[1])}
    assert set(table("sections")) - types <= {"netfilter"}  # 6.4; older headers don't have it
