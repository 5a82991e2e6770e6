"""`bpfgen bpf2go` as a command: what it says and leaves behind is what bpf2go says and leaves behind."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from switching import environ, run, tools

from bpfgen.bpf2go.directives import read
from bpfgen.bpf2go.options import usage
from bpfgen.errors import Problem

pytestmark = [pytest.mark.real, pytest.mark.input]

HEADER = "#define SEC(name) __attribute__((section(name), used))\n#ifndef VERDICT\n#define VERDICT 2\n#endif\n"
SOURCE = (
    '#include "common.h"\nSEC("xdp") int probe(void *ctx) { return VERDICT; }\nchar LICENSE[] SEC("license") = "GPL";\n'
)
MADE = ("probe_bpfeb.go", "probe_bpfeb.o", "probe_bpfel.go", "probe_bpfel.o")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package of a module, with a source and a header in a folder beside it."""
    write(tmp_path / "go.mod", "module example.com/x\n\ngo 1.24\n\nrequire github.com/cilium/ebpf v0.22.0\n")
    write(tmp_path / "headers/common.h", HEADER)
    write(tmp_path / "p/probe.c", SOURCE)
    return tmp_path / "p"


def write(path: Path, text: str) -> None:
    """Writes a file, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def both(
    package: Path, words: Sequence[str], code: int, more: Mapping[str, str]
) -> tuple[tuple[str, str], tuple[str, str]]:
    """What bpf2go and `bpfgen bpf2go` print."""
    env = environ(**{"GOPACKAGE": "p", **more})
    done = [run(*command, *words, cwd=package, env=env, code=code) for command in (("bpf2go",), ("bpfgen", "bpf2go"))]
    theirs, ours = ((each.stdout, each.stderr) for each in done)
    return theirs, ours


CALL = ("probe", "probe.c", "--", "-I../headers")


def ours(package: Path, *words: str, code: int = 0, **more: str) -> str:
    """Runs `bpfgen bpf2go`; what it said on standard error."""
    env = environ(**{"GOPACKAGE": "p", **more})
    return run("bpfgen", "bpf2go", *(words or CALL), cwd=package, env=env, code=code).stderr


def test_help(package: Path) -> None:
    """bpf2go's own text, with the defaults of the environment, and an example."""
    settings: tuple[dict[str, str], ...] = (
        {},
        {"BPF2GO_CFLAGS": '-DA="b"', "GOFILE": "x_test.go", "V": "1", "BPF2GO_STRIP": "s"},
    )
    for more in settings:
        (text, _), (our_text, _) = both(package, ("-help",), 0, more)
        assert our_text.partition("\nexamples:\n")[0] == text.replace("bpf2go-v0", "bpf2go")
        assert "bpfgen bpf2go" in our_text
        assert usage(environ(**more)) == text


REFUSED = (
    (),
    ("probe",),
    ("-nope",),
    ("---cc",),
    ("-cc",),
    ("-cc", "", "probe", "probe.c"),
    ("-no-strip=maybe",),
    ("-type", "a b"),
    ("-type=a", "-type=a"),
    ("-target", "x86,amd64", "probe", "probe.c"),
    ("-target", "wasm", "probe", "probe.c"),
    ("-cflags", "'x", "probe", "probe.c"),
    ("-output-stem", "a/b", "probe", "probe.c"),
    ("-output-suffix", "/", "probe", "probe.c"),
    ("probe", "probe.c", "--", "-MD"),
    ("probe", "gone.c"),
)


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_refusals(package: Path, words: tuple[str, ...]) -> None:
    """The same words on the same streams, and the same exit code."""
    theirs, ours = both(package, words, 1, {})
    assert ours == theirs
    assert not (package.parent / ".bpfgen").exists()


def test_no_package(package: Path) -> None:
    theirs, ours = both(package, ("probe", "probe.c"), 1, {"GOPACKAGE": ""})
    assert ours == theirs


def test_compiler_errors(package: Path) -> None:
    """clang's messages, with paths as bpf2go has them; warnings are shown once, and then there is no error."""
    write(package / "probe.c", SOURCE.replace("VERDICT", "GONE"))
    write(package.parent / "headers/common.h", HEADER.replace("used", "unknown"))
    (_, theirs), (_, said) = both(package, ("-target", "bpfel", *CALL), 1, {})
    assert said == theirs
    assert "\n../headers/common.h:1:" in said
    assert f"\n{package}/probe.c:2:42: error: use of undeclared identifier 'GONE'\n" in said
    assert "Error: compile" in ours(package, code=1)
    write(package / "probe.c", SOURCE)
    write(package.parent / "headers/common.h", f"{HEADER}#warning take care\n")
    assert "../headers/common.h:5:2: warning: take care" in ours(package)
    assert ours(package) == ""


def stamps(package: Path) -> dict[str, int]:
    """The times of what was made."""
    return {name: (package / name).stat().st_mtime_ns for name in MADE if (package / name).exists()}


