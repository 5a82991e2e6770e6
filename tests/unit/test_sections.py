"""`SEC()` names → program types, and the two catalogue files of names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bpfgen.bpf.code import helper_name
from bpfgen.bpf.maps import map_type
from bpfgen.bpf.programs import SectionRule, program_type, section_rule
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


def test_a_rule_says_more_than_the_type() -> None:
    assert section_rule("fentry.s/do_unlinkat") == SectionRule(
        "tracing", "trace_fentry", frozenset({"btf", "sleepable"}), "do_unlinkat"
    )
    assert section_rule("uprobe//bin/sh:main").attach_to == "/bin/sh:main"
    assert section_rule("kprobe.multi/tcp_*") == SectionRule("kprobe", "trace_kprobe_multi", frozenset(), "tcp_*")
    assert section_rule("cgroup/connect4") == SectionRule("cgroup_sock_addr", "cgroup_inet4_connect")
    assert section_rule("xdp.frags").flags == {"frags"}
    assert section_rule("tcx") == SectionRule("unspec")


def test_rules_name_each_section_once_and_only_types_of_the_kernel() -> None:
    names = [*table("sections")]
    assert len(names) == 116  # as libbpf's section_defs at the commit that the table names
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
    rows = table("sections").values()
    assert {row[0] for row in rows} - types <= {"netfilter"}  # 6.4; older headers don't have it
    assert {flag for row in rows for flag in row[2:]} == {"sleepable", "frags", "btf", "optional", "usdt"}
    attaching = {name.lower() for name in re.findall(r"^\tBPF_(\w+),$", header, re.MULTILINE)}
    newer = ("tcx", "netkit", "unix", "session", "multi", "netfilter")
    assert [
        row for row in rows if row[1:2] > [""] and row[1] not in attaching and not any(w in row[1] for w in newer)
    ] == []
    helpers = re.search(r"#define _+BPF_FUNC_MAPPER\(FN.*?\n\n", header, re.DOTALL)
    assert helpers
    named = list(re.findall(r"FN\((\w+)", helpers[0]))
    assert named[1:] == [helper_name(number) for number in range(1, len(named))]
    assert len(named) > 200
