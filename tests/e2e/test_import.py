"""`bpfgen import bpf2go`: what it writes and says; `tests/real/test_import_bpf2go.py` compares what is built."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from project import Project

DATA = Path(__file__).parent.parent / "data" / "layouts"
LAYOUTS = ("agent", "packages", "tool")
# Without the variables that bpf2go, or the lines of the layouts, read.
ENVIRON = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("BPF2GO", "BPF_")) and name not in {"GOPACKAGE", "GOFILE", "V"}
}
SETTINGS = {"BPF_CLANG": "clang-19", "BPF_CFLAGS": "-O2 -Wall -DLIMIT=64", "BPF_HEADERS": "../../bpf/vendored"}

HEADER = "../bpf/common.h"
SOURCE = 'char LICENSE[] __attribute__((section("license"), used)) = "GPL";\n'


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty folder."""
    made = Project(tmp_path / "p")
    made.remove("include")
    return made


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(name: str, tmp_path: Path, update: bool) -> None:
    """The file, and what is said of it, are those of the golden files; the file is sound."""
    project = Project(tmp_path / name)
    project.remove("include")
    shutil.copytree(DATA / name, project.root, dirs_exist_ok=True)
    done = project.bpfgen("import", "bpf2go", env={**ENVIRON, **SETTINGS})
    text = (project.root / "build.toml").read_text(encoding="utf-8")
    for suffix, found in ((".toml", text), (".err", done.stderr)):
        expected = DATA / f"{name}{suffix}"
        if update:
            expected.write_text(found, encoding="utf-8")
        assert found == expected.read_text(encoding="utf-8")
    assert done.stdout.startswith("wrote build.toml: ")
    assert project.bpfgen("matrix").stdout


WRONG = """\
package p

//go:generate bpf2go "a
//go:generate bpf2go a gone.c
//go:generate bpf2go a $FILES
//go:generate bpf2go -target x86 a a.c
//go:generate bpf2go -output-dir ../.. a a.c
//go:generate bpf2go -cflags "'" a a.c
//go:generate sh -c "bpf2go a a.c"
//go:generate bpf2go a
//go:generate stringer -type=x
//go:generate bpf2go a a.c
"""
MESSAGES = """\
d/a.go:3: error: mismatched quoted string
  hint: `go generate` stops here, too
d/a.go:4: error: there is no source "d/gone.c"
d/a.go:5: error: there is no source "d"
  hint: not set here: $FILES
d/a.go:6: error: bpf2go refuses this: "x86": unsupported target
d/a.go:7: error: the folder of the Go files, "..", is outside of the project: import from a folder above
d/a.go:8: error: bpf2go refuses this: missing `'`
d/a.go:9: error: "sh" may run bpf2go here; what with, only running it tells
  hint: write the line as `bpf2go …`, or the program into build.toml by hand
d/a.go:10: error: bpf2go refuses this: expected at least two arguments
bpfgen: 8 errors
"""


def test_lines_that_are_left_out(project: Project) -> None:
    """Each is an error with its place; the other lines are carried over all the same."""
    project.write("d/a.go", WRONG)
    project.write("d/a.c", SOURCE)
    project.write("go.mod", "module x.example/y\nrequire github.com/cilium/ebpf v0.22.0\n")
    done = project.bpfgen("import", "bpf2go", code=3, env=ENVIRON)
    assert done.stderr == MESSAGES
    assert done.stdout == "wrote build.toml: 1 program of 1 line\n"
    assert '[program.a]\nsource = "d/a.c"\n' in (project.root / "build.toml").read_text(encoding="utf-8")