def test_caching(package: Path) -> None:
    """Nothing is written twice; an edit of the source, the header, the flags or go.mod counts, and a file that is gone
    comes back.
    """
    ours(package)
    first = stamps(package)
    assert sorted(first) == list(MADE)
    ours(package)
    assert stamps(package) == first
    (package / MADE[0]).unlink()
    (package / MADE[1]).write_bytes(b"damaged")
    ours(package)
    again = stamps(package)
    assert sorted(again) == list(MADE)
    assert {name: again[name] for name in MADE[2:]} == {name: first[name] for name in MADE[2:]}
    before = (package / MADE[1]).read_bytes()
    write(package.parent / "headers/common.h", HEADER.replace("2", "1"))
    ours(package)
    edited = (package / MADE[1]).read_bytes()
    assert edited != before
    ours(package, *CALL, "-DVERDICT=3")
    assert (package / MADE[1]).read_bytes() not in {before, edited}
    (folder,) = (package.parent / ".bpfgen/bpf2go").iterdir()  # that of the other flags is gone
    objects = {path: path.stat().st_mtime_ns for path in folder.rglob("*.bpf.o")}
    text = (package / MADE[0]).read_text()
    for version, same in (("v0.22.1", True), ("v0.17.3", False)):
        write(package.parent / "go.mod", f"module example.com/x\n\nrequire github.com/cilium/ebpf {version}\n")
        ours(package, *CALL, "-DVERDICT=3")
        assert ((package / MADE[0]).read_text() == text) is same
        assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.bpf.o")} == objects  # none is compiled again


def test_a_run_with_nothing_to_do_imports_little(package: Path) -> None:
    """Neither argparse, dataclasses nor subprocess: only what starts Ninja and compares."""
    ours(package)
    show = "print(main(), *sorted(name for name in sys.modules if name.startswith('bpfgen')))"
    script = f"import sys; sys.argv.pop(0); from bpfgen.__main__ import main; {show}"
    words = ("bpf2go", *CALL)
    env = environ(GOPACKAGE="p")
    python = re.search(r"exec (\S+) ", (tools() / "bpfgen").read_text())
    assert python
    little = ["bpfgen", "bpfgen.__main__", "bpfgen.bpf2go", "bpfgen.bpf2go.quick", "bpfgen.files", "bpfgen.memo"]
    # Files that are as young as the run itself aren't trusted (see test_memo.py), so the first ones may read all again.
    found = (run(python[1], "-c", script, "x", *words, cwd=package, env=env).stdout.split() for _ in range(10))
    assert ["0", *little] in found


def test_verbose_and_dependencies(package: Path) -> None:
    """`-verbose` and `-makebase` do what they do in bpf2go, and files of its old names go."""
    said, rules = [], []
    for command in (("bpf2go",), ("bpfgen", "bpf2go")):
        write(package / "probe_bpfel_x86.go", "old\n")
        words = ("-verbose", "-target", "amd64", "-makebase", "..", *CALL)
        done = run(*command, *words, cwd=package, env=environ(GOPACKAGE="p"))
        said.append(sorted(done.stdout.splitlines()))
        rules.append((package / "probe_x86_bpfel.go.d").read_text())
        (package / "probe_x86_bpfel.go.d").unlink()
        assert not (package / "probe_bpfel_x86.go").exists()
    assert said[0] == said[1]
    assert rules[0] == rules[1]
    assert "headers/common.h:\n" in rules[0]


ROW = st.text(st.sampled_from("ab$ \t\"\\{}'GOFILE1-x"), max_size=12)
SHOW = "import json, os, sys\nprint(json.dumps([os.environ['GOLINE'], *sys.argv[1:]]))"


@settings(max_examples=20)
@given(st.lists(ROW, min_size=1, max_size=30), st.integers(0, 30))
def test_go_generate_reads_the_same(tmp_path_factory: pytest.TempPathFactory, rows: list[str], alias: int) -> None:
    """`go generate` runs a file's lines with the words that we read of it, up to the first line that it refuses."""
    folder = tmp_path_factory.mktemp("generate")
    show = folder / "show"
    write(show, f"#!/usr/bin/env python3\n{SHOW}\n")
    show.chmod(0o755)
    lines = [f"{show} {row}" for row in rows]
    lines[alias:] = [f"-command a {show} $DOLLAR{{b}}", *(f"a {row}" for row in rows[alias:])]
    text = "package p\n\n" + "".join(f"//go:generate {line}\n" for line in lines)
    write(folder / "a.go", text)
    write(folder / "go.mod", "module p\n")
    problems: list[Problem] = []
    env = {**os.environ, "a": "1 2", "b": '"'}
    found = [[str(each.where.line), *each.words[1:]] for each in read("a.go", text, env, problems)]
    first = min([problem.where.line for problem in problems if problem.where], default=10**6)
    done = run("go", "generate", ".", cwd=folder, env=env, code=1 if problems else 0)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [row for row in found if int(row[0]) < first]
