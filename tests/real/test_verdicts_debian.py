"""Verdicts for Debian's kernels of four series: each need where it isn't met, and the same behind a guard."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import fetch
import pytest
from project import Project

from bpfgen.verdicts.model import Verdict, from_json

pytestmark = pytest.mark.input
KERNELS = {"d510": "5.10", "d61": "6.1", "d612": "6.12", "d7": "7"}
HERE = "/*!*/"
HEAD = """\
#define SEC(name) __attribute__((section(name), used))
#define __ksym __attribute__((section(".ksyms")))
#define __kconfig __attribute__((section(".kconfig")))
#define __weak __attribute__((weak))
#define __noinline __attribute__((noinline))
#define __core __attribute__((preserve_access_index))
typedef unsigned int u32;
typedef unsigned long long u64;
static void *(*const lookup)(void *, const void *) = (void *)1;
static long (*const loop)(u32, void *, void *, u64) = (void *)181;
enum bpf_func_id { BPF_FUNC_loop = 181 };
struct task_struct { long state; u32 __state; } __core;
extern int LINUX_KERNEL_VERSION __kconfig;
char _license[] SEC("license") = "GPL";
"""
PROGRAMS = {
    "ring": """\
struct { int (*type)[27]; int (*max_entries)[4096]; } events SEC(".maps");
SEC("xdp") int f(void *c) {
return lookup(&events, c) != 0; /*!*/
}
""",
    "loop": """\
static int each(u32 at, void *c) { return 0; }
SEC("xdp") int f(void *c) {
return loop(3, each, c, 0); /*!*/
}
""",
    "loop-guarded": """\
SEC("xdp") int f(void *c) {
if (!__builtin_preserve_enum_value(*(enum bpf_func_id *)BPF_FUNC_loop, 0)) return 0;
return loop(3, 0, c, 0); /*!*/
}
""",
    "v4": """\
SEC("xdp") int f(signed char *c) {
return c[3]; /*!*/
}
""",
    "v4-guarded": """\
SEC("xdp") int f(u32 *c) { int r = c[0];
if (LINUX_KERNEL_VERSION < (6 << 16) + (6 << 8)) return 0;
return r / (int)c[1]; /*!*/
}
""",
    "entry": """\
SEC("fentry/do_sys_openat2") int f(u64 *c) {
return 0; /*!*/
}
""",
    "entry-guarded": """\
SEC("?fentry/do_sys_openat2") int f(u64 *c) { return 0; }
""",
    "kfunc": """\
extern struct task_struct *bpf_task_acquire(struct task_struct *) __ksym;
extern void bpf_task_release(struct task_struct *) __ksym;
SEC("tp_btf/sched_switch") int f(u64 *c) {
struct task_struct *t = bpf_task_acquire((void *)c[1]); /*!*/
if (t) bpf_task_release(t);
return 0; }
""",
    "kfunc-guarded": """\
extern struct task_struct *bpf_task_acquire(struct task_struct *) __ksym __weak;
extern void bpf_task_release(struct task_struct *) __ksym __weak;
SEC("tp_btf/sched_switch") int f(u64 *c) {
if (!bpf_task_acquire || !bpf_task_release) return 0;
struct task_struct *t = bpf_task_acquire((void *)c[1]); /*!*/
if (t) bpf_task_release(t);
return 0; }
""",
    "field": """\
SEC("tp_btf/sched_switch") int f(u64 *c) {
return ((struct task_struct *)c[1])->state; /*!*/
}
""",
    "field-guarded": """\
