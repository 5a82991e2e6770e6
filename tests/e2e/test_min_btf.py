"""Kernels without BTF: types are made as objects need them, and a Go program loads with them into a kernel whose own
it can't see.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from project import Project

from bpfgen.bpf.btf import Btf, Kind

pytestmark = pytest.mark.real

TYPES = Path("/sys/kernel/btf/vmlinux")
CONFIG = f"""
[targets]
arches = ["amd64"]
[kernel.old]
btf = "{TYPES}"
min_btf = true
release = "RELEASE"
[program.probe]
source = "bpf/probe.c"
[go]
"""
# Types of its own, with every field at 0 and every value 1: so only what the relocations found is right.
PROBE = """\
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#define CORE __attribute__((preserve_access_index))
struct task_struct___mine { struct task_struct___mine *group_leader; int tgid; MORE } CORE;
struct nowhere { int field; } CORE;
enum bpf_map_type___mine { BPF_MAP_TYPE_RINGBUF___mine = 1 };
SEC("raw_tp/sys_enter") int tgid(void *ctx)
{
    struct task_struct___mine *task = (void *)bpf_get_current_task();
    return BPF_CORE_READ(task, group_leader, tgid);
}
SEC("raw_tp/sys_enter") int answers(void *ctx)
{
    int found = bpf_core_enum_value(enum bpf_map_type___mine, BPF_MAP_TYPE_RINGBUF___mine);
    found += bpf_core_type_exists(struct task_struct___mine) ? 100 : 0;
    found += bpf_core_type_exists(struct nowhere) ? 1000 : 0;
    LOOK
    return found;
}
char LICENSE[] SEC("license") = "GPL";
"""
MORE = ("int prio;", "found += bpf_core_field_exists(((struct task_struct___mine *)0)->prio) ? 10000 : 0;")
GO_MOD = "module example.com/test\n\ngo 1.23\n\nrequire github.com/cilium/ebpf v0.22.0\n"
MAIN = {
    "bpf2go": """\
package main

import (
	"fmt"
	"os"

	"example.com/test/minbtf"
	"github.com/cilium/ebpf"
)

func main() {
	types, err := minbtf.KernelTypes()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(types != nil)
	if len(os.Args) > 1 {
		types = nil
	}
	var objects probeObjects
	options := ebpf.CollectionOptions{Programs: ebpf.ProgramOptions{KernelTypes: types}}
	if err := loadProbeObjects(&objects, &options); err != nil {
		fmt.Println(err)
		return
	}
	got, err := objects.Tgid.Run(&ebpf.RunOptions{})
	fmt.Println(got == uint32(os.Getpid()), err)
	got, err = objects.Answers.Run(&ebpf.RunOptions{})
	fmt.Println(got, err)
}
""",
    "embed": """\
package main

