"""`bpfgen lint`: for each lint a program that has it and one that nearly does, made by clang."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from project import NINJA, Project

from bpfgen.bpf.stack import LIMIT, LOOSE
from bpfgen.lints.stack import stack_of
from bpfgen.verdicts.subject import Subject

pytestmark = pytest.mark.real

BPFTOOL = shutil.which("bpftool", path=os.environ["PATH"] + ":/usr/sbin") or "bpftool"
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


ALLOW = '\n[[lint.allow]]\ncode = "dead-*"\nprogram = "b*"\nreason = "for the tests"\n'
TWO = {
    "a": (HITS["dead-map"][0], ""),
    "b": (f"{HITS['dead-map'][0]}int unused(int a) {{ return a; }} // bpfgen: allow(dead-map, dead-function)\n", ""),
}


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a developer's machine, with the Ninja of the tests."""
    monkeypatch.setenv("PATH", os.path.dirname(NINJA), prepend=os.pathsep)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


@pytest.mark.usefixtures("quiet")
def test_text(tmp_path: Path) -> None:
    """As compilers write it; what is accepted is shown where everything is asked for."""
    made = make(tmp_path, TWO, ALLOW)
    shown = "bpf/a.c:13: warning: a: no program uses the map other [dead-map]\n"
    hint = "  hint: Remove it; where it is for other objects, pin it: __uint(pinning, LIBBPF_PIN_BY_NAME).\n"
    said = f"{shown}{hint}bpfgen: 2 objects: 0 errors, 1 warning, 0 notes, 1 accepted\n"
    assert lint(made) == said
    assert lint(made, "-q") == shown + hint
    accepted = "bpf/b.c:13: note: b: no program uses the map other, accepted: for the tests [dead-map]\n"
    assert lint(made, "-q", "-v") == f"{shown}{hint}{accepted}"
    assert lint(made, "-q", "--only", "b") == ""
    assert "leave nothing to look at" in made.bpfgen("lint", "--only", "c", code=3).stderr
    annotation = "::warning file=bpf/a.c,line=13,title=A map that no program uses::"
    assert lint(made, "-q", GITHUB_ACTIONS="true").startswith(annotation)
    assert lint(made, "-q", "--no-github", GITHUB_ACTIONS="true") == shown + hint


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    ("old", "new", "count"),
    [
        ("", "", 1),
        ('} other SEC(".maps");', '} other SEC(".maps"); // bpfgen: allow(dead-map)', 0),
        (
            '} other SEC(".maps");',
            '/* bpfgen: allow(map-types, dead-map): used by the loader */\n} other SEC(".maps");',
            0,
        ),
        ('} other SEC(".maps");', '} other SEC(".maps"); // bpfgen: allow(dead-function)', 1),
        ('} other SEC(".maps");', '// bpfgen: allow(dead-map)\n\n} other SEC(".maps");', 1),
        ('} other SEC(".maps");', '} other SEC(".maps");\n// bpfgen: allow(dead-map)', 1),
    ],
)
def test_comment(old: str, new: str, count: int, tmp_path: Path) -> None:
    """A comment silences a lint on its line and on the next one; what is edited is built first."""
    made = make(tmp_path, {"a": (HITS["dead-map"][0].replace(old, new) if old else HITS["dead-map"][0], "")})
    assert len(json.loads(lint(made, "--json"))["findings"]) == count


@pytest.mark.usefixtures("quiet")
def test_whole_program(tmp_path: Path) -> None:
    """What has no line is silenced by a comment anywhere in the first source."""
    made = make(tmp_path, {"a": (f"{XDP}// bpfgen: allow(licence-missing)\n", ""), "b": (XDP, "")})
    assert [each["programs"] for each in json.loads(lint(made, "--json"))["findings"]] == [["b"]]


@pytest.mark.usefixtures("quiet")
def test_shared(tmp_path: Path) -> None:
    """What several programs have in common is said once; a table accepts it for one of them."""
    programs = dict.fromkeys("abcde", (f'#include "shared.h"\n{XDP}{LICENCE}', 'arches = ["amd64", "arm64"]'))
    made = make(
        tmp_path / "p", programs, '\n[[lint.allow]]\ncode = "host-header"\nprogram = "e"\nreason = "so be it"\n'
    )
    made.write("include/shared.h", "\n#include <sysexits.h>\n")
    found = json.loads(lint(made, "--json"))["findings"]
    assert [(each["file"], each["line"], each["level"], each["programs"]) for each in found] == [
        ("include/shared.h", 2, "warning", ["a", "b", "c", "d"]),
        ("include/shared.h", 2, "accepted", ["e"]),
    ]
    assert found[1]["objects"] == ["e/x86_bpfel", "e/arm64_bpfel"]
    assert "warning: a, b, c and 1 more: sysexits.h reads /usr/include/sysexits.h of this host" in lint(made)


