"""`bpfgen lint`: for each lint a program that has it and one that nearly does, made by clang."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from project import NINJA, Project

pytestmark = pytest.mark.real

HEADER = """\
#define SEC(name) __attribute__((section(name), used))
#define __noinline __attribute__((noinline))
#define __uint(name, value) int (*name)[value]
#define __type(name, value) typeof(value) *name
#define __array(name, value) typeof(value) *name[]
static void *(*lookup)(void *map, const void *key) = (void *)1;
static long (*probe_read)(void *to, unsigned size, const void *from) = (void *)4;
static unsigned long (*ktime_get_ns)(void) = (void *)5;
static long (*trace_printk)(const char *format, unsigned size, ...) = (void *)6;
static long (*perf_event_output)(void *ctx, void *map, long flags, void *data, long size) = (void *)25;
static long (*probe_read_kernel)(void *to, unsigned size, const void *from) = (void *)113;
static long (*timer_set_callback)(void *timer, void *callback) = (void *)170;
"""
LICENCE = 'char LICENSE[] SEC("license") = "GPL";\n'
XDP = 'SEC("xdp") int run(void *ctx) { return 2; }\n'
MAP = """\
struct {
	__uint(type, %s);
	__uint(max_entries, 1);
	%s
	%s
} %s SEC(".maps");
"""
USE = 'SEC("xdp") int run(void *ctx) { int key = 0; return lookup(&m, &key) ? 1 : 2; }\n'
TYPED = ("__type(key, int);", "__type(value, long);")
FRAME = "static __noinline int %s(void *ctx) { char r[%d]; return probe_read_kernel(r, sizeof(r), ctx)%s; }\n"
CALLS = 'SEC("xdp") int run(void *ctx) { return first(ctx)%s; }\n'
INNER = """\
struct inner {
	__uint(type, 2);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, int);
} other SEC(".maps");
"""
REGISTER = """\
struct pt_regs { unsigned long di; } __attribute__((preserve_access_index));
struct sock { unsigned long di; } __attribute__((preserve_access_index));
"""
PERF = """\
SEC("xdp") int run(void *ctx) { long one = 1; return perf_event_output(ctx, &m, 0, &one, 8); }
"""

HITS: dict[str, tuple[str, str, set[int]]] = {
    "host-header": (f"#include <sysexits.h>\n{XDP}{LICENCE}", "", {2}),
    "absolute-include": (f'#include <linux/types.h>\n# include "ROOT/include/empty.h"\n{XDP}{LICENCE}', "", {3}),
    "target-arch": (
        (
            f"{REGISTER}#if defined(__TARGET_ARCH_x86)\n#endif\n"
            f'SEC("kprobe/f") int run(struct pt_regs *ctx)\n{{\n\treturn ctx->di;\n}}\n{LICENCE}'
        ),
        "portable = true",
        {4, 8},
    ),
    "licence-missing": (XDP, "", {0}),
    "licence-gpl": (
        (
            'SEC("xdp") int run(void *ctx)\n{\n\treturn trace_printk("", 1);\n}\n'
            'char LICENSE[] SEC("license") = "Proprietary";\n'
        ),
        "",
        {4},
    ),
    "stack-limit": (FRAME % ("last", 300, "") + FRAME % ("first", 300, " + last(ctx)") + CALLS % "" + LICENCE, "", {4}),
    "stack-near": (FRAME % ("last", 200, "") + FRAME % ("first", 280, " + last(ctx)") + CALLS % "" + LICENCE, "", {4}),
    "map-types": (
        MAP % ("1", "__uint(key_size, 4);", "__uint(value_size, 8);", "m") + USE + LICENCE,
        "",
        {5, 6},
    ),
    "map-legacy": (
        'struct { unsigned type, key, value, entries, flags; }\nm SEC("maps") = { 1, 4, 8, 1 };\n' + USE + LICENCE,
        "",
        {3},
    ),
    "dead-program": ('SEC("xpd")\nint run(void *ctx)\n{\n\treturn 2;\n}\n' + LICENCE, "", {3}),
    "dead-function": ("int unused(int a)\n{\n\treturn a + 1;\n}\n" + XDP + LICENCE, "", {2}),
    "dead-map": (MAP % ("1", *TYPED, "m") + MAP % ("1", *TYPED, "other") + USE + LICENCE, "", {13}),
    "deprecated-helper": (
        'SEC("kprobe/f") int run(void *ctx)\n{\n\tlong a = 0;\n\tprobe_read(&a, 8, ctx);\n\treturn a;\n}\n' + LICENCE,
        'kernels = ["lts510"]',
        {5},
    ),
    "deprecated-section": (XDP.replace("xdp", "classifier") + LICENCE, "", {2}),
    "perf-buffer": (
        MAP % ("4", "__uint(key_size, 4);", "__uint(value_size, 4);", "m") + PERF + LICENCE,
        'kernels = ["lts510"]',
        {7},
    ),
}
"""Code → program, keys of its table, and the lines on which it is found; 0 for the program as a whole. The first line
is the header's."""
NEARLY: dict[str, list[tuple[str, str]]] = {
    "host-header": [(f'#include <linux/bpf.h>\n#include <stddef.h>\n#include "empty.h"\n{XDP}{LICENCE}', "")],
    "absolute-include": [
        (f'// #include "/opt/x.h"\n/*\n#include "/opt/x.h"\n*/\n#include "../include/empty.h"\n{XDP}{LICENCE}', "")
    ],
    "target-arch": [
        (HITS["target-arch"][0], 'arches = ["amd64"]'),
        (
            (
                f"{REGISTER}/* #if __TARGET_ARCH_x86 */\n"
                f'SEC("kprobe/f") int run(struct sock *ctx) {{ return ctx->di; }}\n{LICENCE}'
            ),
            "portable = true",
        ),
    ],
    "licence-missing": [(XDP + 'char LICENSE[] SEC("license") = "Proprietary";\n', "")],
    "licence-gpl": [
        (HITS["licence-gpl"][0].replace("Proprietary", "Dual MIT/GPL"), ""),
        (HITS["licence-gpl"][0].replace('trace_printk("", 1)', "ktime_get_ns()"), ""),
    ],
    "stack-limit": [
        (FRAME % ("last", 256, "") + FRAME % ("first", 240, " + last(ctx)") + CALLS % "" + LICENCE, ""),
        (FRAME % ("last", 300, "") + FRAME % ("first", 300, "") + CALLS % " + last(ctx)" + LICENCE, ""),
        (
            FRAME % ("later", 300, "")
            + "struct timer { long a[2]; };\n"
            + MAP % ("2", TYPED[0], "__type(value, struct timer);", "m")
            + 'SEC("xdp") int run(void *ctx) { char r[300]; int key = 0; void *t = lookup(&m, &key); '
            "return t ? timer_set_callback(t, later) : probe_read_kernel(r, 300, ctx); }\n" + LICENCE,
            "",
        ),
    ],
    "stack-near": [(FRAME % ("last", 200, "") + FRAME % ("first", 220, " + last(ctx)") + CALLS % "" + LICENCE, "")],
    "map-types": [
        (MAP % ("1", *TYPED, "m") + USE + LICENCE, ""),
        (MAP % ("4", "__uint(key_size, 4);", "__uint(value_size, 4);", "m") + PERF + LICENCE, ""),
        (MAP % ("27", "", "", "m") + USE + LICENCE, ""),
    ],
    "map-legacy": [(MAP % ("1", *TYPED, "m") + USE + LICENCE, "")],
    "dead-program": [(XDP.replace('"xdp"', '"?xdp"') + LICENCE, "")],
    "dead-function": [
        (
            "__noinline int used(int a) { return a + 1; }\n"
            'SEC("xdp") int run(void *ctx) { return used((long)ctx); }\n' + LICENCE,
            "",
        ),
        ("static __noinline int unused(int a) { return a; }\n" + XDP + LICENCE, 'cflags = ["-Wno-unused-function"]'),
    ],
    "dead-map": [
        (
            INNER + "struct {\n\t__uint(type, 12);\n\t__uint(max_entries, 1);\n\t__type(key, int);\n"
            '\t__array(values, struct inner);\n} m SEC(".maps") = { .values = { &other } };\n' + USE + LICENCE,
            "",
        ),
        (MAP % ("1", TYPED[0], TYPED[1] + " __uint(pinning, 1);", "m") + XDP + LICENCE, ""),
        (("static " + MAP) % ("1", *TYPED, "m") + USE + LICENCE, ""),
    ],
    "deprecated-helper": [
        (HITS["deprecated-helper"][0].replace("probe_read(", "probe_read_kernel("), 'kernels = ["lts510"]'),
        (HITS["deprecated-helper"][0], 'kernels = ["lts419", "lts510"]'),
    ],
    "deprecated-section": [(XDP.replace("xdp", "tc") + LICENCE, "")],
    "perf-buffer": [
        (HITS["perf-buffer"][0], 'kernels = ["lts419", "lts510"]'),
        (HITS["perf-buffer"][0], 'kernels = ["lts510", "unknown"]'),
        (
            HITS["perf-buffer"][0].replace("perf_event_output(ctx, &m, 0, &one, 8)", "(long)lookup(&m, &one)"),
            'kernels = ["lts510"]',
        ),
    ],
}
KERNELS = """
[targets]
kernels = ["lts419", "lts510"]

[kernel.lts419]
upstream = "4.19"

[kernel.lts510]
upstream = "5.10"

[kernel.unknown]
btf = "types/vmlinux.h"
"""


