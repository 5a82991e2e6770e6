"""Bindings like bpf2go's in a project: what is built again, what isn't, and what is never written over."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from project import XDP, Project

from bpfgen.catalog import arches

pytestmark = pytest.mark.real

CONFIG = """
[targets]
arches = ["amd64", "s390x"]
[program."*"]
source = "bpf/*.c"
portable = true
go = { dir = "probes" }
[go]
bindings = "bpf2go"
package = "probes"
"""
MAP = """
struct event { int pid; };
struct {
  int (*type)[1]; int (*max_entries)[16]; unsigned *key; struct event *value;
} events __attribute__((section(".maps"), used));
"""


@pytest.fixture
def probes(tmp_path: Path) -> Project:
    """Two programs whose bindings share a package, built."""
    project = Project(tmp_path)
    project.program("one", MAP)
    project.program("two")
    project.config(CONFIG)
    project.make()
    return project


def written(project: Project) -> dict[str, int]:
    """Each file of the package, and which file it is: one that is written again is another."""
    return {path.name: path.stat().st_ino for path in (project.root / "probes").iterdir()}


def test_files(probes: Project) -> None:
    bases = [f"{name}_{target}" for name in ("one", "two") for target in ("bpfel", "bpfeb")]
    assert sorted(written(probes)) == sorted(f"{base}.{end}" for base in bases for end in ("go", "o"))
    text = (probes.root / "probes/one_bpfel.go").read_text()
    assert "type oneEvent struct {\n\t_   structs.HostLayout\n\tPid int32\n}\n" in text
    assert probes.idle()


def test_an_edit_without_effect_writes_nothing(probes: Project) -> None:
    before = written(probes)
    path = probes.root / "bpf/one.c"
    path.write_text(path.read_text() + "// no code\n")
    probes.ninja()
    assert written(probes) == before
    assert probes.idle()


def test_an_edit_writes_its_own_files(probes: Project) -> None:
    before = written(probes)
    probes.program("two", "int counter;\n")
    probes.ninja()
    after = written(probes)
    assert {name for name in after if after[name] != before[name]} == {
        f"two_{target}.{end}" for target in ("bpfel", "bpfeb") for end in ("go", "o")
    }
    assert probes.idle()


def test_a_deleted_file_comes_back(probes: Project) -> None:
    text = (probes.root / "probes/two_bpfel.go").read_bytes()
    probes.remove("probes/two_bpfel.go")
    probes.ninja()
    assert (probes.root / "probes/two_bpfel.go").read_bytes() == text


def test_settings_are_in_the_first_line(probes: Project) -> None:
    first = (probes.root / "probes/one_bpfel.go").read_text().partition("\n")
    probes.config(CONFIG.replace("portable", "cflags = ['-DUNUSED']\nportable"))
    probes.make()
    again = (probes.root / "probes/one_bpfel.go").read_text().partition("\n")
    assert first[0] != again[0]
    assert first[2] == again[2]


def test_a_renamed_stem_leaves_nothing_behind(probes: Project) -> None:
    probes.config(CONFIG.replace('dir = "probes"', 'dir = "probes", suffix = "_test"'))
    probes.make()
    assert all(name.endswith(("_test.go", "_test.o")) for name in written(probes))


def test_a_persons_file_is_neither_written_over_nor_removed(probes: Project) -> None:
    mine = probes.write("probes/three_bpfel.go", "package probes\n")
    probes.program("three")
    probes.bpfgen()
    said = probes.ninja(code=None)  # 1, or from Ninja 1.13 on the step's own
    assert "probes/three_bpfel.go: error: was made neither by bpfgen nor by bpf2go" in said
    probes.remove("bpf/three.c")
    probes.bpfgen()
    assert mine.read_text() == "package probes\n"
    probes.bpfgen("clean")
    assert [path.name for path in (probes.root / "probes").iterdir()] == ["three_bpfel.go"]


def test_every_problem_of_all_programs(probes: Project) -> None:
    probes.program("one", MAP.replace("int pid", "char *pid"))
    probes.program("two", "int y; double x;\n" + MAP.replace("event", "thing").replace("int pid", "void *p"))
    said = probes.ninja(code=None)  # 1, or from Ninja 1.13 on the step's own
    assert 'the C type "event" has a member pid that is a pointer' in said
    assert 'the C type "thing" has a member p that is a pointer' in said
    assert "global_types = false" in said


def test_several_sources_are_one_object(tmp_path: Path) -> None:
    """bpf2go can't do this: the bindings are those of the linked object."""
    project = Project(tmp_path)
    project.program("one", MAP)
    project.write("bpf/two.c", "int counter = 3;\n")
    project.config('[program.both]\nsources = ["bpf/one.c", "bpf/two.c"]\nportable = true\n[go]\nbindings = "bpf2go"\n')
    project.make()
    text = (project.root / "out/go/both_bpfel.go").read_text()
    assert all(name in text for name in ("bothMapEvents", "bothProgOne", "bothVarCounter", "type bothEvent struct"))
    assert os.path.exists(project.root / "out/go/both_bpfel.o")
    assert project.idle()


