"""`bpf2go.directives`, `gosyntax` and `calls`: lines as `go generate` reads them."""

from __future__ import annotations

import string
from typing import Optional

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bpfgen.bpf2go.calls import Call, Hidden, find_call
from bpfgen.bpf2go.directives import LONGEST, Directive, quote, read, split
from bpfgen.bpf2go.gosyntax import expand, package_clause, required, unquote
from bpfgen.errors import Problem

WORDS = st.lists(st.text(st.one_of(st.sampled_from(' \t\n\r"\\$é\x00'), st.characters(categories=("L", "P", "S")))))


@given(WORDS)
@example(["", '"', "\\", "a b", 'a"b', "\n", "\r", "é"])
def test_quoting_round_trips(words: list[str]) -> None:
    """Any words can be written as a line, and are read back."""
    assert split(" ".join(map(quote, words))) == tuple(words)


@given(st.text(alphabet=string.printable))
def test_split_ends(line: str) -> None:
    """Any line has words, or is refused in one of `go generate`'s ways."""
    problems: list[Problem] = []
    text = f"package p\n//go:generate {line}"
    assert (
        list(read("a.go", f"{text}\n", {}, problems))
        or problems
        or "\n" in line
        or line.lstrip().startswith("-command")
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a b", ("a", "b")),
        (" \t a\t\tb ", ("a", "b")),
        ('"a b" c', ("a b", "c")),
        ('a"b c"', ('a"b', 'c"')),
        ("'a b'", ("'a", "b'")),
        (r'"\x41\102\u0043\U00000044\"\\\t"', ('ABCD"\\\t',)),
        (r'"\xc3\xa9"', ("é",)),
        (r'"\xff"', ("\udcff",)),
        ('""', ("",)),
        ("a # b", ("a", "#", "b")),
    ],
)
def test_split(line: str, words: tuple[str, ...]) -> None:
    assert split(line) == words


@pytest.mark.parametrize(
    "text", [r'"\'"', r'"\8"', r'"\400"', r'"\x4"', r'"\ud800"', r'"\U00110000"', '"a\nb"', '"', "a"]
)
def test_what_is_no_go_string(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - it says nothing more
        unquote(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A", "1"),
        ("${A}b", "1b"),
        ("$Ab", "-"),
        ("$A.b", "1.b"),
        ("$$A", "{$}A"),
        ("$1A", "{1}A"),
        ("${1}", "{1}"),
        ("${}x", "x"),
        ("${A", "A"),
        ("$", "$"),
        ("a$ b", "a$ b"),
        ("$é", "$é"),
        ("$_", "-"),
    ],
)
def test_expand(text: str, expected: str) -> None:
    values = {"A": "1", "1": "{1}", "$": "{$}"}
    assert expand(text, lambda name: values.get(name, "-")) == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("package a\n", "a"),
        ("\ufeff// x\n\n/* package no */ package a // b\n", "a"),
        ("//go:build linux\n\npackage a_test", "a_test"),
        ("package /* x */ a", "a"),
        ("// package a\n", None),
        ("packagea\n", None),
        ("", None),
        ("import x\npackage a\n", None),
    ],
)
def test_package_clause(text: str, name: Optional[str]) -> None:
    assert package_clause(text) == name


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("require github.com/cilium/ebpf v0.22.0\n", "v0.22.0"),
        ("require (\n\tgithub.com/cilium/ebpf v0.9.4-0.2022 // indirect\n)\n", "v0.9.4-0.2022"),
        ("module github.com/cilium/ebpf\n\ntool github.com/cilium/ebpf/cmd/bpf2go\n", None),
        ("require github.com/cilium/ebpf/x v0.1.0\n", None),
        ("// require github.com/cilium/ebpf v0.1.0\n", None),
    ],
)
def test_required(text: str, version: Optional[str]) -> None:
    assert required(text, "github.com/cilium/ebpf") == version


def lines(text: str, **environ: str) -> list[Directive]:
    """The directives of a file of package p."""
    problems: list[Problem] = []
    found = list(read("d/a.go", f"package p\n{text}\n", environ, problems))
    assert problems == []
    return found


def test_variables() -> None:
    """The file's own are set; others come from the environment, and are noted with what they are."""
    (line,) = lines("//go:generate x $GOFILE $GOLINE $GOPACKAGE $DOLLAR $A ${B}c\r", A="1 2", GOFILE="no")
    assert line.words == ("x", "a.go", "2", "p", "$", "1 2", "c")
    assert line.asked == {"A": "1 2", "B": None}
    assert line.environ["GOFILE"] == "a.go"
    assert str(line.where) == "d/a.go:2"


