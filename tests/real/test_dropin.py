"""The examples of cilium/ebpf with our bindings in the place of bpf2go's: their own Go code, unchanged."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import oracle
import pytest
from oracle import go
from project import BPFGEN, NINJA

from bpfgen.bpf.compare import differences
from bpfgen.catalog import arches
from bpfgen.frozen import frozen

pytestmark = [pytest.mark.real, pytest.mark.input]

LINE = re.compile(r"^//go:generate go tool bpf2go (.*)$", re.MULTILINE)
HEAD = """\
[project]
name = "ebpf"
[toolchain]
clang = "clang-19"
[cache]
launcher = "none"
[compile]
cflags = ["-Wall"]
include = ["examples/headers"]
mcpu = "v1"
[targets]
arches = ["amd64", "s390x"]
[go]
bindings = "bpf2go"
package = "main"
tags = ["linux"]
"""
# clang-19 for bpf2go, which writes the source's name as x/x.c and headers' as ./x/x.h in line information; in our
# objects all begin with "./".
COMPILER = """\
#!/bin/sh
for word; do
  shift
  case $word in -fdebug-prefix-map=*) word="${word%=*}=./${word##*=}" ;; esac
  set -- "$@" "$word"
done
exec clang-19 "$@"
"""
LOAD = """\
package main

import (
	"testing"

	"github.com/cilium/ebpf/rlimit"
)

func TestLoad(t *testing.T) {
	if err := rlimit.RemoveMemlock(); err != nil {
		t.Fatal(err)
	}
	var objects bpfObjects
	if err := loadBpfObjects(&objects, nil); err != nil {
		t.Fatalf("%+v", err)
	}
	if err := objects.Close(); err != nil {
		t.Fatal(err)
	}
}
"""


@frozen
class Example:
    """A `//go:generate` line of an example, all of which have the stem `bpf`."""

    folder: str
    source: str
    words: tuple[str, ...]

    @property
    def table(self) -> str:
        """The same in `build.toml`."""
        more = ", global_types = false" if "-no-global-types" in self.words else ""
        scope = 'arches = ["amd64"]' if "amd64" in self.words else "portable = true"
        head = f'[program.{self.folder}]\nsource = "examples/{self.folder}/{self.source}"\n{scope}\n'
        return f'{head}go = {{ stem = "bpf", dir = "examples/{self.folder}"{more} }}\n'

    def command(self, program: Path, compiler: Path) -> list[str]:
        """bpf2go's command line, for the module's folder as the current one."""
        options = list(self.words[: self.words.index("bpf")])
        place = ["-cc", str(compiler), "-strip", "llvm-strip-19", "-output-dir", f"examples/{self.folder}"]
        source = f"examples/{self.folder}/{self.source}"
        return [str(program), *place, *options, "bpf", source, "--", "-Wall", "-Iexamples/headers"]


@frozen
class Trees:
    """The module twice: with our bindings, and with bpf2go's."""

    ours: Path
    theirs: Path
    examples: tuple[Example, ...]


def copy(target: Path) -> Path:
    """The module in a folder that one may write to."""
    shutil.copytree(oracle.module(), target, copy_function=shutil.copyfile)
    return target


def examples(root: Path) -> tuple[Example, ...]:
    """Every example with a program in C."""
    found = []
    for file in sorted(root.glob("examples/*/*.go")):
        for line in LINE.findall(file.read_text(encoding="utf-8")):
            words = tuple(shlex.split(line))
            found.append(Example(file.parent.name, words[words.index("--") - 1], words))
    return tuple(found)


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Trees:
    """Both built."""
    folder = tmp_path_factory.mktemp("ebpf")
    ours, theirs = copy(folder / "ours"), copy(folder / "theirs")
    found = examples(ours)
    (ours / "build.toml").write_text(HEAD + "".join(example.table for example in found), encoding="utf-8")
    make(ours)
    program = oracle.command(folder, "0.22")
    compiler = folder / "compiler"
    compiler.write_text(COMPILER)
    compiler.chmod(0o755)
    for example in found:
        environment = {**os.environ, "GOPACKAGE": "main"}
        subprocess.run(example.command(program, compiler), cwd=theirs, env=environment, check=True, capture_output=True)
    return Trees(ours, theirs, found)


