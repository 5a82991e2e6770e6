"""`config.decode` and `config.check` on documents that nobody thought of: every problem is reported, none raised."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import tomli
from hypothesis import given
from hypothesis import strategies as st

from bpfgen.config import schema
from bpfgen.config.check import check
from bpfgen.config.decode import decode
from bpfgen.config.report import Report
from bpfgen.config.schema import Config
from bpfgen.config.schemabuilder import Builder
from bpfgen.config.source import read_document
from bpfgen.errors import Failure

TABLES = (schema.Project, schema.Toolchain, schema.Compile, Builder, schema.Targets, schema.Kernel)
TABLES += (schema.Variant, schema.Program, schema.ProgramGo, schema.Go, schema.Config)  # type: ignore[assignment]
KNOWN = sorted({field.name for table in TABLES for field in fields(table)})
PLAUSIBLE = ["amd64", "bpf/*.c", "bpf/a.c", "-Wall", "-Xclang", "-o", "v3", "5.10", "auto", "k", "../x", "{arch}", "*"]

keys = st.sampled_from([*KNOWN, "k", "p", "*"]) | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
scalars = (
    st.sampled_from(PLAUSIBLE)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False, width=16)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)
programs = st.fixed_dictionaries({}, optional=dict.fromkeys((f.name for f in fields(schema.Program)), values))
near_misses = st.fixed_dictionaries(
    {"project": st.just({"name": "x"}) | values, "program": st.dictionaries(keys, programs, max_size=3)},
    optional=dict.fromkeys(("toolchain", "compile", "targets", "kernel", "go", "builder"), values),
)


def toml(value: Any) -> str:
    """A value as TOML, tables in braces; JSON's strings are TOML's but for U+007F."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def problems_of(text: str) -> tuple[Config, list[str]]:
    """What decoding and checking make of a text."""
    document = read_document("build.toml", text.encode())
    report = Report(document)
    config = decode(document.values, report)
    check(config, report)
    try:
        report.fail_if_any()
    except Failure as failure:
        lines = text.split("\n")
        for problem in failure.problems:
            assert problem.where is not None
            assert 1 <= problem.where.line <= len(lines)
            assert 1 <= problem.where.column <= len(lines[problem.where.line - 1]) + 1
            assert "\n" not in problem.message
        return config, [str(problem) for problem in failure.problems]
    return config, []


@given(near_misses | st.dictionaries(keys, values, max_size=4))
def test_every_document_is_decoded_or_reported(values: dict[str, Any]) -> None:
    """Whatever TOML says, the answer is a configuration or problems that stand somewhere in the text."""
    text = "".join(f"{toml(key)} = {toml(value)}\n" for key, value in values.items())
    assert tomli.loads(text) == values
    config, problems = problems_of(text)
    assert problems or config.program


@given(st.permutations(["[compile]\nmcpu = 3\n", "[go]\npackage = 3\n", "[targets]\narches = 3\n", "[x]\n"]))
def test_order_of_tables_doesnt_matter(tables: list[str]) -> None:
    """The same problems, whichever table comes first; they come out in the order of the file."""
    text = '[project]\nname = "x"\n[program.a]\nsource = "a.c"\n' + "".join(tables)
    _, problems = problems_of(text)
    assert len(problems) == 4
    assert problems == sorted(problems, key=lambda line: int(line.split(":")[1]))
