"""The Go package: names, text against golden files, and the real Go tools."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpfgen.catalog import arches
from bpfgen.errors import Failure
from bpfgen.outputs import go
from bpfgen.outputs.names import file_name, key

GOLDEN = Path(__file__).parents[1] / "data/go"
OBJECTS = Path(__file__).parents[1] / "data/objects"


def entry(program: str, target: str = "x86_bpfel", kernel: str = "", variant: str = "", **more: Any) -> dict[str, Any]:
    """An object of the manifest, as far as the Go package looks at it."""
    rest = f"{target}{f'-{kernel}' if kernel else ''}{f'@{variant}' if variant else ''}"
    known = {"license": "GPL", "programs": [], "maps": [], "sha256": "", "arches": ["amd64", "386"], "path": "sample.o"}
    identity = {"id": f"{program}/{rest}", "program": program, "target": target, "kernel": kernel or None}
    return {**known, **identity, "variant": variant, **more}


def write(objects: list[dict[str, Any]], *wanted: str) -> None:
    """The package in `out/go` of the current folder, for these architectures."""
    go.write({"go": {"package": "programs", "dir": "out/go", "arches": list(wanted)}}, {"objects": objects})


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_golden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, update: bool) -> None:
    manifest = json.loads((GOLDEN / "manifest.json").read_text(encoding="utf-8"))
    monkeypatch.chdir(tmp_path)
    for each in manifest["objects"]:
        path = Path(each["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"bytes of {each['id']}\n", encoding="utf-8")
    write(manifest["objects"], "amd64", "386", "s390x")
    if update:
        shutil.rmtree(GOLDEN / "expected", ignore_errors=True)
        shutil.copytree("out/go", GOLDEN / "expected")
    assert tree(Path("out/go")) == tree(GOLDEN / "expected")
    section = {"package": "programs", "dir": "out/go", "arches": ["amd64", "386", "s390x"]}
    assert sorted(go.files(section, manifest["objects"])) == [f"out/go/{name}" for name in sorted(tree(Path("out/go")))]


@pytest.mark.parametrize(
    ("found", "name", "wanted"),
    [
        (entry("xdp"), "xdp-x86_bpfel.o", "xdp"),
        (entry("ct", "bpfel", "lts6.1", "debug"), "ct-bpfel-lts6.1@debug.o", "ct/lts6.1@debug"),
        (entry("exec-trace", "bpfeb"), "exec-trace-bpfeb.o", "exec-trace"),
        (entry("XDP", "bpfel"), "xdp-bpfel-4cc5c031.o", "XDP"),
        (entry("a b'c", "bpfel"), "a_b_c-bpfel-191842a3.o", "a b'c"),
        (entry("con.x", "bpfel"), "con_x-bpfel-79d976e0.o", "con.x"),
        (entry("p-bpfel", "bpfel"), "p-bpfel-bpfel-dd044cc3.o", "p-bpfel"),
    ],
)
def test_names(found: dict[str, Any], name: str, wanted: str) -> None:
    assert key(found) == wanted
    assert file_name(found) == name


LETTERS = st.characters(exclude_characters="/|\\", exclude_categories=["Cs", "Cc"])
PROGRAM = st.text(LETTERS, min_size=1, max_size=100)
NAME = st.one_of(
    st.sampled_from(["", "bpfel", "LTS", "lts", "a.b", "a-b"]),
    st.text("abAB01", min_size=1, max_size=64),
)
TARGET = st.sampled_from(["bpfel", "bpfeb", "x86_bpfel", "loongarch_bpfel"])
NEAR = st.sampled_from(["p", "P", "p-bpfel", "p-x86_bpfel", "p@a", "p.x", "aux.p", "_p", "é", "con"])
ENTRY = st.builds(entry, st.one_of(NEAR, PROGRAM), TARGET, NAME, NAME)


@given(st.lists(ENTRY, max_size=20, unique_by=lambda o: o["id"]))
def test_file_names_are_plain_and_never_clash(objects: list[dict[str, Any]]) -> None:
    names = [file_name(o) for o in objects]
    assert len(set(names)) == len(names)
    for name in names:
        assert re.fullmatch(r"[a-z0-9_][a-z0-9_.@-]{0,250}\.o", name)
        assert name.partition(".")[0] not in {"con", "prn", "aux", "nul"}


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_strings_survive_quoting(text: str) -> None:
    # Go reads these of JSON's escapes as JSON does (Go specification, "String literals").
    quoted = go.quote(text)
    assert json.loads(quoted) == text
    assert not set(quoted) & {"\n", "\0", "\ufeff"}


def test_two_objects_of_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Failure) as failure:
        write([entry("a@b"), entry("a", variant="b")], "amd64", "386")
    (problem,) = failure.value.problems
    assert problem.message == 'the Go package would have two objects named "a@b": a@b/x86_bpfel and a/x86_bpfel@b'
    assert not Path("out").exists()


def run(*words: str, **environment: str) -> str:
    """A Go command's output, which holds its complaints too."""
    settings = {**os.environ, "GOFLAGS": "-mod=mod", "GOWORK": "off", "GOTOOLCHAIN": "local", **environment}
    done = subprocess.run(words, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


HARD = ("xdp", "XDP", "con.x", "ünï cö'de\"`*$[é]?", "p-bpfel", "_under", "a@b", "@", "#", "100%", "\u2028", "\ufeff")
MAIN = """package main

import (
	"crypto/sha256"
	"fmt"

	"example.com/test/out/go"
)

func main() {
	for _, object := range programs.Objects() {
		data, err := programs.LoadProgram(object.Name)
		if err != nil {
			panic(err)
		}
		sum := fmt.Sprintf("%x", sha256.Sum256(data))
		fmt.Printf("%s %t %s\\n", sum, sum == object.SHA256, object.Name)
		data[0] = 'x' // the caller's copy
	}
	again, _ := programs.LoadProgram("xdp")
	fmt.Printf("%q\\n", again[:4])
	_, err := programs.LoadProgram("nosuch")
	fmt.Println(err)
}
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A Go module in the current folder, with a package of awkward objects; gives those for the host."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(OBJECTS / "sample.bpfel.o", "sample.o")
    shutil.copy(OBJECTS / "sample.bpfeb.o", "big.o")
    sums = {name: hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in ("sample.o", "big.o")}
    program = {"name": 'p"\\', "section": "xdp", "type": "xdp", "instructions": 2}
    a_map = {"name": ".rodata", "type": "array", "key_size": 4, "value_size": 2**32 - 1, "max_entries": 0}
    facts: list[dict[str, Any]] = [
        {},
        {"programs": [program] * 2},
        {"maps": [a_map] * 2},
        {"programs": [program], "maps": [a_map]},
    ]
    every = [name for name, arch in arches().items() if arch.target == "bpfel"]
    little = [
        entry(name, "bpfel", sha256=sums["sample.o"], arches=every, **facts[i % len(facts)])
        for i, name in enumerate(HARD)
    ]
    little.append(entry("xdp", "bpfel", "lts6.1", "debug", sha256=sums["sample.o"], arches=every))
    big = [entry("xdp", "bpfeb", sha256=sums["big.o"], path="big.o", arches=["s390x", "ppc64"])]
    write([*little, *big], *(name for name in arches() if name not in {"mips", "mips64"}))
    Path("go.mod").write_text("module example.com/test\n\ngo 1.21\n", encoding="utf-8")
    return little


@pytest.mark.real
def test_go_accepts_it_on_every_architecture(module: list[dict[str, Any]]) -> None:
    assert run("gofmt", "-l", "out/go") == ""
    run("go", "vet", "./out/go")
    run("go", "vet", "./out/go", GOARCH="s390x")
    systems = [("linux", name) for name in arches()]
    for system, arch in (*systems, ("darwin", "arm64"), ("windows", "amd64"), ("js", "wasm")):
        run("go", "build", "./out/go", GOOS=system, GOARCH=arch)


@pytest.mark.real
def test_a_program_reads_the_bytes(module: list[dict[str, Any]]) -> None:
    Path("main.go").write_text(MAIN, encoding="utf-8")
    # Split at line feeds alone: one name is U+2028.
    *lines, again, error, _ = run("go", "run", ".").split("\n")
    objects = sorted(module, key=key)
    assert lines == [f"{o['sha256']} true {key(o)}" for o in objects]
    assert again == r'"\x7fELF"'
    assert error.startswith('programs: no BPF object "nosuch"; there are ')
    assert all(key(o) in error for o in objects)


def test_refuses_files_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that a person wrote stays as it is, and nothing else is written beside it."""
    monkeypatch.chdir(tmp_path)
    Path("programs.go").write_text("package mine\n")
    plan = {"go": {"package": "mine", "dir": ".", "arches": ["amd64"]}}
    with pytest.raises(Failure, match=r"programs\.go: error: was not made by bpfgen"):
        go.write(plan, {"objects": []})
    assert [path.name for path in tmp_path.iterdir()] == ["programs.go"]
    assert Path("programs.go").read_text() == "package mine\n"