def make(root: Path) -> None:
    """`bpfgen && ninja`"""
    for words in (BPFGEN, (NINJA,)):
        done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def generated(root: Path, end: str) -> dict[str, Path]:
    """The files of bindings, by their paths."""
    return {str(path.relative_to(root)): path for path in root.glob(f"examples/*/bpf_*{end}")}


def test_same_files(trees: Trees) -> None:
    """Names, text but for the first line, and objects as a loader sees them; bpf2go's old files are all replaced."""
    ours, theirs = generated(trees.ours, ".go"), generated(trees.theirs, ".go")
    assert ours.keys() == theirs.keys()
    assert len(trees.examples) == 14
    assert len(ours) == 27
    for name, path in ours.items():
        mine, original = (each.read_text(encoding="utf-8").partition("\n") for each in (path, theirs[name]))
        assert re.fullmatch(
            r"// Code generated by bpfgen \S+ from clang 19\S*, flags [0-9a-f]{8}; DO NOT EDIT\.", mine[0]
        )
        assert original[0] == "// Code generated by bpf2go; DO NOT EDIT."
        assert mine[2] == original[2], name


def test_same_objects(trees: Trees) -> None:
    """Code, relocations, symbols and BTF with its line information."""
    ours, theirs = generated(trees.ours, ".o"), generated(trees.theirs, ".o")
    assert ours.keys() == theirs.keys()
    unlike = {name: differences(ours[name].read_bytes(), theirs[name].read_bytes()) for name in ours}
    assert {name: lines for name, lines in unlike.items() if lines} == {}


SOURCE = "cmd/bpf2go/testdata/minimal.c"
# bpf2go's options and first argument, and what stands for them in a program's table.
FLAGS = {
    "-tags linux,foo -type bar -type barfoo -no-global-types test": """
portable = true
go = { stem = "test", types = ["barfoo", "bar"], global_types = false, tags = ["linux", "foo"] }
""",
    "-target amd64,arm64,s390x,riscv64 -go-package other -output-stem file -output-suffix _test Upper": """
arches = ["386", "arm64", "s390x", "riscv64"]
go = { stem = "Upper", package = "other", output_stem = "file", suffix = "_test", tags = [] }
""",
    "-target bpf -tags linux small_One": """
portable = true
arches = ["amd64"]
go = { stem = "small_One", target = "bpf" }
""",
    "-target bpf Exported": """
portable = true
arches = ["amd64"]
go = { stem = "Exported", target = "bpf", tags = [] }
""",
    "-target bpfeb -tags 'a b,!c' tagged": """
portable = true
arches = ["s390x"]
go = { stem = "tagged", tags = ["a b,!c"] }
""",
}


