"""`bpf2go.assemble` and `names`: what programs have in common is said once, and means the same."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bpfgen.bpf2go.names import names
from bpfgen.config.schema import Compile, Config, Go, Program, ProgramGo, Project
from bpfgen.config.share import share
from bpfgen.config.values import ProgramName
from bpfgen.matrix import expand
from bpfgen.sources import NamedProgram

FEW = st.sampled_from([(), ("a",), ("a", "b")])
SOURCE = st.sampled_from(
    ["a.c", "x/a.c", "y/a.bpf.c", "X/A.c", "../x/a.c", "/x/a.c", "-.c", "all.c", "é/x y.c", "x" * 200 + ".c"]
)
GO = st.builds(
    ProgramGo,
    stem=st.sampled_from(["a", "A", "bpf"]),
    package=st.sampled_from(["p", "q"]),
    tags=st.sampled_from([(), ("linux",), ("a", "b")]),
    dir=st.sampled_from([".", "x", "y/z"]),
)
PROGRAM = st.builds(
    Program,
    source=SOURCE,
    arches=st.sampled_from([("amd64",), ("amd64", "s390x"), ("arm64",)]),
    portable=st.booleans(),
    cflags=FEW,
    include=FEW,
    define=st.sampled_from([{}, {"A": 1}, {"A": True, "B": "x"}]),
    mcpu=st.sampled_from(["v1", "v3"]),
    strip=st.booleans(),
    go=GO,
)


def meaning(config: Config) -> list[Any]:
    """The units, and what bindings look at."""
    units = expand(config, [NamedProgram(name, name, (str(each.source),)) for name, each in config.program.items()])
    assert config.go is not None
    top = config.go
    files = [
        (go.stem, go.package or top.package, top.tags if go.tags is None else go.tags, go.dir or top.dir)
        for go in (program.go for program in config.program.values())
        if go
    ]
    return [units, files]


@given(st.lists(PROGRAM, min_size=1, max_size=5))
def test_sharing_changes_nothing(programs: list[Program]) -> None:
    """And what all have in common no program has by itself."""
    named = {f"p{number}": program for number, program in enumerate(programs)}
    config = Config(Project("x"), compile=Compile(cflags=()), program=named, go=Go(bindings="bpf2go"))
    shared = share(config)
    assert meaning(shared) == meaning(config)
    for key in ("cflags", "include", "define", "mcpu", "strip", "arches"):
        if all(getattr(program, key) == getattr(programs[0], key) for program in programs):
            assert not any(getattr(program, key) for program in shared.program.values())


@given(st.lists(PROGRAM, max_size=8))
def test_names(programs: list[Program]) -> None:
    """As many as programs, which the schema takes, and no two of them the same on any file system."""
    (rule,) = ProgramName.__metadata__  # type: ignore[attr-defined]
    taken = ("all", "amd64")
    found = names(programs, taken)
    assert len(found) == len(programs)
    assert all(re.fullmatch(rule.pattern, name) for name in found)
    assert len({name.casefold() for name in (*found, *taken)}) == len(found) + len(taken)


def test_short_names_first() -> None:
    programs = [Program(source=f"{folder}/probe.bpf.c") for folder in ("a/x", "b/x", "b/y")]
    assert names(programs, ()) == ["a_x_probe", "b_x_probe", "y_probe"]
    assert names(programs[:1], ()) == ["probe"]