NOTES = """\
package p

//go:generate bpf2go -cc clang-14 a a.c -- -mcpu=probe -Igone -target bpf
//go:generate bpf2go -cc $CLANG b a.c -- $DIR/x -DX=$X -I$DIR
//go:generate bpf2go -strip llvm-strip -makebase .. -cc clang -target native c a.c more.c -- -I/usr/include
"""
SAID = """\
bpfgen: note: BPF2GO_CFLAGS="-DA" is set here, and counts as for bpf2go
bpfgen: note: no go.mod asks for a version of github.com/cilium/ebpf: api is the newest that bpfgen knows
a.go:3: note: not carried over: -mcpu=probe: bpfgen knows  mcpu = "v1"  to "v4"
a.go:3: note: left out: -Igone: there is no such folder
a.go:3: note: left out: -target: bpf2go's own comes behind it
a.go:3: note: a project has one compiler: auto, and not clang-14
a.go:4: note: $X is "1" here, and was written as such
a.go:4: note: not set here: $CLANG, $DIR; taken as empty, as `go generate` does
a.go:4: note: not carried over: /x: clang would take it for a file to compile
a.go:4: note: left out: -I without a folder
a.go:5: note: -target native is amd64 on this host
a.go:5: note: left out: more.c: bpf2go compiles one source
a.go:5: note: left out: -strip llvm-strip: bpfgen strips by itself
a.go:5: note: left out: -makebase: Ninja keeps track of headers
a.go:5: note: /usr/include is a path of this machine
"""


def test_notes(project: Project) -> None:
    """What has no place in build.toml, or comes from this machine, is said with its line; what is lost is a comment."""
    project.write("a.go", NOTES)
    project.write("a.c", SOURCE)
    done = project.bpfgen("import", "bpf2go", env={**ENVIRON, "X": "1", "BPF2GO_CFLAGS": "-DA"})
    assert done.stderr == SAID
    text = (project.root / "build.toml").read_text(encoding="utf-8")
    assert '# a.go:3\n# not carried over: -mcpu=probe: bpfgen knows  mcpu = "v1"  to "v4"\n[program.a_a]\n' in text
    assert project.bpfgen("import", "bpf2go", "--force", "-q", env=ENVIRON).stderr == ""


@pytest.mark.parametrize(
    ("files", "api", "said"),
    [
        ({"go.mod": "module x\nrequire github.com/cilium/ebpf v0.19.3\n"}, "0.19", ""),
        (
            {"go.mod": "module x\nrequire github.com/cilium/ebpf v0.9.1\n"},
            "0.17",
            "doesn't know the files of bpf2go 0.9",
        ),
        (
            {"go.mod": "module x\nrequire github.com/cilium/ebpf v1.2.0\n"},
            "0.22",
            "doesn't know the files of bpf2go 1.2",
        ),
        ({"go.mod": "module x\n"}, "0.22", "no go.mod asks for a version"),
        ({"d/go.mod": "module x\nrequire github.com/cilium/ebpf v0.20.0\n"}, "0.20", ""),
        ({"../go.mod": "module x\nrequire github.com/cilium/ebpf v0.21.0\n"}, "0.21", ""),
    ],
)
def test_api(project: Project, files: dict[str, str], api: str, said: str) -> None:
    """The level is that of the nearest go.mod, or the nearest one that bpfgen knows."""
    for name, text in files.items():
        project.write(name, text)
    project.write("d/a.go", "package p\n//go:generate go tool bpf2go a a.c\n")
    project.write("d/a.c", SOURCE)
    done = project.bpfgen("import", "bpf2go", env=ENVIRON)
    assert f'api = "{api}"' in (project.root / "build.toml").read_text(encoding="utf-8")
    assert said in done.stderr
    assert bool(said) is bool(done.stderr)


def test_version_of_go_run(project: Project) -> None:
    """What `go run …@VERSION` names counts, and most lines decide."""
    project.write("go.mod", "module x\nrequire github.com/cilium/ebpf v0.19.3\n")
    line = "//go:generate go run github.com/cilium/ebpf/cmd/bpf2go"
    project.write("a.go", f"package p\n{line}@v0.21.0 a a.c\n{line}@latest b a.c\n{line}@v0.21.0 c a.c\n")
    project.write("a.c", SOURCE)
    done = project.bpfgen("import", "bpf2go", env=ENVIRON)
    assert 'api = "0.21"' in (project.root / "build.toml").read_text(encoding="utf-8")
    assert done.stderr == "bpfgen: note: there are lines for bpf2go 0.19, too: a project has one api, 0.21\n"