def test_only_lines_that_begin_so_count() -> None:
    """`go generate` doesn't parse: comments and strings count, a space before or behind `//` doesn't."""
    text = " //go:generate a\n// go:generate b\n//go:generatec\n/*\n//go:generate d\n*/\nx := `\n//go:generate\te\n`"
    assert [line.words for line in lines(text)] == [("d",), ("e",)]


def test_aliases() -> None:
    """An alias holds from its line on, in its file; its words are looked through twice, and may run nothing else."""
    text = """//go:generate a 1
//go:generate -command a go tool $T ${DOLLAR}T
//go:generate a 2
//go:generate "a" $A
//go:generate -command b
//go:generate b a 3"""
    found = lines(text, T="t", A="a")
    assert [line.words for line in found] == [
        ("a", "1"),
        ("go", "tool", "t", "t", "2"),
        ("go", "tool", "t", "t", "a"),
        ("a", "3"),
    ]
    assert found[1].asked == {"T": "t"}
    assert found[3].asked == {}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("//go:generate ", "no arguments to directive"),
        ('//go:generate a "b', "mismatched quoted string"),
        ('//go:generate a "b\\', "bad backslash"),
        (r'//go:generate a "\q"', "bad quoted string"),
        ('//go:generate "a"b', "expect space after quoted argument"),
        ("//go:generate -command", "no command specified for -command"),
        ("//go:generate -command a b\n//go:generate -command a c", 'command "a" multiply defined'),
        ("//go:generate " + "a" * (LONGEST - 14), "directive too long"),
    ],
)
def test_refusals_have_their_places(line: str, message: str) -> None:
    """And the lines behind them are read all the same."""
    problems: list[Problem] = []
    found = list(read("d/a.go", f"package p\n\n{line}\n//go:generate z\n", {}, problems))
    place = 3 + line.count("\n")
    assert [str(problem) for problem in problems] == [
        f"d/a.go:{place}: error: {message}\n  hint: `go generate` stops here, too"
    ]
    assert [each.words for each in found] == [("z",)]


def test_longest_line_is_read() -> None:
    assert len(lines("//go:generate " + "a" * (LONGEST - 15))) == 1


def test_a_last_line_without_an_end_is_refused() -> None:
    problems: list[Problem] = []
    assert not list(read("a.go", "package p\n//go:generate a", {}, problems))
    assert str(problems[0]).startswith("a.go:2: error: the line has no end")


def test_no_package_no_lines() -> None:
    assert not list(read("a.go", "//go:generate a\n", {}, []))


def call(text: str, **environ: str) -> object:
    """What one line runs."""
    (line,) = lines(f"//go:generate {text}", **environ)
    found = find_call(line)
    return (found.words, found.version) if isinstance(found, Call) else found


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("bpf2go -x a", None),
        ("/usr/bin/bpf2go -x a", None),
        ("$BPF2GO -x a", None),
        ("${MY_BPF2GO_TOOL} -x a", None),
        ("$SET -x a", None),
        ("go tool bpf2go -x a", None),
        ("go tool -modfile=tools/go.mod github.com/cilium/ebpf/cmd/bpf2go -x a", None),
        ("go tool -modfile tools/go.mod bpf2go -x a", None),
        ("go run github.com/cilium/ebpf/cmd/bpf2go -x a", None),
        ("go run github.com/cilium/ebpf/cmd/bpf2go@v0.19.0 -x a", "v0.19.0"),
        ("go run -mod=vendor -race --tags x ../cmd/bpf2go -x a", None),
        ("env A=1 B= go tool bpf2go -x a", None),
    ],
)
def test_calls(text: str, version: Optional[str]) -> None:
    assert call(text, SET="/opt/bpf2go") == (("-x", "a"), version)


def test_env_sets_variables() -> None:
    (line,) = lines("//go:generate env BPF2GO_CC=clang-14 bpf2go a a.c")
    found = find_call(line)
    assert isinstance(found, Call)
    assert found.environ["BPF2GO_CC"] == "clang-14"
    assert found.environ["GOPACKAGE"] == "p"


@pytest.mark.parametrize("text", ["stringer -type=x", "go run ./gen", "go tool stringer", "env A=1", "$UNSET bpf"])
def test_others(text: str) -> None:
    assert call(text) is None


@pytest.mark.parametrize("text", ['sh -c "bpf2go a a.c"', "make bpf2go", "go run ./gen bpf2go", "env -i bpf2go a a.c"])
def test_hidden(text: str) -> None:
    assert isinstance(call(text), Hidden)