def test_docs_example(tmp_path: Path) -> None:
    """The page's `build.toml` makes the files, and in them the names, that the page says."""
    page = (Path(__file__).parents[2] / "docs/go.md").read_text(encoding="utf-8")
    shown = re.search(r"^```toml\n(.*?)^```$(.*?)^##", page, re.MULTILINE | re.DOTALL)
    assert shown
    project = Project(tmp_path)
    project.program("counter", MAP)
    (tmp_path / "include").rename(tmp_path / "headers")
    project.write("build.toml", shown[1].replace("[compile]", '[toolchain]\nclang = "clang-19"\n\n[compile]'))
    project.make()
    said = re.findall(r"`(?:internal/counter/)?([^`]+)`", shown[2])
    files = {path.name: path for path in (tmp_path / "internal/counter").iterdir()}
    assert sorted(files) == sorted(said[:4])
    text = files["bpf_bpfel.go"].read_text()
    assert all(re.search(rf"\b{name}\b", text) for name in said[4:])
    assert len(said) == 7


GO_MOD = """\
module example.com/probes

go 1.25.0

require github.com/cilium/ebpf v0.22.0
"""


def test_go_builds_nothing_after_an_edit_without_effect(probes: Project) -> None:
    """Many programs in one package; with an edit that changes code, Go compiles it again."""
    probes.write("go.mod", GO_MOD)
    go = ("go", "build", "-x", "./probes")
    env = {**os.environ, "GOFLAGS": "-mod=mod -buildvcs=false", "GOWORK": "off", "GOTOOLCHAIN": "local"}

    def compiles() -> bool:
        return "/compile " in probes.run(go, env=env).stderr

    assert compiles()
    assert not compiles()
    path = probes.root / "bpf/one.c"
    path.write_text(path.read_text() + "// no code\n")
    probes.ninja()
    assert not compiles()
    path.write_text(path.read_text() + "int counter;\n")
    probes.ninja()
    assert compiles()


KERNELS = """
[targets]
arches = ["amd64"]
[kernel.first]
upstream = "4.18"
[kernel.late]
upstream = "5.15.7"
[kernel.nameless]
btf = "/sys/kernel/btf/vmlinux"
[program.probe]
source = "bpf/probe.c"
per_kernel = true
go = { dir = ".", package = "main" }
[go]
bindings = "bpf2go"
"""
PROBE = """
#ifndef LINUX_VERSION_CODE
#define LINUX_VERSION_CODE 0
#endif
#if LINUX_VERSION_CODE >= 0x050f07
int late;
struct event { long pid; };
#else
struct event { int pid; };
#endif
struct same { char byte; } both = { LINUX_VERSION_CODE >> 16 };
struct {
  int (*type)[1]; int (*max_entries)[16]; unsigned *key; struct event *value;
} events __attribute__((section(".maps"), used));
"""
MAIN = """\
package main

import "fmt"

func main() {
	for _, version := range []uint32{0x060000, 0x050f07, 0x050f06, 0x041200, 0x041100} {
		spec, err := loadProbeFor(version)
		if err != nil {
			fmt.Println(err)
			continue
		}
		var own probeSpecs
		if err := spec.Assign(&own); err != nil {
			panic(err)
		}
		var same probeSame
		if err := own.Both.Get(&same); err != nil {
			panic(err)
		}
		fmt.Println(same.Byte, own.Events.ValueSize)
	}
	if _, err := loadProbe(); err != nil {
		panic(err)
	}
}
"""


