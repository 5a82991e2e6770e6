"""Lints: every one is complete, is documented, and is silenced by what names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bpfgen.catalog import table
from bpfgen.config.schemacheck import Silence
from bpfgen.errors import Location
from bpfgen.lints import LINTS
from bpfgen.lints.model import LEVELS, lints
from bpfgen.lints.silence import by_comment, by_table
from bpfgen.lints.tree import Tree

PAGE = Path(__file__).parent.parent.parent / "docs" / "lint.md"


def test_lints_are_whole() -> None:
    """Each has a function of its name, words, and a section of the page with its level, in the same order."""
    sections = re.findall(r"^### `([a-z-]+)` \((\w+)\)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [(code, words.level) for code, words in lints().items()] == sections
    assert [(code, lint.__name__.replace("_", "-")) for code, lint in LINTS.items()] == [(c, c) for c, _ in sections]
    assert {words.level for words in lints().values()} <= set(LEVELS)


def test_successors_are_there() -> None:
    """What takes the place of a helper or a section is in the catalogue."""
    helpers = table("features")["helper"]
    for name, row in table("deprecated")["helper"].items():
        assert name in helpers
        assert all(helpers[each]["since"] == row["since"] for each in row["instead"].split(" or "))
    sections = table("sections")
    assert all(name in sections and row["instead"] in sections for name, row in table("deprecated")["section"].items())


@pytest.mark.parametrize(
    ("path", "stray"),
    [
        ("bpf/a.c", False),
        ("../shared/a.h", False),
        ("/repository/project/include/a.h", False),
        ("/repository-2/a.h", True),
        ("/usr/include/linux/bpf.h", False),
        ("/usr/include/x86_64-linux-gnu/asm/types.h", False),
        ("/usr/aarch64-linux-gnu/include/asm/types.h", False),
        ("/usr/include/bpf/bpf_tracing.h", False),
        ("/opt/libbpf/src/bpf_helpers.h", False),
        ("/usr/lib/clang/19/include/stddef.h", False),
        ("/usr/include/stdio.h", True),
        ("/usr/include/x86_64-linux-gnu/sys/cdefs.h", True),
        ("/usr/include/linuxfoo.h", True),
        ("/usr/src/linux-headers-6.1/include/linux/skbuff.h", True),
        ("../../a.h", True),
    ],
)
def test_strays(path: str, stray: bool) -> None:
    """Headers of the repository, the kernel, libbpf and the compiler aren't the host's."""
    assert Tree("/repository/project", "/repository", "out", ["/usr/lib/clang/19"]).is_stray(path) == stray


def test_own() -> None:
    """What was made is no source, nor are libbpf's headers and vmlinux.h, wherever they are kept."""
    tree = Tree("/repository/project", "/repository", "out", [])
    assert tree.own("./bpf/a.c") == tree.own("/repository/project/bpf/a.c") == "bpf/a.c"
    assert tree.own("../shared/a.h") == "../shared/a.h"
    for path in ("out/fast/a.h", "include/vmlinux.h", "include/bpf/bpf_tracing.h", "/usr/include/linux/bpf.h"):
        assert tree.own(path) is None


def test_code(tmp_path: Path) -> None:
    """Comments are blanked, line by line; what stands in strings isn't one."""
    (tmp_path / "a.c").write_text('a /* b\nc */ d "// e" // f\n"\\"/*" g \'"\' // h\n')
    code = Tree(str(tmp_path), str(tmp_path), "out", []).code("a.c")
    assert [line.rstrip() for line in code] == ["a", '     d "// e"', '"\\"/*" g \'"\'', ""]


@pytest.mark.parametrize(
    ("line", "silent"),
    [
        ("x; // bpfgen: allow(dead-map)", True),
        ("x; /* bpfgen: allow(a,dead-map ) */", True),
        ("# bpfgen:allow(dead-map)", True),
        ("x; // bpfgen: allow(dead-maps)", False),
        ("x; // bpfgen: allow()", False),
        ("bpfgen: allow(dead-map)", False),
    ],
)
def test_comments(line: str, silent: bool, tmp_path: Path) -> None:
    """They name lints, on the line or the one before."""
    (tmp_path / "a.c").write_text(f"\n{line}\n\n\n")
    tree = Tree(str(tmp_path), str(tmp_path), "out", [])
    assert [by_comment("dead-map", Location("a.c", number), "a.c", tree) for number in (1, 2, 3, 4)] == [
        False,
        silent,
        silent,
        False,
    ]
    assert by_comment("dead-map", None, "a.c", tree) == silent
    assert not by_comment("dead-map", Location("nosuch.c", 1), "a.c", tree)


def test_tables() -> None:
    """The first one counts that matches both."""
    tables = (Silence("dead-map", "why", "b"), Silence("dead-*", "why"))
    assert [by_table("dead-map", "a", tables), by_table("dead-map", "b", tables)] == [1, 0]
    assert by_table("map-types", "b", tables) is None
