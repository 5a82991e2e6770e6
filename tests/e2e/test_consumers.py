"""Programs in C and Rust with the objects in them: by skeletons, and by a module."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest
from project import Project

pytestmark = pytest.mark.real

COUNT = """\
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
int wanted = 7;
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, int);
	__type(value, long);
} hits SEC(".maps");
SEC("xdp") int count(struct xdp_md *ctx) {
	int key = 0;
	long *value = bpf_map_lookup_elem(&hits, &key);
	if (value)
		*value += wanted;
	return XDP_PASS;
}
char LICENSE[] SEC("license") = "GPL";
"""
MAIN = """\
#include <stdio.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "count.skel.h"
#include "count@less.skel.h"

int main(void)
{
	char packet[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet));
	struct count_less_bpf *less = count_less_bpf__open();
	struct count_bpf *skel = count_bpf__open();
	int key = 0;
	long value = 0;

	if (!skel || !less)
		return 1;
	skel->data->wanted = 5;
	if (count_bpf__load(skel))
		return 2;
	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.count), &run))
		return 3;
	if (bpf_map__lookup_elem(skel->maps.hits, &key, sizeof(key), &value, sizeof(value), 0))
		return 4;
	printf("%ld %u %d\\n", value, run.retval, less->data->wanted);
	count_less_bpf__destroy(less);
	count_bpf__destroy(skel);
	return 0;
}
"""
TOML = """\
[targets]
arches = ["amd64", "arm64"]
[program.count]
source = "bpf/count.c"
variants.less.define.UNUSED = true
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.write("bpf/count.c", COUNT)
    return made


def test_a_c_program_loads_it(project: Project) -> None:
    """By its skeleton, with a value set before; and runs it on a packet, which needs no interface."""
    if os.geteuid() != 0:
        pytest.skip("only root loads")
    project.config(TOML + "portable = true\n[skeleton]\n")
    project.make()
    assert project.idle()
    project.write("main.c", MAIN)
    words = ["gcc", "-Wall", "-Werror", "-Iout/skel/bpfel", "main.c", "-lbpf", "-o", "main"]
    assert project.run(words).stderr == ""
    assert project.run(["./main"]).stdout == "5 2 7\n"


def test_a_header_for_each_object(project: Project) -> None:
    """Of an edited program only its own are made again, and none where the object stays the same."""
    project.program("other")
    project.config(TOML + '[program.other]\nsource = "bpf/other.c"\n[skeleton]\ndir = "src/skel"\narches = ["amd64"]\n')
    project.make()
    folder = project.root / "src/skel/x86_bpfel"
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert set(before) == {"count.skel.h", "count@less.skel.h", "other.skel.h"}
    assert not (project.root / "src/skel/arm64_bpfel").exists()
    texts = {path.name: path.read_bytes() for path in folder.iterdir()}
    project.write("bpf/count.c", COUNT + "\n")
    project.ninja()
    assert before == {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    project.write("bpf/count.c", COUNT.replace("7", "8"))
    project.ninja()
    assert {name for name, text in texts.items() if (folder / name).read_bytes() != text} == {
        "count.skel.h",
        "count@less.skel.h",
    }
    project.config(TOML + '[program.other]\nsource = "bpf/other.c"\n')
    project.make()
    assert not folder.exists()


def test_two_checkouts_give_the_same_headers(tmp_path: Path) -> None:
    texts = []
    for name in ("a", "b c"):
        project = Project(tmp_path / name)
        project.write("bpf/count.c", COUNT)
        project.config(TOML + "portable = true\n[skeleton]\n")
        project.make()
        texts.append({path.name: path.read_bytes() for path in (project.root / "out/skel/bpfel").iterdir()})
    assert texts[0] == texts[1]


def test_no_bpftool(project: Project) -> None:
    """Is said when generating, before anything is built."""
    project.config(TOML + "[skeleton]\n")
    toml = project.root / "build.toml"
    toml.write_text(toml.read_text().replace("[toolchain]\n", '[toolchain]\nbpftool = "bpftool-nosuch"\n'))
    said = project.bpfgen(code=3).stderr
    assert "error: no bpftool was found to make what [skeleton] asks for\n  hint: install bpftool" in said
    assert not (project.root / "build.ninja").exists()


def test_objects_of_the_other_byte_order(project: Project) -> None:
    """A bpftool that reads them makes a header; an older one refuses, and the way out is named and works."""
    project.config(TOML.replace('"arm64"', '"s390x"') + "[skeleton]\n")
    project.bpfgen()
    said = project.ninja(code=None)
    if "FAILED" not in said:
        assert b"BPFTOOL" in (project.root / "out/skel/s390_bpfeb/count.skel.h").read_bytes()
        return
    assert "out/obj/count/s390_bpfeb.bpf.o: error: bpftool makes no skeleton of it: " in said
    assert "\n  hint: its byte order isn't this machine's; leave it out with  arches = " in said
    project.config(TOML.replace('"arm64"', '"s390x"') + '[skeleton]\narches = ["amd64"]\n')
    project.make()
    assert (project.root / "out/obj/count/s390_bpfeb.bpf.o").exists()
    assert not list(project.root.glob("out/skel/s390_bpfeb/*"))


RUST = """
mod bpf;

fn main() {
    let object = bpf::find("count@less").unwrap();
    let map = &object.maps[0];
    assert_eq!(bpf::count_less::OBJECT.bytes, object.bytes);
    println!("{} {} {}", bpf::count::maps::HITS, bpf::count::programs::COUNT, bpf::count::LICENSE);
    println!("{} {} {}", map.max_entries, object.sha256, object.bytes.len() == bpf::count_less::SIZE);
}
"""


def test_a_rust_program_has_it(project: Project) -> None:
    """And one for another machine has what is for that one."""
    project.config(TOML.replace('"arm64"', '"s390x"') + '[rust]\ndir = "src/bpf"\n')
    project.make()
    assert project.idle()
    project.write("src/main.rs", RUST)
    assert project.run(["rustc", "-D", "warnings", "--edition", "2021", "src/main.rs", "-o", "main"]).stderr == ""
    data = (project.root / "out/obj/count/x86_bpfel@less.bpf.o").read_bytes()
    assert project.run(["./main"]).stdout == f"hits count GPL\n4 {sha256(data).hexdigest()} true\n"
    text = (project.root / "src/bpf/mod.rs").read_text(encoding="utf-8")
    assert text.count('#[cfg(all(target_endian = "big", target_arch = "s390x"))]') == 4
    assert sha256((project.root / "out/obj/count/s390_bpfeb.bpf.o").read_bytes()).hexdigest() in text