@pytest.mark.usefixtures("quiet")
def test_headers_behind_headers(tmp_path: Path) -> None:
    """A header that leads to others is blamed for all of them; folders in build.toml where they stand."""
    made = make(tmp_path / "p", {"a": (f"#include <outer.h>\n{XDP}{LICENCE}", "")})
    for name, text in (("outer.h", '#include "inner.h"\n'), ("inner.h", "")):
        made.write(f"../there/{name}", text)
    there = str(tmp_path / "there")
    made.write("build.toml", (made.root / "build.toml").read_text().replace('"include"]', f'"include", "{there}"]'))
    assert [each for each in lint(made, "-q").split("\n") if "hint" not in each] == [
        f"bpf/a.c:2: warning: a: outer.h reads {there}/outer.h and 1 more header of this host [host-header]",
        f"build.toml:8:23: warning: a: headers are looked for in the absolute path {there} [absolute-include]",
        "",
    ]


@pytest.mark.usefixtures("quiet")
def test_unused(tmp_path: Path) -> None:
    """A table that accepts nothing is a warning, where everything is looked at."""
    made = make(tmp_path, {"a": (XDP + LICENCE, ""), "b": (XDP + LICENCE, "")}, ALLOW)
    said = "build.toml:10:1: warning: this [[lint.allow]] matches nothing\n  hint: remove it\n"
    assert lint(made, "-q") == said
    assert lint(made, "-q", "--only", "a") == ""
    assert json.loads(lint(made, "--json"))["unused"] == [0]


@pytest.mark.usefixtures("quiet")
def test_in_check(tmp_path: Path) -> None:
    """`bpfgen check` looks at lints where it is asked to, and fails for their errors."""
    kernel = '[kernel.lts61]\nupstream = "6.1"\n'
    programs = {"a": (HITS["target-arch"][0], HITS["target-arch"][1])}
    assert "target-arch" not in make(tmp_path, programs, kernel).bpfgen("check", code=None).stdout
    made = make(tmp_path, programs, f"[lint]\ncheck = true\n{kernel}")
    done = made.bpfgen("check", code=1)
    assert "bpf/a.c:4: error: a: __TARGET_ARCH_x86 is defined for no architecture" in done.stdout
    value = json.loads(made.bpfgen("check", "--json", code=1).stdout)
    assert {each["line"] for each in value["lint"]["findings"]} == {4, 8}
    made.write("bpf/a.c", f'#include "lint.h"\n{XDP}{LICENCE}')
    assert "bpfgen: 1 object: 0 errors, 0 warnings, 0 notes" in made.bpfgen("check").stdout


@pytest.mark.parametrize(("last", "first", "takes"), [(256, 240, True), (272, 240, True), (280, 240, False)])
def test_the_kernel_has_the_same_limit(last: int, first: int, takes: bool, tmp_path: Path) -> None:
    """The running kernel refuses a chain of calls where the lint is found, and takes the largest one without it."""
    source, made, pin = tmp_path / "a.c", tmp_path / "a.o", Path(f"/sys/fs/bpf/bpfgen-lint-{os.getpid()}")
    calls = CALLS.replace("xdp", "lwt_in") % ""  # a type whose functions share one stack on every kernel
    text = FRAME % ("last", last, "") + FRAME % ("first", first, " + last(ctx)") + calls
    source.write_text(HEADER + text + LICENCE)
    words = ("clang-19", "-target", "bpfel", "-mcpu=v2", "-O2", "-g", "-w", "-c", source, "-o", made)
    subprocess.run(words, check=True)
    program = Subject(made.read_bytes()).programs[0]
    assert (stack_of(program, LOOSE).depth <= LIMIT) == takes
    try:
        done = subprocess.run([BPFTOOL, "prog", "load", made, pin], capture_output=True, text=True, check=False)
        assert (done.returncode == 0) == takes, done.stderr
        assert takes or "combined stack size of 3 calls is 528. Too large" in done.stderr
    finally:
        pin.unlink(missing_ok=True)
