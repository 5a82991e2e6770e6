"""The Go package of kernels' types: which files it has, their text against golden ones, and the real Go tools."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path
from typing import Any

import pytest
from test_go import run, tree

from bpfgen.config.checkminbtf import releases
from bpfgen.config.schema import Kernel
from bpfgen.errors import Failure
from bpfgen.outputs import gominbtf

GOLDEN = Path(__file__).parents[1] / "data/gominbtf"
CELLS = (("rhel8", "amd64"), ("rhel8", "arm64"), ("AWS", "amd64"), ("old", "s390x"))
KERNELS = {
    "old": ("4.18.0-*",),
    "rhel8": ("rhel/8.*/4.18.0-305.*", "centos/8/4.18.0-305.*"),
    "AWS": ("5.4.0-1009-aws", "5.4.0-10?0-aws"),
}


def package(cilium: bool = False) -> dict[str, Any]:
    """A plan with the package in `out/go/minbtf`, of files in the current folder, which it writes."""
    cells = [{"kernel": kernel, "arch": arch, "file": f"{kernel}-{arch}"} for kernel, arch in CELLS]
    for each in cells:
        Path(each["file"]).write_text(f"types of {each['kernel']} for {each['arch']}\n", encoding="utf-8")
    return {"minbtf": cells, "gominbtf": {"dir": "out/go/minbtf", "cilium": cilium, "kernels": KERNELS}}


@pytest.mark.parametrize("cilium", [False, True], ids=["embed", "bpf2go"])
def test_golden(cilium: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, update: bool) -> None:
    monkeypatch.chdir(tmp_path)
    plan = package(cilium)
    gominbtf.write(plan)
    expected = GOLDEN / ("bpf2go" if cilium else "embed")
    if update:
        shutil.rmtree(expected, ignore_errors=True)
        shutil.copytree("out/go/minbtf", expected)
    assert tree(Path("out/go/minbtf")) == tree(expected)
    assert sorted(gominbtf.files(plan)) == [f"out/go/minbtf/{name}" for name in sorted(tree(expected))]


def test_a_persons_file_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mine = Path("out/go/minbtf/kernels_other.go")
    mine.parent.mkdir(parents=True)
    mine.write_text("package minbtf\n", encoding="utf-8")
    with pytest.raises(Failure, match=r"kernels_other\.go: error: was not made by bpfgen"):
        gominbtf.write(package())
    assert list(tree(Path("out"))) == ["go/minbtf/kernels_other.go"]


@pytest.mark.parametrize(
    ("btf", "release", "wanted"),
    [
        ("btf/ubuntu/20.04/{arch}/5.4.0-1009-aws.btf.tar.xz", (), ("5.4.0-1009-aws",)),
        ("4.18.0-305.el8.x86_64.btf", (), ("4.18.0-305.el8.x86_64",)),
        ("btf/4.18.0-305.el8.x86_64.btf.tar", "4.18.0-305.*", ("4.18.0-305.*",)),
        ("vmlinux", ("5.4.0-1*", "5.4.0-2*"), ("5.4.0-1*", "5.4.0-2*")),
        ("btf/rhel8-4c1f0e0ab3d2.btf", (), ()),
        ("5.10-{arch}.btf", (), ()),
        ("5.10.0-{arch}.btf", (), ()),
        ("linux-image-6.1.0-37-amd64.deb", (), ()),
    ],
)
def test_which_kernels(btf: str, release: Any, wanted: tuple[str, ...]) -> None:
    assert releases(Kernel(btf=btf, min_btf=True, release=release)) == wanted


MAIN = """package main

import (
	"fmt"

	"example.com/test/out/go/minbtf"
)

func main() {
	for _, name := range [][3]string{
		{"rhel", "8.4", "4.18.0-305.el8.x86_64"},
		{"centos", "8", "4.18.0-305.el8.x86_64"},
		{"centos", "8", "4.18.0-240.el8.x86_64"},
		{"", "", "4.18.0-305.el8.x86_64"},
		{"ubuntu", "20.04", "5.4.0-1009-aws"},
		{"", "", "5.4.0-1030-aws"},
		{"", "", "5.4.0-1009-aws-more"},
	} {
		kernel, ok := minbtf.Find(name[0], name[1], name[2])
		fmt.Printf("%t %q\\n", ok, string(kernel.Types()))
	}
	for _, kernel := range minbtf.Kernels() {
		kernel.Types()[0] = 'x' // the caller's copy
		fmt.Println(kernel.Name, kernel.Releases, string(kernel.Types()[:5]))
	}
}
"""


@pytest.mark.real
@pytest.mark.skipif(platform.machine() != "x86_64", reason="what is run has types of amd64's kernels")
def test_go_finds_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With Go's own packages alone, on every kind of system; which kernel is found is the same on each."""
    monkeypatch.chdir(tmp_path)
    gominbtf.write(package())
    Path("go.mod").write_text("module example.com/test\n\ngo 1.21\n", encoding="utf-8")
    Path("main.go").write_text(MAIN, encoding="utf-8")
    assert run("gofmt", "-l", "out/go") == ""
    run("go", "vet", ".", "./out/go/minbtf")
    for system, arch in (("linux", "arm64"), ("linux", "riscv64"), ("darwin", "arm64"), ("windows", "amd64")):
        run("go", "build", "./out/go/minbtf", GOOS=system, GOARCH=arch)
    rows = run("go", "run", ".").splitlines()
    rhel8, aws, none = r'true "types of rhel8 for amd64\n"', r'true "types of AWS for amd64\n"', 'false ""'
    assert rows == [
        *(rhel8, rhel8, none, none, aws, aws, none),
        "rhel8 [rhel/8.*/4.18.0-305.* centos/8/4.18.0-305.*] types",
        "AWS [5.4.0-1009-aws 5.4.0-10?0-aws] types",
    ]
