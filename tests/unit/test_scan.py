"""`cc.scan` and `cc.flags`: every word that a compile can name."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpfgen.cc import flags
from bpfgen.cc.scan import Folders, Refused, Scan, makes_names, normal

HELPERS = """\
/* This is auto-generated file. */
struct task;
struct other;
struct row;

/*
 * bpf_one: of struct hidden
 */
static long (* const bpf_one)(struct task *task, __u32 size) = (void *) 1;

static struct other *(* const bpf_two)(void *map, const struct row *row, enum kind kind) = (void *) 2;
"""


def scanned(root: Path, *words: str) -> Scan:
    """A scan of `main.c`, with these words of clang's."""
    os.chdir(root)
    scan = Scan(Folders(list(words), []), "out/vmlinux.h")
    scan.add("main.c")
    return scan


def write(root: Path, files: dict[str, str]) -> None:
    """Writes files."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


@pytest.fixture(autouse=True)
def _folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in flags.VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "include",
    ['#include "a.h"', "# include <a.h>", '#\tinclude\t"a.h"', '#include"a.h"', '#import "a.h"', '#/**/include "a.h"',
     '%:include "a.h"', '#inc\\\nlude "a.h"', '#include "a\\\n.h"', '  #include "a.h" // b', "/* #include <a.h> */",
     "#include_next <a.h>", '#if 0\n#include "a.h"\n#endif'],
)  # fmt: skip
def test_includes(tmp_path: Path, include: str) -> None:
    write(tmp_path, {"main.c": include, "inc/a.h": "word"})
    assert b"word" in scanned(tmp_path, "-Iinc").words


@pytest.mark.parametrize("include", ["#include A", "# include A(b)", "#/**/include A", "#include/**/<a.h>"])
def test_include_of_a_macro(tmp_path: Path, include: str) -> None:
    write(tmp_path, {"main.c": include})
    with pytest.raises(Refused, match="a macro names"):
        scanned(tmp_path)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["-Ia", "-Ib"], "a"),
        (["-I", "b", "-I", "a"], "b"),
        (["-isystem", "a", "-Ib"], "b"),
        (["-idirafter", "a", "-isystem", "b"], "b"),
        (["-iquote", "a", "-Ib"], "a"),
    ],
)
def test_order_of_folders(tmp_path: Path, words: list[str], found: str) -> None:
    write(tmp_path, {"main.c": '#include "x.h"\n', "a/x.h": "in_a", "b/x.h": "in_b"})
    assert f"in_{found}".encode() in scanned(tmp_path, *words).words


def test_vmlinux(tmp_path: Path) -> None:
    write(tmp_path, {"main.c": '#include "vmlinux.h"\n', "out/vmlinux.h": "word"})
    scan = scanned(tmp_path, "-isystem", "out")
    assert scan.reads_header
    assert b"word" not in scan.words
    write(tmp_path, {"mine/vmlinux.h": ""})
    with pytest.raises(Refused, match=r"another vmlinux\.h is found first: mine/vmlinux\.h"):
        scanned(tmp_path, "-isystem", "out", "-Imine")


def test_parent_of_a_link(tmp_path: Path) -> None:
    write(tmp_path, {"main.c": '#include "link/../x.h"\n', "x.h": "wrong", "far/away/y.h": "", "far/x.h": "right"})
    (tmp_path / "link").symlink_to("far/away")
    scan = scanned(tmp_path)
    assert b"right" in scan.words
    assert b"wrong" not in scan.words
    assert normal("link/../x.h") in scan.files
    assert normal("./a//b.h") == "a/b.h"


@pytest.mark.parametrize(
    "text",
    ["#define A(x) a##x", "#define A(x) x ## b", "#define A(x) (1, x##b)", "x##__VA_ARGS__", "a %:%: b", "??=define",
     "a??/\nb", "ta\\ \nsk", "ta\\\t\nsk", "___bpf_concat(a, b)", "#define C ___bpf_concat\n", "#x###y"],
)  # fmt: skip
def test_text_that_makes_names(text: str) -> None:
    assert makes_names("a.h", text.encode())


@pytest.mark.parametrize("text", ["f(1, ##__VA_ARGS__)", "#x", "a # b", "x\\ y", "'\\ '", "## comment"])
def test_text_that_makes_none(text: str) -> None:
    assert not makes_names("a.h", text.encode())


@pytest.mark.parametrize(
    ("text", "makes"),
    [
        ("#ifndef ___bpf_concat\n#define ___bpf_concat(a, b) a ## b\n#endif", False),
        ("#define ___bpf_apply(fn, n) ___bpf_concat(fn, n)", False),
        ("((typeof(name(0)) ____##name(struct pt_regs *ctx, ##args)", False),
        ("(src)->field, BPF_FIELD_##info)", False),
        ("#define T(a, b) a ## b", True),
        ("#define T(x) struct x##sk", True),
        ("#define T(x) ___bpf_concat(x, sk)", False),
        ("#define T(y) ___bpf_concat(y, sk)", True),
        ("#define T ___bpf_concat\n", True),
    ],
)
def test_headers_with_names_of_libbpf(text: str, makes: bool) -> None:
    assert bool(makes_names("include/bpf_helpers.h", text.encode())) == makes


def test_helpers(tmp_path: Path) -> None:
    """Of a helper that nobody names, structs stay incomplete; the others must be there."""
    write(tmp_path, {"main.c": '#include "bpf_helper_defs.h"\nbpf_one', "bpf_helper_defs.h": HELPERS})
    words = scanned(tmp_path).all_words()
    assert {b"bpf_one", b"task", b"__u32", b"kind"} <= words
    assert not words & {b"bpf_two", b"other", b"row", b"hidden"}


@pytest.mark.parametrize(
    "more",
    ["int f(void) { struct hidden *h; }\n", "static int f(void) {;\n *g(struct hidden);\n};\n", "#define A hidden\n",
     "/* a */ struct hidden *h;\n", "static long (* const bpf_three)(struct hidden *h) = (void *) 3;\n"],
)  # fmt: skip
def test_other_lists_of_helpers(tmp_path: Path, more: str) -> None:
    write(tmp_path, {"main.c": '#include "bpf_helper_defs.h"\n', "bpf_helper_defs.h": HELPERS + more})
    assert b"hidden" in scanned(tmp_path).all_words()


@pytest.mark.parametrize(
    ("words", "macros"),
    [
        (["clang", "-DA=b", "-D", "C=d", "-O2", "-std=c11"], ["A=b", "C=d"]),
        (["clang", "-include", "-DA", "-I", "-DB", "-UA"], []),
        (["clang", "-target", "bpfel", "-fms-extensions", "-isystem", "-x", "-c", "a.c", "-o", "b"], []),
        (["clang", "-Xclang", "-disable-llvm-passes"], []),
    ],
)
def test_macros(words: list[str], macros: list[str]) -> None:
    assert flags.macros(words) == macros


@pytest.mark.parametrize(
    "words",
    [["--define-macro=A=b"], ["-Xclang", "-DA=b"], ["-Wp,-DA=b"], ["--config", "a"], ["-Xpreprocessor", "-DA"],
     ["-fplugin=a"], ["--sysroot=a"], ["-isysroot", "a"], ["-iprefix", "a"], ["-cxx-isystem", "a"]],
)  # fmt: skip
def test_flags_that_are_not_known(words: list[str]) -> None:
    with pytest.raises(Refused):
        flags.macros(["clang", *words])


@pytest.mark.parametrize("word", ["-fmodules", "-include-pch", "-ivfsoverlay", "-Wsystem-headers"])
def test_flags_that_never_go(word: str) -> None:
    with pytest.raises(Refused):
        flags.refuse(["clang", "-Xclang", word])


NAMES = st.sampled_from(["alpha", "beta_1", "_gamma", "delta9", "x$y", "größe", "T"])
LINES = st.one_of(
    NAMES.map(lambda name: f"int {name};"),
    st.tuples(NAMES, NAMES).map(lambda pair: f"#define {pair[0]} {pair[1]} more_{pair[1][:1]}"),
    st.tuples(NAMES, NAMES).map(lambda pair: f"#define {pair[0]}(a) a({pair[1]}) #a"),
    NAMES.map(lambda name: f"#undef {name}"),
    NAMES.map(lambda name: f"{name}(one {name}) two"),
    NAMES.map(lambda name: f"#ifdef {name}\nyes_{name[:1]}\n#else\nno_{name[:1]}\n#endif"),
    NAMES.map(lambda name: f"{name[:1]}\\\n{name[1:]} joined"),
    NAMES.map(lambda name: f"/* {name}\n{name} */ after // {name}"),
    st.sampled_from(['#include "a.h"', "#include <b.h>"]),
)
TEXTS = st.lists(LINES, max_size=8).map(lambda lines: "\n".join(lines) + "\n")


@pytest.mark.real
@settings(max_examples=60)
@given(TEXTS, TEXTS, TEXTS)
def test_finds_all_that_the_preprocessor_gives(
    tmp_path_factory: pytest.TempPathFactory, main: str, quoted: str, angled: str
) -> None:
    if shutil.which("clang-19") is None:
        pytest.skip("clang-19 is not installed")
    root = tmp_path_factory.mktemp("scan")
    once = "#pragma once\n"
    write(root, {"main.c": main, "a.h": once + quoted, "inc/b.h": once + angled})
    clang = ["clang-19", "-target", "bpfel", "-E", "-P", "-Iinc", "-Wno-everything", "-DT=of_a_flag", "main.c"]
    done = subprocess.run(clang, cwd=root, capture_output=True, text=True, check=False)
    code = re.sub(r'"(?:[^"\\]|\\.)*"', "", done.stdout)
    words = scanned(root, "-Iinc").words | {b"of_a_flag"}
    found = set(re.findall(r"[^\W\d][\w$]*", code))
    assert {name for name in found if name.encode() not in words} <= {"pragma"}