@pytest.mark.parametrize("api", oracle.VERSIONS)
def test_flags(api: str, tmp_path: Path) -> None:
    """The command itself, of each level, with flags that the examples don't use: same names, same text."""
    ours, theirs = copy(tmp_path / "ours"), copy(tmp_path / "theirs")
    program = oracle.command(tmp_path, api)
    text = HEAD.replace('bindings = "bpf2go"', f'bindings = "bpf2go"\napi = "{api}"')
    for number, (words, table) in enumerate(FLAGS.items()):
        folder = f"out-{number}"
        place = table.replace("go = {", f'go = {{ dir = "{folder}",')
        text += f'[program.p{number}]\nsource = "{SOURCE}"{place}'
        (theirs / folder).mkdir()
        *options, stem = shlex.split(words)
        fixed = ("-cc", "clang-19", "-strip", "llvm-strip-19", "-output-dir", folder)
        line = (str(program), *fixed, *options, stem, SOURCE, "--", "-Iexamples/headers")
        environment = {**os.environ, "GOPACKAGE": "main"}
        done = subprocess.run(line, cwd=theirs, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    (ours / "build.toml").write_text(text, encoding="utf-8")
    make(ours)
    assert texts(ours) == texts(theirs)
    assert len(texts(ours)) == 2 + 4 + 1 + 1 + 1


def texts(root: Path) -> dict[str, str]:
    """Go files of `test_flags`, without their first lines; objects are there by name."""
    found = {str(path.relative_to(root)): path for path in root.glob("out-*/*")}
    assert all(name.endswith((".go", ".o")) for name in found)
    assert {name for name in found if name.endswith(".o")} == {f"{n[:-2]}o" for n in found if n.endswith(".go")}
    return {
        name: path.read_text(encoding="utf-8").partition("\n")[2] for name, path in found.items() if name.endswith("go")
    }


def test_examples_build_and_vet(trees: Trees) -> None:
    """On this machine, with every check that `go vet` has."""
    go("vet", "./examples/...", cwd=trees.ours)
    go("build", "./examples/...", cwd=trees.ours)
    assert go("list", "-f", "{{.ImportPath}}", "./examples/...", cwd=trees.ours).count("\n") == 16


def test_examples_build_for_every_architecture(trees: Trees) -> None:
    """Go compiles its whole library for each: without BPFGEN_ALL=1, for one of each byte order and size of words."""
    packages = [f"./examples/{example.folder}" for example in trees.examples]
    for arch in arches() if os.environ.get("BPFGEN_ALL") else ("amd64", "arm", "mips", "s390x"):
        # Its own code is for amd64 alone; the bindings are for 386 too.
        named = [name for name in packages if arch == "amd64" or not name.endswith("/uretprobe")]
        go("build", *named, cwd=trees.ours, GOOS="linux", GOARCH=arch, CGO_ENABLED="0")


@pytest.mark.skipif(os.geteuid() != 0, reason="loading needs root")
def test_examples_load(trees: Trees) -> None:
    """Into this kernel, through the generated loader, or with the error that bpf2go's has; nothing is attached."""
    ours, theirs = (loaded(root, trees.examples) for root in (trees.ours, trees.theirs))
    assert len(ours) == len(trees.examples)
    assert ours == theirs
    assert ours["xdp"] == ours["uretprobe"] == ""


# A network namespace of its own: the example attaches to its loopback device, on which packets are sent to nobody.
RUN = """
ip link set lo up
timeout -s INT 4 "$1" lo 2>&1 &
for i in 1 2 3 4 5 6; do sleep 0.5; bash -c 'echo hello >/dev/udp/127.0.0.1/9' 2>/dev/null; done
wait
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="attaching needs root")
@pytest.mark.parametrize(
    ("name", "count"), [("xdp", r"127\.0\.0\.1 => [1-9]"), ("tcx", r"[1-9]\d* Ingress, +[1-9]\d* Egress")]
)
def test_examples_run(name: str, count: str, trees: Trees, tmp_path: Path) -> None:
    """With their own code, unchanged: they attach, and count packets."""
    program = tmp_path / name
    go("build", "-o", str(program), f"./examples/{name}", cwd=trees.ours)
    done = subprocess.run(
        ("unshare", "--net", "bash", "-c", RUN, "bash", str(program)), capture_output=True, text=True, check=False
    )
    assert "Attached" in done.stdout, done.stdout + done.stderr
    assert re.search(count, done.stdout), done.stdout


def loaded(root: Path, found: Iterable[Example]) -> dict[str, str]:
    """What each example's loader says: nothing where all is well."""
    for example in found:
        (root / "examples" / example.folder / "load_test.go").write_text(LOAD, encoding="utf-8")
    # Its exit code is 1 where one of them fails.
    words = ("go", "test", "-count=1", "-json", "./examples/...")
    done = subprocess.run(words, cwd=root, env=oracle.ENVIRONMENT, capture_output=True, text=True, check=False)
    said: dict[str, str] = {}
    for event in map(json.loads, done.stdout.splitlines()):
        name = event.get("Package", "").rpartition("/")[2]
        if event.get("Test") == "TestLoad":
            line = event.get("Output", "")
            said[name] = said.get(name, "") + (line if "load_test.go" in line else "")
    return said