SEC("tp_btf/sched_switch") int f(u64 *c) { struct task_struct *t = (void *)c[1];
if (!__builtin_preserve_field_info(t->state, 2)) return t->__state;
return t->state; /*!*/
}
""",
}
TOML = """\
[targets]
arches = ["amd64", "arm64"]
[kernel.old]
upstream = "5.6"
[program."*"]
source = "bpf/*.c"
mcpu = "v2"
portable = true
[program.v4]
source = "v4/v4.c"
mcpu = "v4"
portable = true
[program."v4-guarded"]
source = "v4/v4-guarded.c"
mcpu = "v4"
portable = true
"""
FAILING = {
    # `old` has no types that are known, so whether it has what programs are attached to isn't known either.
    ("ring", "old"): "map_type ringbuf",
    ("loop", "old"): "call each, helper bpf_loop",
    ("loop", "d510"): "call each, helper bpf_loop",
    ("v4", "old"): "isa ldsx",
    ("kfunc", "old"): "kfunc bpf_task_acquire, kfunc bpf_task_release",
    ("v4", "d510"): "isa ldsx",
    ("v4", "d61"): "isa ldsx",
    ("kfunc", "d510"): "kfunc bpf_task_acquire, kfunc bpf_task_release",
    ("kfunc", "d61"): "kfunc bpf_task_acquire, kfunc bpf_task_release",
    ("field", "d61"): "core task_struct.state",
    ("field", "d612"): "core task_struct.state",
    ("field", "d7"): "core task_struct.state",
}
ON_ARM64 = {("entry", "old"): "attach_type trace_fentry",
            ("entry", "d510"): "attach_target do_sys_openat2, attach_type trace_fentry",
            ("entry", "d61"): "attach_type trace_fentry"}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Built, with its verdicts."""
    missing = [tool for tool in ("apt-get", "clang-19", "dpkg-deb") if shutil.which(tool, path=fetch.SEARCH) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    made = Project(tmp_path_factory.mktemp("verdicts"))
    for name, text in PROGRAMS.items():
        made.write(f"{'v4' if name.startswith('v4') else 'bpf'}/{name}.c", HEAD + text)
    rows = []
    for name, series in KERNELS.items():
        for arch in fetch.KERNEL_ARCHES:
            (made.root / f"{name}-{arch}.deb").symlink_to(fetch.kernel(series, arch))
        claim = f'upstream = "{series}"\n' if "." in series else ""
        rows.append(f'[kernel.{name}]\n{claim}btf = "{name}-{{arch}}.deb"\n')
    made.config(TOML + "".join(rows))
    made.bpfgen()
    made.ninja("out/verdicts.json")
    return made


@pytest.fixture(scope="module")
def verdicts(project: Project) -> list[Verdict]:
    """Each program on each kernel of both architectures."""
    return list(map(from_json, written(project.root)["verdicts"]))


def written(root: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((root / "out" / "verdicts.json").read_text(encoding="utf-8"))
    return value


def test_each_need_fails_where_it_is_not_met(verdicts: list[Verdict]) -> None:
    """On those kernels and on no other, and behind its guard on none; the reason names the need and its line."""
    failing = {(each.program, each.kernel, each.arch): each for each in verdicts if each.verdict == "fails"}
    wanted = {(*pair, arch): said for pair, said in FAILING.items() for arch in fetch.KERNEL_ARCHES}
    wanted.update({(*pair, "arm64"): said for pair, said in ON_ARM64.items()})
    assert {key: names(each) for key, each in failing.items() if names(each) != wanted.get(key)} == {}
    assert failing.keys() == wanted.keys()
    for (program, kernel, arch), each in failing.items():
        first = next(reason for reason in each.reasons if reason.verdict == "fails")
        assert first.line is not None, (program, kernel, arch)
        text = (HEAD + PROGRAMS[program]).splitlines()[first.line.number - 1]
        assert HERE in text or "bpf_task_release(t)" in text, (program, kernel, arch, first)


def names(verdict: Verdict) -> str:
    """What it fails for, in order."""
    return ", ".join(sorted(f"{each.kind} {each.name}" for each in verdict.reasons if each.verdict == "fails"))


def test_all_else_is_fine(verdicts: list[Verdict]) -> None:
    """Nothing is unknown of a kernel whose types are known."""
    others = [each for each in verdicts if each.verdict != "fails" and each.kernel != "old"]
    assert {(each.program, each.kernel, each.arch, each.verdict) for each in others if each.verdict != "ok"} == set()
    assert len(verdicts) == len(PROGRAMS) * 5 * 2


def test_a_guard_leaves_a_note(verdicts: list[Verdict]) -> None:
    """With the line of what is guarded."""
    (found,) = [e for e in verdicts if (e.program, e.kernel, e.arch) == ("loop-guarded", "d510", "amd64")]
    (note,) = found.reasons
    assert (note.verdict, note.kind, note.name) == ("ok", "helper", "bpf_loop")
    assert note.line is not None
    assert HERE in note.line.text


def test_versions_follow_from_types(project: Project) -> None:
    """Where build.toml says nothing, and where it says more."""
    found = {(row["name"], row["arch"]): row["versions"] for row in written(project.root)["kernels"]}
    assert found["d7", "amd64"] == found["d7", "arm64"]
    assert found["d7", "amd64"].startswith("from 7.")
    assert found["d612", "arm64"] == "from 6.12, before 6.13"


def test_nothing_is_left_to_do(project: Project) -> None:
    project.ninja("out/verdicts.json")
    assert "no work to do" in project.ninja("out/verdicts.json")
