"""`config.write`: what is written decodes to the same."""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from bpfgen.catalog import arches
from bpfgen.config.decode import decode
from bpfgen.config.report import Report
from bpfgen.config.schema import (
    Compile,
    Config,
    Go,
    Kernel,
    Program,
    ProgramGo,
    Project,
    Targets,
    Toolchain,
    Variant,
)
from bpfgen.config.schemacheck import Allow, Check
from bpfgen.config.source import read_document
from bpfgen.config.values import GoApi
from bpfgen.config.write import literal, render

TEXT = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=10)
PATH = st.text(st.sampled_from("ab/.\"' $é"), min_size=1).filter(lambda text: text.strip(" /.") != "")
NAME = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,9}", fullmatch=True)
PROGRAM_NAME = st.text(st.sampled_from("ab.\"'= [é"), min_size=1, max_size=9).map(lambda text: f"p{text}x")
MACRO = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True)
DEFINE = st.dictionaries(MACRO, st.one_of(st.booleans(), st.integers(-(2**62), 2**62), TEXT))
FLAGS = st.lists(TEXT).map(tuple)
PATHS = st.lists(PATH).map(tuple)
MCPU = st.sampled_from(["v1", "v2", "v3", "v4"])
ARCHES = st.lists(st.sampled_from(sorted(arches()))).map(tuple)
GO_NAME = st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A value, or none."""
    return st.one_of(st.none(), strategy)


VARIANT = st.builds(Variant, cflags=FLAGS, include=PATHS, define=DEFINE, mcpu=maybe(MCPU))
PROGRAM_GO = st.builds(
    ProgramGo,
    stem=maybe(GO_NAME),
    output_stem=maybe(GO_NAME),
    suffix=st.sampled_from(["", "_test"]),
    types=st.lists(MACRO).map(tuple),
    global_types=st.booleans(),
    tags=maybe(st.lists(st.sampled_from(["linux", "!race", "a b,c"])).map(tuple)),
    package=maybe(GO_NAME),
    dir=maybe(st.sampled_from([".", "a/b"])),
    target=maybe(st.just("bpf")),
)
PROGRAM = st.builds(
    Program,
    source=maybe(PATH),
    sources=PATHS,
    exclude=PATHS,
    arches=maybe(ARCHES),
    kernels=maybe(st.lists(NAME).map(tuple)),
    requires=maybe(st.lists(NAME).map(tuple)),
    portable=st.booleans(),
    per_kernel=st.booleans(),
    cflags=FLAGS,
    include=PATHS,
    define=DEFINE,
    mcpu=maybe(MCPU),
    vmlinux=maybe(NAME),
    fast=maybe(st.booleans()),
    strip=maybe(st.booleans()),
    variants=st.dictionaries(NAME, VARIANT, max_size=2),
    go=maybe(PROGRAM_GO),
)
CONFIG = st.builds(
    Config,
    project=st.builds(Project, name=TEXT, out=st.sampled_from(["out", "a/b"])),
    toolchain=st.builds(Toolchain, clang=st.sampled_from(["auto", "clang-19"])),
    compile=st.builds(
        Compile, cflags=FLAGS, include=PATHS, define=DEFINE, mcpu=maybe(MCPU), fast=st.booleans(), strip=st.booleans()
    ),
    targets=st.builds(Targets, arches=ARCHES, kernels=maybe(st.lists(NAME).map(tuple))),
    kernel=st.dictionaries(NAME, st.builds(Kernel, upstream=maybe(st.just("5.10")), btf=maybe(PATH)), max_size=2),
    program=st.dictionaries(PROGRAM_NAME, PROGRAM, min_size=1, max_size=3),
    check=st.builds(
        Check,
        requires=maybe(st.lists(NAME).map(tuple)),
        allow=st.lists(st.builds(Allow, reason=TEXT, program=TEXT, need=TEXT), max_size=2).map(tuple),
    ),
    go=maybe(st.builds(Go, bindings=st.sampled_from(["embed", "bpf2go"]), api=st.sampled_from(get_args(GoApi)))),
)


@given(CONFIG, st.booleans())
def test_round_trip(config: Config, commented: bool) -> None:
    """With comments and without."""
    comments: dict[tuple[str, ...], tuple[str, ...]] = {}
    if commented:
        comments = {(): ("head",), ("compile",): ("above",), ("compile", "cflags"): ("a\nb", ""), ("go", "api"): ("x",)}
        comments.update({("program", name): ("above",) for name in config.program})
    text = render(config, comments)
    document = read_document("build.toml", text.encode())
    report = Report(document)
    again = decode(document.values, report)
    report.fail_if_any()
    assert again == config
    assert not commented or text.startswith("# head\n\n[project]\n")


def test_literals() -> None:
    assert literal({"A": True, "b c": -1, "d": 'x\x7f"é'}) == '{ A = true, "b c" = -1, d = "x\\u007f\\"é" }'
    assert literal(("a", "b")) == '["a", "b"]'


def test_what_is_default_is_left_out() -> None:
    config = Config(Project("x"), program={"a": Program(source="a.c", go=ProgramGo())}, go=Go(bindings="bpf2go"))
    assert render(config, {}) == (
        '[project]\nname = "x"\n\n[program.a]\nsource = "a.c"\n\n[program.a.go]\n\n[go]\nbindings = "bpf2go"\n'
    )
