"""Units: which there are, what they are called, which settings they have."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpfgen.catalog import arches, mcpu_of
from bpfgen.config.decode import decode
from bpfgen.config.report import Report
from bpfgen.config.schema import Config, Kernel, Program, Project, Targets, Variant
from bpfgen.config.source import Document
from bpfgen.matrix import Unit, expand, select, version_code
from bpfgen.sources import NamedProgram, matches

KERNELS = {"old": Kernel("4.19"), "new": Kernel("6.1", "new.btf"), "typed": Kernel(None, "typed.btf")}


def units(program: Program, **config: Any) -> tuple[Unit, ...]:
    """The units of one program named `p`."""
    return expand(Config(Project("x"), program={"p": program}, **config), [NamedProgram("p", "p", ("p.c",))])


def ids(program: Program, **config: Any) -> list[str]:
    """Their ids."""
    return [unit.id for unit in units(program, **config)]


def test_one_object_for_each_architecture() -> None:
    """`amd64` and `386` share one, as in bpf2go; an architecture without a macro of libbpf's gets the generic one."""
    program = Program(source="p.c", arches=("amd64", "386", "arm64", "s390x", "mipsle"))
    assert ids(program) == ["p/x86_bpfel", "p/arm64_bpfel", "p/s390_bpfeb", "p/bpfel"]
    assert units(program)[0].target.arches == ("amd64", "386")


def test_portable() -> None:
    """One object for each byte order that is asked for."""
    program = Program(source="p.c", portable=True, arches=("amd64", "s390x", "arm64"))
    assert ids(program) == ["p/bpfel", "p/bpfeb"]
    assert units(program)[0].target.arches == ("amd64", "arm64")
    assert ids(Program(source="p.c", portable=True)) == ["p/bpfel"]


def test_per_kernel_and_variants() -> None:
    """Every kernel has its own object, header, instruction set and version."""
    variants = {"debug": Variant(define={"DEBUG": True})}
    program = Program(source="p.c", arches=("amd64",), kernels=("old", "new"), per_kernel=True, variants=variants)
    found = {unit.id: unit for unit in units(program, kernel=KERNELS)}
    assert list(found) == [f"p/x86_bpfel-{name}" for name in ("old", "old@debug", "new", "new@debug")]
    old, new = found["p/x86_bpfel-old"], found["p/x86_bpfel-new@debug"]
    assert (old.settings.mcpu, old.vmlinux, old.kernels) == ("v2", None, ("old",))
    assert (new.settings.mcpu, new.vmlinux, new.variant) == ("v3", "new", "debug")
    assert dict(new.settings.define) == {"DEBUG": True, "LINUX_VERSION_CODE": str(version_code((6, 1)))}


@pytest.mark.parametrize(
    ("kernels", "header", "mcpu"),
    [(("old",), None, "v2"), (("old", "new"), "new", "v2"), (("new", "typed"), "typed", "v3"), ((), None, "v2")],
)
def test_core_programs(kernels: tuple[str, ...], header: str, mcpu: str) -> None:
    """CO-RE programs take the newest kernel's header, and the instruction set of the oldest."""
    unit = units(Program(source="p.c", kernels=kernels), kernel=KERNELS)[0]
    assert (unit.vmlinux, unit.settings.mcpu, unit.kernel) == (header, mcpu, None)


def test_default_instruction_set() -> None:
    """By the oldest kernel; the thresholds are those of catalog/mcpu.toml."""
    assert [mcpu_of((v,)) for v in ((4, 9), (4, 14), (5, 11), (5, 12), (6, 12))] == ["v1", "v2", "v2", "v3", "v3"]
    assert mcpu_of(((6, 1), (4, 9))) == "v1"


def test_selection() -> None:
    """By program, architecture, target, kernel or id, with globs."""
    all_units = units(Program(source="p.c", arches=("amd64", "arm64")), kernel=KERNELS)
    assert [u.id for u in select(all_units, ["arm*"], [])] == ["p/arm64_bpfel"]
    assert [u.id for u in select(all_units, [], ["p/x86*"])] == ["p/arm64_bpfel"]
    assert select(all_units, ["p"], ["old"]) == ()


NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.@ $-]{0,8}", fullmatch=True).filter(lambda name: not name.endswith(" "))
KEYS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,5}", fullmatch=True)


@st.composite
def configs(draw: st.DrawFn) -> Config:
    """Configurations whose names are legal and of every shape."""
    kernels = {name: Kernel("5.10") for name in draw(st.lists(KEYS, max_size=3, unique=True))}
    programs = {
        name: Program(
            source="p.c",
            portable=draw(st.booleans()),
            per_kernel=bool(kernels) and draw(st.booleans()),
            variants={name: Variant() for name in draw(st.lists(KEYS, max_size=2, unique=True))},
        )
        for name in draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    }
    chosen = tuple(draw(st.lists(st.sampled_from(list(arches())), min_size=1, unique=True)))
    return Config(Project("x"), program=programs, kernel=kernels, targets=Targets(arches=chosen))


@given(configs())
def test_ids_are_unique_and_stable(config: Config) -> None:
    """No two cells share an id, and a program's ids don't depend on the others."""
    named = [NamedProgram(name, name, ("p.c",)) for name in config.program]
    together = [unit.id for unit in expand(config, named)]
    assert len(set(together)) == len(together)
    assert together == [unit.id for program in named for unit in expand(config, [program])]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
TABLES = ["project", "toolchain", "compile", "builder", "targets", "kernel", "program", "go"]


@given(st.dictionaries(st.sampled_from([*TABLES, "x"]), VALUES))
def test_decode_reports_and_never_raises(values: dict[str, Any]) -> None:
    """Whatever TOML can hold is decoded or reported."""
    document = Document("build.toml", "", values)
    report = Report(document)
    decode(values, report)
    assert len(report) or "project" in values


@pytest.mark.parametrize(
    ("file", "pattern", "expected"),
    [
        ("bpf/a.c", "bpf/*.c", True),
        ("bpf/sub/a.c", "bpf/*.c", False),
        ("bpf/sub/a.c", "bpf/**/*.c", True),
        ("bpf/a.c", "bpf/**/*.c", True),
        ("bpf/a.c", "**", True),
        ("bpf/a.c", "bpf/?.[ch]", True),
        ("bpf/a.c", "*.c", False),
    ],
)
def test_globs(file: str, pattern: str, expected: bool) -> None:
    """`*` stays in a folder, `**` doesn't."""
    assert matches(file, pattern) is expected