import (
	"bytes"
	"fmt"
	"os"

	"example.com/test/programs"
	"example.com/test/programs/minbtf"
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

func main() {
	types, err := minbtf.Types()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(types != nil)
	object, err := programs.LoadProgram("probe")
	check(err)
	spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(object))
	check(err)
	var options ebpf.CollectionOptions
	if types != nil && len(os.Args) == 1 {
		options.Programs.KernelTypes, err = btf.LoadSpecFromReader(bytes.NewReader(types))
		check(err)
	}
	collection, err := ebpf.NewCollectionWithOptions(spec, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	got, err := collection.Programs["tgid"].Run(&ebpf.RunOptions{})
	fmt.Println(got == uint32(os.Getpid()), err)
	got, err = collection.Programs["answers"].Run(&ebpf.RunOptions{})
	fmt.Println(got, err)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
""",
}
LIBBPF = """\
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <unistd.h>

int main(int count, char **words)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = count > 1 ? words[1] : NULL);
	LIBBPF_OPTS(bpf_test_run_opts, got);
	struct bpf_object *object = bpf_object__open_file("out/obj/probe/x86_bpfel.bpf.o", &options);
	if (bpf_object__load(object)) {
		puts("refused");
		return 0;
	}
	bpf_prog_test_run_opts(bpf_program__fd(bpf_object__find_program_by_name(object, "tgid")), &got);
	printf("%d ", (int)got.retval == getpid());
	bpf_prog_test_run_opts(bpf_program__fd(bpf_object__find_program_by_name(object, "answers")), &got);
	printf("%u\\n", got.retval);
	return 0;
}
"""
BINDINGS = {
    "bpf2go": 'bindings = "bpf2go"\ndir = "."\npackage = "main"\n',
    "embed": 'dir = "programs"\n',
}
HIDDEN = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /sys/kernel/btf && exec "$@"', "sh")
"""A command before another one, which then sees no BTF of the kernel."""
ENVIRONMENT = {**os.environ, "GOFLAGS": "-mod=mod -buildvcs=false", "GOWORK": "off", "GOTOOLCHAIN": "local"}


def built(folder: Path, bindings: str, release: str) -> Project:
    """The program for that kernel, built by Ninja."""
    project = Project(folder)
    project.write("bpf/probe.c", PROBE.replace("MORE", "").replace("LOOK", ""))
    project.config(CONFIG.replace("RELEASE", release) + BINDINGS[bindings])
    config = (folder / "build.toml").read_text()
    # A vmlinux.h is made too, for nobody here: in the way that is fastest.
    project.write("build.toml", config.replace("[cache]", 'bpftool = "bpftool"\n[cache]'))
    project.make()
    return project


def go(project: Project, bindings: str) -> str:
    """Builds the Go program that loads it; its path."""
    project.write("go.mod", GO_MOD)
    project.write("main.go", MAIN[bindings])
    project.run(("go", "vet", "./..."), env=ENVIRONMENT)
    assert project.run(("gofmt", "-l", ".")).stdout == ""
    project.run(("go", "build", "-o", "main", "."), env=ENVIRONMENT)
    return "./main"


@pytest.mark.skipif(os.geteuid() != 0, reason="loading needs root")
@pytest.mark.parametrize("bindings", BINDINGS)
def test_a_program_loads_where_the_kernel_has_no_types(bindings: str, tmp_path: Path) -> None:
    """With the kernel's types out of sight: with ours it loads and reads what is there, without them it doesn't."""
    project = built(tmp_path, bindings, os.uname().release)
    main = go(project, bindings)
    works = ["true <nil>", "127 <nil>"]
    assert project.run((main,)).stdout.splitlines() == ["false", *works]
    assert project.run((*HIDDEN, main)).stdout.splitlines() == ["true", *works]
    found, error = project.run((*HIDDEN, main, "without")).stdout.splitlines()
    assert (found, "not supported" in error or "no BTF" in error) == ("true", True), error


@pytest.mark.skipif(os.geteuid() != 0, reason="loading needs root")
def test_libbpf_loads_with_them(tmp_path: Path) -> None:
    project = built(tmp_path, "embed", "4.18.0-305.*")
    project.write("main.c", LIBBPF)
    project.run(("clang-19", "main.c", "-o", "main", "-lbpf"))
    assert project.run((*HIDDEN, "./main", "out/min_btf/old/amd64.btf")).stdout == "1 127\n"
    assert project.run((*HIDDEN, "./main")).stdout == "refused\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="hiding the kernel's types needs root")
def test_an_unknown_kernel_is_named(tmp_path: Path) -> None:
    main = go(project := built(tmp_path, "bpf2go", "4.18.0-305.*"), "bpf2go")
    said = project.run((*HIDDEN, main)).stdout
    assert said.startswith("minbtf: no BTF for this kernel: ")
    assert said.endswith(f"/{os.uname().release}\n")


def test_types_are_made_as_they_are_needed(tmp_path: Path) -> None:
    """An edit that asks for nothing new writes nothing; one that does adds just that."""
    project = built(tmp_path, "embed", "4.18.0-305.*")
    assert project.idle()
    path, copy = tmp_path / "out/min_btf/old/amd64.btf", tmp_path / "programs/minbtf/btf/old-amd64.btf"
    first = path.stat().st_ino
    assert sorted(members(path)["task_struct"]) == ["group_leader", "tgid"]
    assert path.read_bytes() == copy.read_bytes()
    assert path.stat().st_size < 2000
    project.write("bpf/probe.c", PROBE.replace("MORE", "").replace("LOOK", "found++;"))
    project.ninja()
    assert path.stat().st_ino == first
    assert project.idle()
    project.write("bpf/probe.c", PROBE.replace("MORE", MORE[0]).replace("LOOK", MORE[1]))
    project.ninja()
    assert sorted(members(path)["task_struct"]) == ["group_leader", "prio", "tgid"]
    assert path.read_bytes() == copy.read_bytes()
    assert project.idle()


def members(path: Path) -> dict[str, list[str]]:
    """Structs by name, with those of their members that have one."""
    btf = Btf(path.read_bytes())
    found: dict[str, list[str]] = {}
    for each in btf:
        if each.kind is Kind.STRUCT:
            found.setdefault(each.name, []).extend(member.name for member in btf.members(each) if member.name)
    return found


@pytest.mark.parametrize("name", ["out/vmlinux/old/amd64/vmlinux.btf", "out/obj/probe/x86_bpfel.bpf.o"])
def test_damage_is_one_error(name: str, tmp_path: Path) -> None:
    """Of the step alone: in a build, what was made of the same file before it says so."""
    project = built(tmp_path, "embed", "4.18.0-305.*")
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:1000])
    words = ("minbtf", "out/.bpfgen/plan.json", "old", "amd64")
    done = project.run((sys.executable, "-m", "bpfgen.steps", *words), code=3)
    assert re.fullmatch(rf"{name}: error: [^\n]+\n", done.stderr), done.stderr