def test_go_generate_s_own_variables(project: Project) -> None:
    """`$PWD` is the file's folder, and leaves no trace; `$GOARCH` is the host's, which is said."""
    project.write(
        "d/a.go", "package p\n//go:generate bpf2go -target $GOARCH -go-package $GOPACKAGE a $PWD/a.c -- -I${PWD}/h\n"
    )
    project.write("d/a.c", SOURCE)
    project.write("d/h/x.h", "")
    done = project.bpfgen("import", "bpf2go", env={**ENVIRON, "GOARCH": "arm64"})
    text = (project.root / "build.toml").read_text(encoding="utf-8")
    assert '\nsource = "d/a.c"\n' in text
    assert '\ninclude = ["d/h"]\n' in text
    assert '\narches = ["arm64"]\n' in text
    assert 'd/a.go:2: note: $GOARCH is "arm64" here' in done.stderr
    assert "PWD" not in done.stderr


def test_launcher(project: Project) -> None:
    """A launcher before the compiler is that of `[cache]`; words behind it are flags."""
    project.write("a.go", 'package p\n//go:generate bpf2go -cc "ccache clang-19 -Wextra" a a.c\n')
    project.write("a.c", SOURCE)
    project.bpfgen("import", "bpf2go", env=ENVIRON)
    text = (project.root / "build.toml").read_text(encoding="utf-8")
    assert '\n[toolchain]\nclang = "clang-19"\n' in text
    assert '\n[cache]\nlauncher = "ccache"\n' in text
    assert '\ncflags = ["-Wextra"]\n' in text


def test_nothing_is_overwritten(project: Project) -> None:
    project.write("a.go", "package p\n//go:generate bpf2go a a.c\n")
    project.write("a.c", SOURCE)
    project.write("build.toml", "mine\n")
    done = project.bpfgen("import", "bpf2go", code=2, env=ENVIRON)
    assert done.stderr == "build.toml: error: the file is there already\n  hint: --force overwrites it\n"
    assert (project.root / "build.toml").read_text(encoding="utf-8") == "mine\n"
    shown = project.bpfgen("import", "bpf2go", "--dry-run", env=ENVIRON).stdout
    assert (project.root / "build.toml").read_text(encoding="utf-8") == "mine\n"
    project.bpfgen("import", "bpf2go", "--force", env=ENVIRON)
    assert (project.root / "build.toml").read_text(encoding="utf-8") == shown


def test_nothing_to_import(project: Project) -> None:
    """Hidden folders, `vendor` and `testdata` are not looked into, as by `go generate ./...`."""
    for folder in (".git", "_old", "vendor/x", "testdata"):
        project.write(f"{folder}/a.go", "package p\n//go:generate bpf2go a a.c\n")
    project.write("b.go", "package p\n//go:generate stringer -type=x\n")
    done = project.bpfgen("import", "bpf2go", code=3, env=ENVIRON)
    assert done.stderr == "bpfgen: error: no //go:generate line of a Go file in . or below runs bpf2go\n"
    assert not (project.root / "build.toml").exists()


def test_a_folder(project: Project) -> None:
    """DIR is the project: its build.toml is there, and paths are relative to it."""
    project.write("sub/d/a.go", "package p\n//go:generate bpf2go a ../../shared/a.c\n")
    project.write("shared/a.c", SOURCE)
    done = project.bpfgen("import", "bpf2go", "sub", env=ENVIRON)
    assert done.stdout == "wrote sub/build.toml: 1 program of 1 line\n"
    assert 'source = "../shared/a.c"' in (project.root / "sub/build.toml").read_text(encoding="utf-8")
    assert "no such folder" in project.bpfgen("import", "bpf2go", "gone", code=2, env=ENVIRON).stderr


def test_names(project: Project) -> None:
    """The shortest that tell programs apart: by folder, by Go name, by what they are for; never one that is taken."""
    for name in ("x/probe.c", "y/probe.c", "z/all.c", "z/one.bpf.c", "z/One.c"):
        project.write(name, SOURCE)
    lines = ["a x/probe.c", "b y/probe.c", "c y/probe.c", "d z/all.c", "e z/one.bpf.c", "f z/One.c"]
    lines.append("-target bpfeb,arm64 g z/all.c")
    text = "".join(f"//go:generate bpf2go {line}\n" for line in lines)
    project.write("a.go", f"package p\n{text}")
    project.bpfgen("import", "bpf2go", env=ENVIRON)
    names = project.bpfgen("matrix", "--format", "ids").stdout.splitlines()
    assert sorted({name.rpartition("/")[0] for name in names}) == [
        "One_f",
        "all_d",
        "all_g_arm64",
        "all_g_portable",
        "one_e",
        "probe_b",
        "probe_c",
        "x_probe",
    ]
