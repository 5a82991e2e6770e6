"""`cc.declarations` and `cc.index.kept`: what is kept of a header, of random ones too."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from headers import SOFT, headers
from hypothesis import given, settings
from hypothesis import strategies as st

from bpfgen.cc.declarations import Unreadable, parse
from bpfgen.cc.index import KEYWORDS, kept, text


def reduced(header: str, *words: str) -> str:
    """What is kept of a header for some words."""
    data = header.encode()
    index = parse(data)
    made = text(index, data, kept(index, [word.encode() for word in words]))
    assert made.startswith(KEYWORDS)
    return made[len(KEYWORDS) :].decode().strip("\n")


@pytest.mark.parametrize(
    ("header", "words", "lines"),
    [
        (SOFT, ["task"], ["struct task {"]),
        (SOFT, ["task", "far"], ["struct far {", "struct task {"]),
        (SOFT, ["far"], ["struct far {"]),
        (SOFT + "#define F(t) t->far\n", ["task"], ["struct far {", "struct task {", "#define F(t) t->far"]),
        (SOFT.replace("struct far *far", "const struct far *far"), ["task"], ["struct far {", "struct task {"]),
        (SOFT.replace("struct far *far", "struct far *far[2]"), ["task"], ["struct far {", "struct task {"]),
        (SOFT.replace("struct far *far", "struct far **far"), ["task"], ["struct far {", "struct task {"]),
        (SOFT.replace("struct far *far", "void (*f)(struct far *)"), ["task"], ["struct far {", "struct task {"]),
        ("struct far;\n" + SOFT, ["task"], ["struct far;", "struct task {"]),
        ("typedef int a;\n\ntypedef a b;\n\ntypedef int c;\n", ["b"], ["typedef int a;", "typedef a b;"]),
        ("enum e {\n\tONE = 1,\n};\n", ["ONE"], ["enum e {"]),
        ("enum e {\n\tONE = 1,\n};\n", ["e"], ["enum e {"]),
        ("typedef int (*f)(a);\n", ["f"], ["typedef int (*f)(a);"]),
        ("typedef int f[4];\n", ["f"], ["typedef int f[4];"]),
        ("extern int f(struct far *x) __weak __ksym;\n", ["f"], ["extern int f(struct far *x) __weak __ksym;"]),
        ("extern int *f(int (*g)(int (*)(int)), ...);\n", ["f"], ["extern int *f(int (*g)(int (*)(int)), ...);"]),
        ("extern int f(int), g(int);\n", [], ["extern int f(int), g(int);"]),
        ("extern __attribute__((weak)) int f(int);\n", [], ["extern __attribute__((weak)) int f(int);"]),
        ("extern int x;\n", [], ["extern int x;"]),
        ("int f(void);\n", [], ["int f(void);"]),
        ("typedef int a, b;\n", [], ["typedef int a, b;"]),
        ("struct a {\n\tint x;\n} b;\n", [], ["struct a {", "} b;"]),
        ("struct a {\n\tint x;\n} __attribute__((packed));\n", [], []),
        ("enum a : char {\n\tONE = 1,\n};\n", [], ["enum a : char {"]),
        ("struct __attribute__((packed)) a {\n\tint x;\n};\n", [], ["struct __attribute__((packed)) a {"]),
        ("typedef typeof(((struct task *)0)->far) t;\n" + SOFT, ["t"],
         ["typedef typeof(((struct task *)0)->far) t;", "struct far {", "struct task {"]),
        ("", ["a"], []),
    ],
)  # fmt: skip
def test_kept(header: str, words: list[str], lines: list[str]) -> None:
    made = reduced(header, *words)
    assert [line for line in made.splitlines() if line and line[0] != "\t" and line != "};"] == lines


@pytest.mark.parametrize(
    "header",
    ["struct a { int x; };\n", "int a; int b;\n", "struct a\n{\n\tint x;\n};\n", "  int a;\n", "int a;\r\n",
     "struct a {\n\tint x;\n };\n struct b {\n\tint y;\n};\n", "static int f(void) {\n\treturn 1;\n};\n",
     "struct a {\n\t#define A 1\n\tint x;\n};\n", '#include "b.h"\n', "#import <b.h>\n",
     "enum {\n\tA = __LINE__,\n};\n",
     '_Pragma("pack(1)")\nint a;\n', "%:define A\n", "??=define A\n", "#define A 'a\\n'\n", "struct a {\n\tint x;\n"],
)  # fmt: skip
def test_unreadable(header: str) -> None:
    with pytest.raises(Unreadable):
        parse(header.encode())


@pytest.mark.parametrize("comment", ["/* struct x; */", "// }", "/*\n * struct y {\n */"])
def test_comments_are_nothing(comment: str) -> None:
    header = f"{comment}\nstruct a {{\n\tint x; {comment}\n}};\n"
    assert "int x;" in reduced(header, "a")
    assert reduced(header) == ""


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, list[str], list[str]]:
    """A header and two sets of words."""
    header, words = draw(headers())
    some = st.lists(st.sampled_from(words), max_size=6)
    return header, draw(some), draw(some)


@given(cases())
def test_part_of_the_whole(case: tuple[str, list[str], list[str]]) -> None:
    """Declarations in the order of the header; more words never give less; the order of words is nothing."""
    header, words, others = case
    index = parse(header.encode())
    first = kept(index, [word.encode() for word in words])
    both = kept(index, [word.encode() for word in [*others, *words]])
    assert first == sorted(set(first))
    assert set(first) <= set(both)
    assert first == kept(index, [word.encode() for word in words[::-1]])
    position = 0
    for part in reduced(header, *words).split("\n"):
        position = header.index(part, position)


@given(cases())
def test_closed(case: tuple[str, list[str], list[str]]) -> None:
    """What is kept needs nothing that isn't, and every declaration of a word is kept."""
    header, words, _ = case
    index = parse(header.encode())
    found = set(kept(index, [word.encode() for word in words]))
    for number in found:
        assert set(index.hard[index.hard_starts[number] : index.hard_starts[number + 1]]) <= found
    made = reduced(header, *words)
    for word in words:
        for line in (f"struct {word} {{", f"enum {word} {{"):
            assert (line in header) == (line in made)


@pytest.mark.real
@settings(max_examples=40)
@given(cases())
def test_compiles_alone(tmp_path_factory: pytest.TempPathFactory, case: tuple[str, list[str], list[str]]) -> None:
    """Where clang takes the whole header, it takes the part, and a use of each word."""
    if shutil.which("clang-19") is None:
        pytest.skip("clang-19 is not installed")
    header, words, _ = case
    uses = [f"struct {word} g_{word};" for word in words if re.fullmatch(r"s\d+", word)]
    uses += [f"{word} g_{word};" for word in words if re.fullmatch(r"t\d+", word)]
    uses += [f"int g_{word} = {word};" for word in words if word.startswith("V")]
    uses += [f"const void *g_{word}(void) {{ return {word}; }}" for word in words if re.fullmatch(r"f\d+", word)]
    use = "\n".join(dict.fromkeys(uses)) + "\n"
    folder = tmp_path_factory.mktemp("alone")
    (folder / "whole.c").write_text(header + use, encoding="utf-8")
    (folder / "part.c").write_text(reduced(header, *words) + "\n" + use, encoding="utf-8")
    clang = ("clang-19", "-target", "bpfel", "-fsyntax-only", "-Werror", "-Wno-visibility")
    for name in ("whole.c", "part.c"):
        done = subprocess.run((*clang, name), cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