def test_a_selector_picks_the_object_of_the_kernel(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.program("probe", PROBE)
    project.config(KERNELS)
    project.make()
    text = (tmp_path / "probe_x86_bpfel.go").read_text()
    assert "Late" not in text.replace("loadProbeLate", "")
    assert "probeEvent" not in text
    project.write("go.mod", GO_MOD)
    project.write("main.go", MAIN)
    env = {**os.environ, "GOFLAGS": "-mod=mod -buildvcs=false", "GOWORK": "off", "GOTOOLCHAIN": "local"}
    project.run(("go", "vet", "."), env=env)
    assert project.run(("gofmt", "-l", ".")).stdout == ""
    said = project.run(("go", "run", "."), env=env).stdout.splitlines()
    assert said == ["5 8", "5 8", "4 4", "4 4", "can't load probe: no object for Linux 4.17"]
    assert project.idle()


@pytest.mark.parametrize("portable", ["true", "false"])
def test_each_architecture_has_one_file(portable: str, tmp_path: Path) -> None:
    """Of Go's point of view, on Linux: of its own macro where there is one, else of its byte order."""
    project = Project(tmp_path)
    project.program("probe")
    names = ", ".join(f'"{name}"' for name in arches())
    config = f'[targets]\narches = [{names}]\n[program.probe]\nsource = "bpf/probe.c"\nportable = {portable}\n'
    project.config(config + '[go]\nbindings = "bpf2go"\ndir = "."\npackage = "probe"\ntags = ["linux"]\n')
    project.make()
    project.write("go.mod", GO_MOD)
    for name, arch in arches().items():
        env = {**os.environ, "GOOS": "linux", "GOARCH": name, "GOWORK": "off", "GOTOOLCHAIN": "local"}
        found = project.run(("go", "list", "-e", "-f", "{{.GoFiles}} {{.EmbedPatterns}}", "."), env=env).stdout.strip()
        target = f"{arch.define}_{arch.target}" if arch.define and portable == "false" else arch.target
        assert found == f"[probe_{target}.go] [probe_{target}.o]"


VALUE = """\
package main

import "fmt"

func main() {
	spec, err := loadProbe()
	if err != nil {
		panic(err)
	}
	var value int32
	if err := spec.Variables["value"].Get(&value); err != nil {
		panic(err)
	}
	fmt.Println(value)
}
"""


@pytest.mark.parametrize(("files", "after"), [("embed", "1"), ("embed.FS", "1"), ("disk", "2")])
def test_where_the_object_is_read_from(files: str, after: str, tmp_path: Path) -> None:
    """An edit shows in a program that was built before only where the object is read from disk."""
    project = Project(tmp_path)
    project.program("probe", "int value = 1;\n")
    config = '[targets]\narches = ["amd64"]\n[program.probe]\nsource = "bpf/probe.c"\nportable = true\n'
    project.config(config + f'[go]\nbindings = "bpf2go"\nfiles = "{files}"\ndir = "."\npackage = "main"\n')
    project.make()
    project.write("go.mod", GO_MOD)
    project.write("main.go", VALUE)
    env = {**os.environ, "GOFLAGS": "-mod=mod -buildvcs=false", "GOWORK": "off", "GOTOOLCHAIN": "local"}
    project.run(("go", "vet", "."), env=env)
    assert project.run(("gofmt", "-l", ".")).stdout == ""
    project.run(("go", "build", "-o", "main", "."), env=env)
    assert project.run(("./main",)).stdout.strip() == "1"
    project.program("probe", "int value = 2;\n")
    project.ninja()
    assert project.run((str(tmp_path / "main"),), cwd="/").stdout.strip() == after


EXPLAIN = """\
package main

import "fmt"

func main() {
	fmt.Println(loadGoodObjectsOrExplain(&goodObjects{}, nil))
	fmt.Println(loadBadObjectsOrExplain(&badObjects{}, nil))
}
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="loading needs root")
def test_what_the_kernel_lacks_is_named(tmp_path: Path) -> None:
    """By a helper that only kprobes may call, in an XDP program, which the verifier refuses."""
    project = Project(tmp_path)
    project.program("good")
    helper = "(((long (*)(void *, unsigned long))58)(ctx, 1), 2)"
    project.write("bpf/bad.c", f"#define VERDICT {helper}\n" + XDP.replace("NAME", "bad"))
    config = '[targets]\narches = ["amd64"]\n[program."*"]\nsource = "bpf/*.c"\nportable = true\n'
    project.config(config + '[go]\nbindings = "bpf2go"\nexplain = true\ndir = "."\npackage = "main"\n')
    project.make()
    project.write("go.mod", GO_MOD)
    project.write("main.go", EXPLAIN)
    env = {**os.environ, "GOFLAGS": "-mod=mod -buildvcs=false", "GOWORK": "off", "GOTOOLCHAIN": "local"}
    project.run(("go", "vet", "."), env=env)
    assert project.run(("gofmt", "-l", ".")).stdout == ""
    good, bad = project.run(("go", "run", "."), env=env).stdout.splitlines()
    assert good == "<nil>"
    assert bad.endswith(" (this kernel lacks helper FnOverrideReturn for XDP programs like bad)")