def table(name: str, keys: str) -> str:
    """The table of a program, for one architecture."""
    arches = "" if "arches" in keys else 'arches = ["amd64"]\n'
    return f'\n[program.{name}]\nsource = "bpf/{name}.c"\n{arches}{keys}\n'


def make(root: Path, programs: dict[str, tuple[str, str]], extra: str = "") -> Project:
    """A project of programs."""
    made = Project(root)
    made.write("include/lint.h", HEADER)
    made.write("include/empty.h", "")
    made.write("types/vmlinux.h", "")
    for name, (text, _) in programs.items():
        made.write(f"bpf/{name}.c", f'#include "lint.h"\n{text.replace("ROOT", str(root))}')
    made.config(extra + "".join(table(name, keys) for name, (_, keys) in programs.items()))
    return made


def lint(project: Project, *words: str, code: int = 0, **env: str) -> str:
    """`bpfgen lint`."""
    return project.bpfgen("lint", *words, code=code, env={**os.environ, **env}).stdout


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Of all programs here, in one project."""
    programs = {f"hit-{code}": (text, keys) for code, (text, keys, _) in HITS.items()}
    for code, rows in NEARLY.items():
        programs.update({f"near-{code}-{index}": row for index, row in enumerate(rows)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.path.dirname(NINJA), prepend=os.pathsep)
        patch.delenv("GITHUB_ACTIONS", raising=False)
        made = make(tmp_path_factory.mktemp("lint") / "p", programs, KERNELS)
        found: list[dict[str, Any]] = json.loads(lint(made, "--json", code=1))["findings"]
    return found


@pytest.mark.parametrize("code", HITS)
def test_hit(code: str, findings: list[dict[str, Any]]) -> None:
    """It is found on its lines, and nothing else is in that program."""
    own = [each for each in findings if each["programs"] == [f"hit-{code}"]]
    assert {each["code"] for each in own} == {code}
    assert {each["line"] for each in own} == HITS[code][2]
    assert {each["file"] for each in own} == {f"bpf/hit-{code}.c"}


@pytest.mark.parametrize("code", NEARLY)
def test_nearly(code: str, findings: list[dict[str, Any]]) -> None:
    """What nearly has it doesn't."""
    assert set(NEARLY) == set(HITS)
    assert not [each for each in findings if each["code"] == code and each["programs"][0].startswith(f"near-{code}-")]
