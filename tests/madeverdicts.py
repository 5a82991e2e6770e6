"""Verdicts made by hand: some of everything that can be shown."""

from __future__ import annotations

from typing import Any, Optional

from bpfgen.bpf.lines import Line
from bpfgen.findings.rows import Upstream
from bpfgen.verdicts.model import CONDITIONAL, FAILS, OK, UNKNOWN, Reason, Verdict, worst

KERNELS: Upstream = {"lts61": "6.1", "rhel": None, "lts510": "5.10", "lts54": "5.4"}
"""In the order of a file."""

LOOP = Reason(
    FAILS,
    "helper",
    "bpf_loop",
    "there is no helper bpf_loop before 5.17",
    program="on_exec",
    line=Line("bpf/exec.c", 12, 5, "bpf_loop(8, step, <0>, 0); // 100 %, a::b"),
    source="upstream",
)
RINGBUF = Reason(FAILS, "map_type", "ringbuf", "there is no map type ringbuf before 5.8", source="upstream")
STATE = Reason(
    FAILS,
    "core",
    "task_struct.__state",
    "struct task_struct has no field __state",
    program="on_switch",
    line=Line("bpf/exec.c", 30, 9, "return BPF_CORE_READ(task, __state);"),
    source="btf",
)
GUARDED = Reason(
    OK, "core", "task_struct.state", "a guard leaves it out", program="on_switch", line=Line("bpf/exec.c", 28, 9, "x")
)
MODULE = Reason(CONDITIONAL, "attach_target", "nf_nat_ipv4", "it needs the module nf_nat", program="on_nat")
ODD = Reason(UNKNOWN, "kfunc", "bpf_odd", "nothing is known of the kfunc bpf_odd")


def verdict(object_id: str, kernel: str, arch: str, *reasons: Reason) -> Verdict:
    """One that its reasons make."""
    program = object_id.partition("/")[0]
    return Verdict(object_id, program, f"out/obj/{object_id}.bpf.o", kernel, arch, worst(reasons), reasons)


def sample() -> list[Verdict]:
    """`count` loads everywhere, `exec` on some kernels, `nat` differs by architecture and variant."""
    found = [verdict("count/bpfel", kernel, arch) for kernel in KERNELS for arch in ("amd64", "arm64")]
    for arch in ("amd64", "arm64"):
        found += [
            verdict("exec/bpfel", "lts54", arch, LOOP, RINGBUF, STATE, GUARDED),
            verdict("exec/bpfel", "lts510", arch, LOOP, STATE, GUARDED),
            verdict("exec/bpfel", "lts61", arch, GUARDED),
            verdict("exec/bpfel", "rhel", arch, ODD),
        ]
    return [
        *found,
        verdict("nat/x86_bpfel", "lts510", "amd64", MODULE),
        verdict("nat/x86_bpfel", "lts61", "amd64"),
        verdict("nat/arm64_bpfel", "lts510", "arm64", RINGBUF),
        verdict("nat/arm64_bpfel", "lts61", "arm64"),
        verdict("nat/x86_bpfel@debug", "lts61", "amd64"),
        verdict("nat/arm64_bpfel@debug", "lts61", "arm64"),
    ]


def manifest(verdicts: list[Verdict]) -> dict[str, Any]:
    """One that fits: every object has a program and a map."""
    ids = dict.fromkeys(each.object for each in verdicts)
    entries = [_entry(name, [each.arch for each in verdicts if each.object == name]) for name in ids]
    return {"bpfgen": "0", "project": "<test>", "toolchain": {"clang": "clang 19"}, "objects": entries}


def _entry(name: str, arches: list[str], instructions: Optional[int] = None) -> dict[str, Any]:
    program = name.partition("/")[0]
    function = {"name": f"on_{program}", "section": "xdp", "type": "xdp", "instructions": instructions or len(name)}
    ring = {"name": "events", "type": "ringbuf", "key_size": 0, "value_size": 0, "max_entries": 4096, "flags": 0}
    return {
        "id": name,
        "program": program,
        "variant": name.partition("@")[2],
        "arches": list(dict.fromkeys(arches)),
        "sources": [f"bpf/{program}.c"],
        "path": f"out/obj/{name}.bpf.o",
        "size": 1000 + len(name),
        "btf_size": 500,
        "license": "GPL",
        "programs": [function],
        "subprograms": [],
        "maps": [ring],
    }
