"""Static verdicts, rule by rule: programs that clang compiles here, on kernels that are made up."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from typing import Any, Optional

import pytest
from btffile import Builder

from bpfgen.bpf.btf import Kind
from bpfgen.bpf.kernel import KernelTypes
from bpfgen.catalog import features, version
from bpfgen.verdicts.judge import judge
from bpfgen.verdicts.model import Reason
from bpfgen.verdicts.subject import Subject
from bpfgen.verdicts.target import ENUMS, PREFIXES, Known, Target

CLANG = "clang-19"
HERE = "/*!*/"
"""Marks the line that a reason is to name."""
HEAD = """\
#define SEC(name) __attribute__((section(name), used))
#define __ksym __attribute__((section(".ksyms")))
#define __kconfig __attribute__((section(".kconfig")))
#define __weak __attribute__((weak))
#define __noinline __attribute__((noinline))
#define __core __attribute__((preserve_access_index))
#define __uint(name, value) int(*name)[value]
#define __type(name, value) __typeof__(value) *name
#define MAP(type_, ...) struct { __uint(type, type_); __uint(max_entries, 4096); __VA_ARGS__ }
typedef unsigned int u32;
typedef unsigned long long u64;
static void *(*const lookup)(void *, const void *) = (void *)1;
static long (*const probe_read)(void *, u32, const void *) = (void *)4;
static long (*const tail_call)(void *, void *, u32) = (void *)12;
static long (*const redirect_map)(void *, u64, u64) = (void *)51;
static long (*const probe_read_kernel)(void *, u32, const void *) = (void *)113;
static long (*const loop)(u32, void *, void *, u64) = (void *)181;
static long (*const newer)(void) = (void *)9999;
"""
GPL = 'char _license[] SEC("license") = "GPL";\n'


@cache
def compiled(source: str, mcpu: str) -> bytes:
    """The object of a program."""
    command = [
        CLANG,
        "-target",
        "bpf",
        "-O2",
        "-g",
        f"-mcpu={mcpu}",
        "-Wno-everything",
        "-x",
        "c",
        "-",
        "-c",
        "-o",
        "-",
    ]
    return subprocess.run(command, input=source.encode(), check=True, capture_output=True).stdout


def types(release: str, *functions: str, more: tuple[tuple[Kind, str], ...] = (), fields: str = "") -> KernelTypes:
    """The types of a kernel that has what upstream had in that release, and these functions."""
    btf = Builder("<")
    number = btf.add(Kind.INT, "int", 4, 32)
    prototype = btf.add(Kind.FUNC_PROTO, "", number)
    for kind, (enum, prefix) in ENUMS.items():
        own = PREFIXES[kind]
        rows = {n: row["id"] for n, row in features(kind).items() if version(row["since"]) <= version(release)}
        words = [word for name, at in rows.items() for word in (btf.name(prefix + name[len(own) :]), at)]
        btf.add(Kind.ENUM, enum, 4, *words, items=len(words) // 2)
    btf.add(Kind.ENUM, "", 4, btf.name("BPF_F_NO_PREALLOC"), 1, btf.name("BPF_F_RDONLY_PROG"), 128, items=2)
    names = fields.split()
    words = [word for at, name in enumerate(names) for word in (btf.name(name), number, 32 * at)]
    btf.add(Kind.STRUCT, "task_struct", 4 * len(names), *words, items=len(names))
    for name in ("xdp_func_proto", "sk_filter_func_proto", "tc_cls_act_func_proto", *functions):
        btf.add(Kind.FUNC, name, prototype, items=1)
    for what, name in more:
        btf.add(what, name, 0 if what is Kind.STRUCT else number, *((1,) if what is Kind.VAR else ()))
    return KernelTypes(btf.bytes())


def said(
    source: str, mcpu: str = "v3", loader: str = "libbpf", known: Optional[KernelTypes] = None, **target: Any
) -> tuple[Reason, ...]:
    """The reasons for a program; a licence is put behind it, unless it has one."""
    text = HEAD + source + ("" if '"license"' in source else GPL)
    return judge(Subject(compiled(text, mcpu), loader), Target(Known("k", **{"arch": "amd64", **target}), known))


def check(reasons: tuple[Reason, ...], source: str, *wanted: str) -> None:
    """Each of `wanted` is `VERDICT KIND NAME PROGRAM`; if a line is marked, all reasons name it."""
    assert [f"{each.verdict} {each.kind} {each.name} {each.program}".strip() for each in reasons] == list(wanted)
    lines = [at for at, line in enumerate((HEAD + source).splitlines(), 1) if HERE in line]
    if reasons and lines:
        assert [each.line and each.line.number for each in reasons] == lines


RING = 'MAP(27) events SEC(".maps");\nSEC("xdp") int f(void *c) {\nreturn lookup(&events, c) != 0; /*!*/\n}\n'
TYPED = RING.replace("MAP(27)", "MAP(27, __type(value, u64))")
VERSION = """\
extern u32 LINUX_KERNEL_VERSION __kconfig;
SEC("xdp") int f(void *c) { return
LINUX_KERNEL_VERSION > 5; }
"""
POINTER = """\
struct xdp_md { u32 data; };
__noinline int other(u64 *p) { return p != 0; }
SEC("xdp") int f(void *c) {
return other(c); /*!*/
}
"""
HIDDEN = POINTER.replace("__noinline int", '__noinline __attribute__((visibility("hidden"))) int')
ELEMENT = """\
struct xdp_md { u32 data; };
MAP(1, __type(key, u64); __type(value, u64)) seen SEC(".maps");
__noinline int other(int n, u64 *p) {
if (!p) return 0;
return lookup(&seen, p) ? n : 0; /*!*/
}
SEC("xdp") int f(void *c) { u64 key = 1;
return other(2, &key);
}
"""
COPIED = ELEMENT.replace("return lookup(&seen, p) ? n : 0; /*!*/", "u64 key = *p; return lookup(&seen, &key) ? n : 0;")
LOOP = """\
static __noinline int each(u32 at, void *c) { return 0; }
SEC("xdp") int f(void *c) { return
loop(3, each, c, 0); }
"""
V4 = 'SEC("xdp") int f(signed char *c) {\nreturn c[3]; /*!*/\n}\n'
SWAP = 'SEC("xdp") int f(u32 *c) { asm volatile("r1 = bswap16 r1" ::: "r1"); return 0; }\n'
ATOMIC = 'u64 sum;\nSEC("xdp") int f(u64 *c) {\nreturn __sync_fetch_and_add(&sum, 1); /*!*/\n}\n'
PROBE = 'SEC("xdp") int f(void *c) { u64 v = 0;\nprobe_read(&v, 8, c); /*!*/\nreturn v; }\n'
ENTRY = 'SEC("fentry/do_unlinkat") int f(u64 *c) {\nreturn 0; /*!*/\n}\n'
LATER = "int f(u64 *c) { return 0; }\n"
KFUNC = 'extern int kill(int) __ksym;\nSEC("tc") int f(void *c) {\nreturn kill(1); /*!*/\n}\n'
MIXED = """\
MAP(3, __type(key, u32); __type(value, u32)) jumps SEC(".maps");
static __noinline int g(u64 *c) { return c[2]; }
SEC("tc") int f(u64 *c) { int r = g(c);
tail_call(c, &jumps, r); /*!*/
return r; }
"""
BACK = """\
SEC("xdp") int f(u32 *c) { u32 sum = 0;
#pragma clang loop unroll(disable)
for (volatile u32 at = 0; at < 9; at++) sum += c[at];
return sum; }
"""
FREE = 'SEC("socket") int f(void *c) { return 0; }\n'
PATCH = f"asm volatile({'.rept 2600; r0 = 0; .endr'!r});".replace("'", '"')
LONG = f'SEC("xdp") int f(void *c) {{ {PATCH} {PATCH} return 0; }}\n'
GONE = """\
struct task_struct { int state; } __core;
SEC("kprobe") int f(struct task_struct *c) {
return c->state; /*!*/
}
"""
STRUCT = """\
struct ops { int (*start)(void *); };
SEC("struct_ops") int f(void *c) { return 0; }
SEC(".struct_ops") struct ops ops = {.start = (void *)f};
"""

ASKS = """\
enum bpf_func_id { BPF_FUNC_loop = 181 };
SEC("xdp") int f(void *c) {
if (!__builtin_preserve_enum_value(*(enum bpf_func_id *)BPF_FUNC_loop, 0)) return 0;
return loop(3, 0, c, 0); /*!*/
}
"""
BY_VERSION = """\
extern int LINUX_KERNEL_VERSION __kconfig;
SEC("xdp") int f(void *c) {
if (LINUX_KERNEL_VERSION < (5 << 16) + (17 << 8)) return 0;
return loop(3, 0, c, 0); /*!*/
}
"""
BY_SYMBOL = """\
extern int kill(int) __ksym __weak;
SEC("tc") int f(void *c) {
if (!kill) return 0;
return kill(1); /*!*/
}
"""

ROWS: Mapping[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "ring-5.4": (RING, {"upstream": "5.4"}, ("fails map_type ringbuf",)),
    "ring-5.8": (RING, {"upstream": "5.8"}, ()),
    "loop-5.10": (
        LOOP,
        {"upstream": "5.10"},
        ("fails call each f", "fails helper bpf_loop f"),
    ),
    "loop-5.15": (LOOP, {"upstream": "5.15"}, ("fails helper bpf_loop f",)),
    "loop-assumed": (LOOP, {"upstream": "5.15", "assume": ("helper:bpf_loop",)}, ()),
    "loop-6.1": (LOOP, {"upstream": "6.1"}, ()),
    "loop-btf": (LOOP, {"known": "5.15"}, ("fails helper bpf_loop f",)),
    "loop-backport": (LOOP, {"known": "5.17", "upstream": "5.15"}, ()),
    "number": (
        'SEC("xdp") int f(void *c) {\nreturn newer(); /*!*/\n}\n',
        {"upstream": "6.1"},
        ("unknown helper 9999 f",),
    ),
    "number-btf": ('SEC("xdp") int f(void *c) { return newer(); }\n', {"known": "6.1"}, ("fails helper 9999 f",)),
    "v4-6.1": (V4, {"upstream": "6.1", "mcpu": "v4"}, ("fails isa ldsx f",)),
    "v4-6.6": (V4, {"upstream": "6.6", "mcpu": "v4"}, ()),
    "v4-btf": (V4, {"known": "6.2", "mcpu": "v4"}, ("fails isa ldsx f",)),
    "bswap": (SWAP, {"upstream": "6.1", "mcpu": "v4"}, ("fails isa bswap f",)),
    "v1-everywhere": (V4, {"upstream": "4.8", "mcpu": "v1"}, ()),
    "atomic-5.10": (ATOMIC, {"upstream": "5.10"}, ("fails isa atomic_fetch f",)),
    "atomic-5.15": (ATOMIC, {"upstream": "5.15"}, ()),
    "atomic-arm64": (ATOMIC, {"upstream": "5.15", "arch": "arm64"}, ("conditional isa atomic_fetch f",)),
    "atomic-arm64-6.1": (ATOMIC, {"upstream": "6.1", "arch": "arm64"}, ()),
    "not-for-xdp": (PROBE, {"upstream": "6.1"}, ("fails helper bpf_probe_read f",)),
    "read-kernel-5.4": (
        'SEC("kprobe") int f(void *c) { u64 v = 0;\nprobe_read_kernel(&v, 8, c); /*!*/\nreturn v; }\n',
        {"upstream": "5.4"},
        ("ok helper bpf_probe_read_kernel f",),
    ),
    "fentry": (ENTRY, {"known": types("6.1", "do_unlinkat")}, ()),
    "fentry-gone": (ENTRY, {"known": "6.1"}, ("fails attach_target do_unlinkat f",)),
    "fentry-arm64": (
        ENTRY,
        {"known": types("6.1", "do_unlinkat"), "arch": "arm64"},
        ("fails attach_type trace_fentry f",),
    ),
    "fentry-arm64-backport": (
        ENTRY,
        {
            "known": types("5.15", "do_unlinkat", "register_ftrace_direct", "register_ftrace_function"),
            "arch": "arm64",
        },
        (),
    ),
    "fentry-arm64-6.4": (ENTRY, {"known": types("6.4", "do_unlinkat"), "arch": "arm64"}, ()),
    "fentry-no-types": (ENTRY, {"upstream": "6.1"}, ("unknown attach_target do_unlinkat f",)),
    "fentry-shipped": (
        ENTRY,
        {"known": types("5.8", "do_unlinkat"), "shipped": True},
        ("fails attach_target do_unlinkat f",),
    ),
    "fentry-later": ('SEC("fentry")\n' + LATER, {"known": "6.1"}, ("conditional attach_target  f",)),
    "fentry-dummy": ('SEC("fentry/dummy_f")\n' + LATER, {"known": "6.1"}, ("conditional attach_target dummy_f f",)),
    "fentry-module": (
        'SEC("fexit/nfs_file_read")\n' + LATER,
        {"known": "6.1"},
        ("conditional attach_target nfs_file_read f",),
    ),
    "fentry-module-5.10": (
        'SEC("fexit/nfs_file_read")\n' + LATER,
        {"known": "5.10"},
        ("fails attach_target nfs_file_read f",),
    ),
    "tp_btf": ('SEC("tp_btf/sched_switch")\n' + LATER, {"known": "6.1"}, ("fails attach_target sched_switch f",)),
    "tp_btf-there": (
        'SEC("tp_btf/sched_switch")\n' + LATER,
        {"known": types("6.1", more=((Kind.TYPEDEF, "btf_trace_sched_switch"),))},
        (),
    ),
    "lsm": (
        'SEC("lsm/file_open")\n' + LATER,
        {"known": types("6.1", "bpf_lsm_func_proto", "bpf_lsm_file_open")},
        (),
    ),
    "lsm-left-out": (
        'SEC("lsm/file_open")\n' + LATER,
        {"known": "6.1"},
        ("fails attach_target file_open f", "fails program_type lsm f"),
    ),
    "iter": ('SEC("iter/task")\n' + LATER, {"known": types("6.1", "bpf_iter_task")}, ()),
    "iter-gone": ('SEC("iter/task")\n' + LATER, {"known": "6.1"}, ("fails attach_target task f",)),
    "freplace": ('SEC("freplace/other")\n' + LATER, {"known": "6.1"}, ("conditional attach_target other f",)),
    "struct_ops": (STRUCT, {"known": types("6.1", more=((Kind.STRUCT, "bpf_struct_ops_ops"),))}, ()),
    "struct_ops-gone": (STRUCT, {"known": "6.1"}, ("fails attach_target ops",)),
    "struct_ops-member": (
        STRUCT.replace("ops ", "task_struct "),
        {
            "known": types("6.1", more=((Kind.STRUCT, "bpf_struct_ops_task_struct"),), fields="stop"),
        },
        ("fails attach_target task_struct.start",),
    ),
    "struct_ops-sleeps": (
        STRUCT.replace('struct_ops")', 'struct_ops.s")', 1),
        {"known": types("6.1", more=((Kind.STRUCT, "bpf_struct_ops_ops"),))},
        ("fails sleepable struct_ops.s f",),
    ),
    "weak-unused": (
        'extern int kill(int) __ksym __weak;\nSEC("?tc") int f(void *c) { return kill(1); }\n',
        {"known": "5.10"},
        (),
    ),
    "undeclared": (
        'extern int other;\nSEC("tc") int f(void *c) { return other; }\n',
        {"upstream": "6.1"},
        ("fails ksym other",),
    ),
    "no-type": ('SEC("mine")\n' + LATER, {"upstream": "6.1"}, ("conditional program_type unspec f",)),
    "netfilter": (
        'SEC("netfilter")\n' + LATER,
        {"upstream": "6.1"},
        (
            "fails attach_type netfilter f",
            "fails program_type netfilter f",
        ),
    ),
    "multi": ('SEC("kprobe.multi/x*")\n' + LATER, {"upstream": "5.15"}, ("fails attach_type trace_kprobe_multi f",)),
    "tcx": ('SEC("tcx/ingress")\n' + LATER, {"upstream": "6.1"}, ("fails attach_type tcx_ingress f",)),
    "tc": ('SEC("tc/ingress")\n' + LATER, {"upstream": "5.4"}, ()),
    "xdp-optional": ('SEC("xdp/devmap")\n' + LATER, {"upstream": "5.4"}, ("fails attach_type xdp_devmap f",)),
    "frags": ('SEC("xdp.frags")\n' + LATER, {"upstream": "5.15"}, ("fails program_type xdp.frags f",)),
    "sleeps": (
        'SEC("lsm.s/file_open")\n' + LATER,
        {"upstream": "5.8"},
        (
            "fails sleepable lsm.s/file_open f",
            "unknown attach_target file_open f",
        ),
    ),
    "uprobe-sleeps": ('SEC("uprobe.s")\n' + LATER, {"upstream": "5.15"}, ("fails sleepable uprobe.s f",)),
    "kfunc": (KFUNC, {"known": types("6.1", "kill")}, ()),
    "kfunc-gone": (KFUNC, {"known": "6.1"}, ("fails kfunc kill f",)),
    "kfunc-old": (KFUNC, {"known": types("5.10", "kill")}, ("fails kfunc kill f",)),
    "kfunc-module": (
        KFUNC.replace("kill", "bpf_ct_release"),
        {"known": "6.1"},
        ("conditional kfunc bpf_ct_release f",),
    ),
    "ksym": (
        'extern const int runqueues __ksym;\nSEC("tc") int f(void *c) {\nreturn (long)&runqueues; /*!*/\n}\n',
        {"known": "6.1"},
        ("fails ksym runqueues f",),
    ),
    "ksym-there": (
        'extern const int runqueues __ksym;\nSEC("tc") int f(void *c) { return (long)&runqueues; }\n',
        {"known": types("6.1", more=((Kind.VAR, "runqueues"),))},
        (),
    ),
    "ksym-weak": (
        'extern const int runqueues __ksym __weak;\nSEC("tc") int f(void *c) { return (long)&runqueues; }\n',
        {"known": "6.1"},
        (),
    ),
    "ksym-void": (
        'extern const void jiffies __ksym;\nSEC("tc") int f(void *c) {\nreturn (long)&jiffies; /*!*/\n}\n',
        {"known": "6.1"},
        ("unknown ksym jiffies f",),
    ),
    "kconfig": (
        'extern int CONFIG_HZ __kconfig;\nSEC("tc") int f(void *c) {\nreturn CONFIG_HZ; /*!*/\n}\n',
        {"upstream": "6.1"},
        ("conditional kconfig CONFIG_HZ f",),
    ),
    "kconfig-profile": (
        'extern int CONFIG_HZ __kconfig;\nSEC("tc") int f(void *c) { return CONFIG_HZ; }\n',
        {"upstream": "6.1", "profile": {"system_config": {"CONFIG_HZ": "250"}}},
        (),
    ),
    "kconfig-weak": (
        'extern int CONFIG_HZ __kconfig __weak;\nSEC("tc") int f(void *c) { return CONFIG_HZ; }\n',
        {"upstream": "6.1"},
        (),
    ),
    "data": (
        'int total;\nSEC("tc") int f(u32 *c) {\nreturn total += c[1]; /*!*/\n}\n',
        {"upstream": "4.19"},
        ("fails data total f",),
    ),
    "mixed-5.4": (MIXED, {"upstream": "5.4"}, ("fails call bpf_tail_call f",)),
    "mixed-5.10": (MIXED, {"upstream": "5.10"}, ()),
    "mixed-arm64": (MIXED, {"upstream": "5.15", "arch": "arm64"}, ("fails call bpf_tail_call f",)),
    "calls-4.14": (MIXED.replace("tail_call(c, &jumps, r); /*!*/", ""), {"upstream": "4.14"}, ("fails call g f",)),
    "loop-in-c": (BACK, {"upstream": "5.2", "mcpu": "v2"}, ("fails limit loop f",)),
    "loop-in-c-5.3": (BACK, {"upstream": "5.3", "mcpu": "v2"}, ()),
    "long": (LONG, {"upstream": "5.1"}, ("fails limit instructions f",)),
    "long-5.2": (LONG, {"upstream": "5.2"}, ()),
    "licence": (
        (
            'SEC("kprobe") int f(void *c) { u64 v = 0;\nprobe_read(&v, 8, c); /*!*/\nreturn v; }\n'
            'char l[] SEC("license") = "MIT";\n'
        ),
        {"upstream": "6.1"},
        ("fails licence bpf_probe_read f",),
    ),
    "flag": (
        (
            'MAP(1, __type(key, u32); __type(value, u32); __uint(map_flags, 1 << 9)) m SEC(".maps");\n'
            'SEC("tc") int f(void *c) {\nreturn lookup(&m, c) != 0; /*!*/\n}\n'
        ),
        {"upstream": "5.2"},
        ("fails map_flags BPF_F_CLONE",),
    ),
    "size": (
        (
            'struct { __uint(type, 1); __type(key, u32); __type(value, u32); } m SEC(".maps");\n'
            'SEC("tc") int f(void *c) {\nreturn lookup(&m, c) != 0; /*!*/\n}\n'
        ),
        {"upstream": "6.1"},
        ("ok map_size m",),
    ),
    "no-size": (
        (
            'struct { __uint(type, 4); __uint(key_size, 4); __uint(value_size, 4); } m SEC(".maps");\n'
            'SEC("tc") int f(void *c) { return lookup(&m, c) != 0; }\n'
        ),
        {"upstream": "6.1"},
        (),
    ),
    "ring-of-records": (TYPED, {"upstream": "6.1"}, ("fails map_entry events",)),
    "ring-of-records-cilium": (TYPED.replace(HERE, ""), {"upstream": "6.1", "loader": "cilium"}, ()),
    "fixed-size": (
        (
            'MAP(3, __type(key, u32); __type(value, u64)) m SEC(".maps");\n'
            'SEC("tc") int f(void *c) {\nreturn tail_call(c, &m, 0); /*!*/\n}\n'
        ),
        {"upstream": "6.1"},
        ("fails map_entry m",),
    ),
    "version": (VERSION, {"upstream": "6.1"}, ()),
    "version-cilium": (VERSION, {"upstream": "6.1", "loader": "cilium"}, ("fails kconfig LINUX_KERNEL_VERSION f",)),
    "version-int-cilium": (VERSION.replace("u32 L", "int L"), {"upstream": "6.1", "loader": "cilium"}, ()),
    "global-pointer": (POINTER, {"upstream": "5.10"}, ("fails call other f",)),
    "global-pointer-5.12": (POINTER.replace(HERE, ""), {"upstream": "5.12"}, ()),
    "global-pointer-5.4": (POINTER.replace(HERE, ""), {"upstream": "5.4"}, ()),
    "global-context": (POINTER.replace("u64 *p", "struct xdp_md *p").replace(HERE, ""), {"upstream": "5.10"}, ()),
    "memory-as-key": (ELEMENT, {"upstream": "6.1"}, ("fails call other f",)),
    "memory-as-key-6.2": (ELEMENT.replace(HERE, ""), {"upstream": "6.2"}, ()),
    "memory-as-key-5.4": (ELEMENT.replace(HERE, ""), {"upstream": "5.4"}, ()),
    "memory-copied": (COPIED, {"upstream": "6.1"}, ()),
    "memory-hidden": (
        ELEMENT.replace(HERE, "").replace("int other", '__attribute__((visibility("hidden"))) int other'),
        {"upstream": "6.1"},
        (),
    ),
    "hidden-pointer": (HIDDEN.replace(HERE, ""), {"upstream": "5.10"}, ()),
    "hidden-pointer-cilium": (HIDDEN, {"upstream": "5.10", "loader": "cilium"}, ("fails call other f",)),
    "core": (GONE, {"known": types("6.1", fields="pid state")}, ()),
    "core-gone": (GONE, {"known": types("6.1", fields="pid __state")}, ("fails core task_struct.state f",)),
    "core-no-types": (GONE.replace(" /*!*/", ""), {"upstream": "5.10"}, ("unknown core",)),
    "core-without": (GONE.replace(" /*!*/", ""), {"upstream": "4.18"}, ("conditional core",)),
    "kinds": (
        'float f = 1;\nSEC("xdp") int g(u32 *c) { return c[1]; }\n',
        {"upstream": "5.10"},
        ("ok btf FLOAT",),
    ),
    "unasked": ('SEC("?fentry/gone")\n' + LATER, {"known": "6.1"}, ()),
    "unasked-cilium": (
        'SEC("?fentry/gone")\n' + LATER,
        {"known": "6.1", "loader": "cilium"},
        ("fails attach_target gone f",),
    ),
    "asks": (ASKS, {"known": "5.15"}, ("ok helper bpf_loop f",)),
    "asks-6.1": (ASKS, {"known": "6.1"}, ()),
    "asks-wrong": (ASKS.replace("if (!", "if ("), {"known": "5.15"}, ("fails helper bpf_loop f",)),
    "asks-no-types": (ASKS.replace(" /*!*/", ""), {"upstream": "5.15"}, ("unknown core", "unknown helper bpf_loop f")),
    "by-version": (BY_VERSION, {"upstream": "5.15"}, ("ok helper bpf_loop f",)),
    "by-version-of-btf": (BY_VERSION, {"known": "5.15"}, ("ok helper bpf_loop f",)),
    "by-wrong-version": (BY_VERSION.replace("17", "15"), {"known": "5.15"}, ("fails helper bpf_loop f",)),
    "by-symbol": (BY_SYMBOL, {"known": "6.1"}, ("ok kfunc kill f",)),
    "by-symbol-there": (BY_SYMBOL, {"known": types("6.1", "kill")}, ()),
    "by-symbol-old": (BY_SYMBOL, {"upstream": "5.4"}, ("ok kfunc kill f",)),
    "no-code": (
        BY_SYMBOL + 'asm(".section xdp,\\"ax\\",@progbits; .type g,@function; g: r0 = 0; exit; .size g,0");\n',
        {"known": "6.1"},
        ("ok kfunc kill f",),
    ),
    "weak-unasked": (BY_SYMBOL.replace("if (!kill) return 0;", ""), {"known": "6.1"}, ("fails kfunc kill f",)),
    "nothing-known": (
        RING.replace(" /*!*/", ""),
        {},
        ("unknown map_type ringbuf", "unknown program_type xdp f", "unknown helper bpf_map_lookup_elem f"),
    ),
}


@pytest.mark.real
@pytest.mark.parametrize("name", ROWS)
def test_rule(name: str) -> None:
    """Each need with the kernel that lacks it and the one that has it; the line is that of the marked one."""
    if shutil.which(CLANG) is None:
        pytest.skip(f"needs {CLANG}")
    source, options, wanted = ROWS[name]
    known = options.get("known")
    check(said(source, **{**options, "known": types(known) if isinstance(known, str) else known}), source, *wanted)


LATER_F = 'SEC("fentry/dummy_f")\n' + LATER


@pytest.mark.parametrize(
    ("load", "wanted"),
    [
        ({}, ["conditional attach_target dummy_f"]),
        ({"attach": {"f": "do_unlinkat"}}, []),
        ({"attach": {"f": "gone"}}, ["fails attach_target gone"]),
        ({"attach": {"g": "gone"}}, ["conditional attach_target dummy_f"]),
        ({"optional": ("f",)}, []),
    ],
)
def test_what_the_tool_says(load: dict[str, Any], wanted: list[str]) -> None:
    """What a program is attached to at run time, and whether it is needed, counts as build.toml has it."""
    subject = Subject(compiled(HEAD + LATER_F + GPL, "v3"), **load)
    reasons = judge(subject, Target(Known("k", "amd64"), types("6.1", "do_unlinkat")))
    assert [f"{each.verdict} {each.kind} {each.name}" for each in reasons] == wanted
