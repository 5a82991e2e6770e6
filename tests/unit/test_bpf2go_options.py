"""`bpf2go.options` and `cflags`: bpf2go's command line, and its C flags as keys of build.toml."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpfgen.bpf2go.cflags import CFlags, Places, split
from bpfgen.bpf2go.goflag import HelpAsked, Refused
from bpfgen.bpf2go.options import NoSuchTarget, Options, read, split_cflags
from bpfgen.bpf2go.programs import compiler, tags

ENVIRON = {"GOPACKAGE": "p", "GOFILE": "x.go"}


def options(*words: str, **environ: str) -> Options:
    """The options of a call in package p, on amd64."""
    return read(words, {**ENVIRON, **environ}, "amd64")


def test_defaults() -> None:
    assert options("Foo", "foo.c") == Options(
        ident="Foo",
        source="foo.c",
        package="p",
        cc=("clang",),
        cflags=(),
        target="bpfel,bpfeb",
        targets=("bpfel", "bpfeb"),
        tags=None,
        types=(),
        global_types=True,
        output_dir="",
        output_stem="",
        output_suffix="",
        strip="",
        no_strip=False,
        makebase="",
        verbose=False,
        ignored=(),
    )
    assert options("Foo", "foo.c").stem == "foo"


EVERY = (
    "-cc", "ccache clang-19 -O3", "--strip=llvm-strip", "-no-strip", "-cflags", "-DA '-DB=\"c d\"'", "-tags", "linux",
    "-tags=a,b", "--target", "arm64,native,bpfel,arm64", "-makebase=..", "-type", "b", "--type=a", "-no-global-types=T",
    "-output-stem", "s", "-output-suffix=_x", "-output-dir", "../out", "-go-package=q", "-verbose", "Foo", "foo.c",
    "more", "--", "-DC", "--", "-I..",
)  # fmt: skip


def test_every_option() -> None:
    found = options(*EVERY)
    assert found == Options(
        ident="Foo",
        source="foo.c",
        package="q",
        cc=("ccache", "clang-19", "-O3"),
        cflags=("-DA", '-DB="c d"', "-DC", "--", "-I.."),
        target="arm64,native,bpfel,arm64",
        targets=("arm64", "amd64", "bpfel"),
        tags="a,b",
        types=("a", "b"),
        global_types=False,
        output_dir="../out",
        output_stem="s",
        output_suffix="_x",
        strip="llvm-strip",
        no_strip=True,
        makebase="..",
        verbose=True,
        ignored=("more",),
    )
    assert found.stem == "s"
    assert compiler(found).clang == "clang-19"
    assert (compiler(found).launcher, compiler(found).flags) == ("ccache", ("-O3",))


def test_environment() -> None:
    found = options(
        "a",
        "a.c",
        BPF2GO_CC="cc",
        BPF2GO_CFLAGS="-DA",
        BPF2GO_STRIP="s",
        BPF2GO_MAKEBASE="m",
        GOFILE="a_test.go",
        V="1",
    )
    assert (found.cc, found.cflags, found.strip, found.makebase) == (("cc",), ("-DA",), "s", "m")
    assert (found.output_suffix, found.verbose) == ("_test", True)
    assert options("-cflags=", "a", "a.c", BPF2GO_CFLAGS="-DA").cflags == ()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("a",), "expected at least two arguments"),
        (("a", "--", "a.c"), "expected at least two arguments"),
        (("-cc", "", "a", "a.c"), "no compiler specified"),
        (("-cc=  ", "a", "a.c"), "no compiler specified"),
        (("-nope", "a", "a.c"), "flag provided but not defined: -nope"),
        (("---cc", "a"), "bad flag syntax: ---cc"),
        (("-=x", "a"), "bad flag syntax: -=x"),
        (("-cc",), "flag needs an argument: -cc"),
        (("-no-strip=maybe", "a", "a.c"), 'invalid boolean value "maybe" for -no-strip: parse error'),
        (
            ("-type", "a b", "a", "a.c"),
            'invalid value "a b" for flag -type: "a b" contains characters outside of [a-z0-9_]',
        ),
        (("-type=a", "-type=a", "a", "a.c"), 'invalid value "a" for flag -type: duplicate type "a"'),
        (("-target", "x86", "a", "a.c"), '"x86": unsupported target'),
        (("-target", "mipsle", "a", "a.c"), '"mipsle": unsupported target'),
        (("-target=", "a", "a.c"), '"": unsupported target'),
        (("a", "a.c", "--", "-MD"), 'use -makebase instead of "-MD"'),
        (("-cflags", "-MF x", "a", "a.c"), 'use -makebase instead of "-MF"'),
        (("-cflags", "'x", "a", "a.c"), "missing `'`"),
        (("-cflags", "x\\", "a", "a.c"), "unfinished escape"),
        (("-output-stem=a/b", "a", "a.c"), '-output-stem "a/b" must not contain path separation characters'),
        (("-output-suffix=/", "a", "a.c"), '-output-suffix "/" must not contain path separation characters'),
    ],
)
def test_refusals(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(Refused) as caught:
        options(*words)
    assert str(caught.value) == message
    assert caught.value.usage is message.startswith(("flag ", "bad flag", "invalid"))
    assert isinstance(caught.value, NoSuchTarget) is ("unsupported" in message)


def test_no_package() -> None:
    with pytest.raises(Refused, match="missing package"):
        read(("a", "a.c"), {}, "amd64")


@pytest.mark.parametrize("word", ["-h", "--help", "-help"])
def test_help(word: str) -> None:
    with pytest.raises(HelpAsked):
        options("-cc", "x", word)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        ("  a  b ", ("a", "b")),
        ("'a b' c", ("a b", "c")),
        ('a"b c"d', ("ab c", "d")),
        ('"it\'s"', ("it's",)),
        ("''", ("",)),
        (r"a\ b \\ \'", ("a b", "\\", "'")),
        (r"'a\'b'", ("a'b",)),
    ],
)
def test_split_cflags(text: str, words: tuple[str, ...]) -> None:
    assert split_cflags(text) == words


@given(st.lists(st.text(st.sampled_from(" ab'\"\\-\t="))))
def test_cflags_round_trip(words: list[str]) -> None:
    """Words in quotes come back, with what is special escaped."""
    text = " ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words)
    assert split_cflags(text) == tuple(words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, ()),
        ("linux", ("linux",)),
        ("linux,!race", ("linux", "!race")),
        ("linux darwin,cgo", ("linux darwin,cgo",)),
        ("", ("ignore",)),
        ("!!a", ("ignore",)),
        ("a-b,c", ("ignore", "c")),
    ],
)
def test_tags(text: Any, expected: tuple[str, ...]) -> None:
    assert tags(text) == expected


PLACES = Places(lambda path: f"r/{path}", lambda path: not path.endswith("gone"), lambda path: path.endswith("here.h"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), CFlags()),
        (("-Ia", "-I", "b", "-I", "a", "-Igone", "-I"), CFlags(include=("r/a", "r/b"))),
        (("-DA", "-DB=", "-D", "C=x y", "-DD=3", "-DE=03", "-UF", "-U", "A"), CFlags(define={
            "B": "", "C": "x y", "D": 3, "E": "03", "F": False, "A": False})),
        (("-Df(x)=x",), CFlags(cflags=("-Df(x)=x",))),
        (("-mcpu=v3", "-mcpu=v2"), CFlags(mcpu="v2")),
        (("-g", "-c", "-O2", "-Wall"), CFlags(cflags=("-Wall",))),
        (("-O3", "-O2", "-O1"), CFlags(cflags=("-O1",))),
        (("-O1", "-O2"), CFlags()),
        (("-isystem", "a", "-isystemb", "-idirafter", "c"), CFlags(
            cflags=("-isystem", "r/a", "-isystem", "r/b", "-idirafter", "r/c"))),
        (("-include", "here.h", "-includeother.h"), CFlags(cflags=("-include", "r/here.h", "-include", "other.h"))),
        (("-mllvm", "-inline=1", "-Xclang", "-x"), CFlags(cflags=("-mllvm", "-inline=1", "-Xclang", "-x"))),
        (("-target", "bpf", "--target=bpf", "-o", "x"), CFlags()),
    ],
)  # fmt: skip
def test_cflags(words: tuple[str, ...], expected: CFlags) -> None:
    found = split(words, PLACES)
    assert (found.mcpu, found.include, found.cflags) == (expected.mcpu, expected.include, expected.cflags)
    assert list(found.define.items()) == list(expected.define.items())
    assert not found.lost


@pytest.mark.parametrize(
    "words", [("-mcpu=probe",), ("-march=x",), ("-S",), ("-x", "c"), ("@file",), ("other.c",), ("-emit-llvm",), ("-v",)]
)
def test_flags_that_are_lost(words: tuple[str, ...]) -> None:
    found = split(words, PLACES)
    assert len(found.lost) == 1
    assert found.lost[0].startswith(words[0])
    assert found.cflags == ()
