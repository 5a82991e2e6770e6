"""What comes out of a build: the same bytes everywhere, nothing of the machine, and objects that the kernel takes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from project import Project

from bpfgen.bpf.elf import read_object

pytestmark = pytest.mark.real

REPOSITORY = Path(__file__).resolve().parents[2]
BPFTOOL = shutil.which("bpftool", path=os.environ["PATH"] + ":/usr/sbin") or "bpftool"
MAP = """\
struct { int (*type)[1]; int (*max_entries)[4]; unsigned *key; unsigned long *value; } NAME SEC(".maps");
int NAME_total;
"""


@pytest.mark.parametrize("clang", ["clang-19", "wheel"])
def test_two_checkouts_give_the_same_bytes(tmp_path: Path, clang: str) -> None:
    roots = [tmp_path / "a", tmp_path / "another = folder" / "it's $HOME #1 é"]
    results = []
    for root in roots:
        project = Project(root, clang)
        project.write("bpf/one.c", '#include <linux/types.h>\n#include <asm/errno.h>\n#include "common.h"\n'
                      'const char *file = __FILE__;\n' + MAP.replace("NAME", "hits"))  # fmt: skip
        project.program("two")
        project.config(
            '[targets]\narches = ["amd64", "arm64"]\n'
            '[program.one]\nsource = "bpf/one.c"\n[program.both]\nsources = ["bpf/one.c", "bpf/two.c"]\n'
        )
        project.make()
        stripped = project.objects()
        toml = root / "build.toml"
        toml.write_text(toml.read_text(encoding="utf-8").replace("[compile]", "[compile]\nstrip = false"), "utf-8")
        project.make()
        debug = project.objects()
        assert all(len(debug[name]) > len(data) for name, data in stripped.items())
        for data in (*debug.values(), *stripped.values()):
            found = [text for text in (str(root), str(tmp_path), "/usr/", "/ziglang/") if text.encode() in data]
            assert not found
        results.append((stripped, debug))
    assert results[0] == results[1]


@pytest.mark.parametrize("clang", ["clang-14", "clang-19", "wheel"])
def test_sources_are_linked_into_one_object(tmp_path: Path, clang: str) -> None:
    if clang.startswith("clang") and not shutil.which(clang):
        pytest.fail(f"{clang} is not installed")
    project = Project(tmp_path, clang)
    project.program("one", MAP.replace("NAME", "first") + "extern int second_total;\n"
                    'SEC("xdp") int shared(void *ctx) { return second_total + first_total; }\n')  # fmt: skip
    project.program("two", MAP.replace("NAME", "second"))
    project.config(
        '[targets]\narches = ["amd64"]\n[program.both]\nsources = ["bpf/one.c", "bpf/two.c"]\n'
        '[program.one]\nsource = "bpf/two.c"\n'
    )
    project.make()
    ours = tmp_path / "out/obj/both/x86_bpfel.bpf.o"
    info = read_object(ours.read_bytes(), "ours")
    assert info.license == "GPL"
    assert {program.name for program in info.programs} == {"one", "two", "shared"}
    assert {"first", "second"} <= {row.name for row in info.maps}
    loads(ours)
    for name in ("one", "two"):
        subprocess.run([clang, "-target", "bpfel", "-mcpu=v2", "-O2", "-g", "-Iinclude", "-c", f"bpf/{name}.c",
                        "-o", f"{name}.o"], cwd=tmp_path, check=True) if clang != "wheel" else None  # fmt: skip
    if clang == "wheel":
        return
    subprocess.run([BPFTOOL, "gen", "object", "theirs.o", "one.o", "two.o"], cwd=tmp_path, check=True)
    theirs = read_object((tmp_path / "theirs.o").read_bytes(), "theirs")
    assert info.license == theirs.license
    assert {p.name for p in info.programs} == {p.name for p in theirs.programs}
    assert {row.name for row in info.maps} == {row.name for row in theirs.maps}


def loads(path: Path) -> None:
    """Checks that the running kernel takes every program of an object."""
    pins = Path("/sys/fs/bpf") / f"bpfgen-test-{os.getpid()}"
    try:
        done = subprocess.run(
            [BPFTOOL, "prog", "loadall", path, pins], capture_output=True, text=True, errors="replace", check=False
        )
        assert done.returncode == 0, f"{path}: {done.stderr[-3000:]}"
    finally:
        for pin in pins.glob("*"):
            pin.unlink()
        if pins.exists():
            pins.rmdir()


@pytest.mark.parametrize("clang", ["clang-19", "wheel"])
def test_foreign_architecture_has_its_own_headers(tmp_path: Path, clang: str) -> None:
    project = Project(tmp_path, clang)
    project.write("bpf/regs.c", "#include <asm/ptrace.h>\nint size = sizeof(struct user_pt_regs);\n")
    project.config('[targets]\narches = ["arm64"]\n[program.regs]\nsource = "bpf/regs.c"\n')
    assert "obj/regs/arm64_bpfel.bpf.o" in project.make()


AWKWARD = "a $b 'c' \"d\" #e: é&(f)"
GO_TEST = """\
package programs
import "testing"
func TestAll(t *testing.T) {
	data, err := LoadProgram(NAME)
	if err != nil || len(data) == 0 { t.Fatal(err) }
}
"""


@pytest.mark.parametrize("clang", ["clang-19", "wheel"])
def test_awkward_names_all_the_way(tmp_path: Path, clang: str) -> None:
    project = Project(tmp_path / AWKWARD, clang)
    quoted = json.dumps(AWKWARD, ensure_ascii=False)
    source = '#include "in side.h"\nchar text[] = TEXT;\nint one = ONE;\n'
    project.write(f"bpf {AWKWARD}/{AWKWARD}.c", source)
    project.write("bpf/-x.c", source)
    project.write("bpf/@y.c", source.replace("text", "other").replace(" one", " two"))
    project.write(f"-include {AWKWARD}/in side.h", "#define ONE 1\n")
    project.config(
        '[targets]\narches = ["amd64"]\n[go]\n'
        f"[program.{quoted}]\nsource = {json.dumps(f'bpf {AWKWARD}/{AWKWARD}.c', ensure_ascii=False)}\n"
        '[program.many]\nsources = ["bpf/-x.c", "bpf/@y.c"]\n'
    )
    toml = project.root / "build.toml"
    text = toml.read_text(encoding="utf-8")
    folder = json.dumps(f"-include {AWKWARD}", ensure_ascii=False)
    define = json.dumps(json.dumps(AWKWARD, ensure_ascii=False), ensure_ascii=False)
    text = text.replace('include = ["include"]', f"include = [{folder}]\ndefine = {{ TEXT = {define} }}\n"
                        f"cflags = [{json.dumps('-DUNUSED=' + AWKWARD, ensure_ascii=False)}]")  # fmt: skip
    toml.write_text(text, encoding="utf-8")
    project.make()
    assert project.idle()
    objects = project.objects()
    assert {name.split("/")[0] for name in objects} == {AWKWARD, "many"}
    assert all(AWKWARD.encode() + b"\0" in data for data in objects.values())
    manifest = json.loads((project.root / "out/manifest.json").read_text(encoding="utf-8"))
    assert {entry["program"] for entry in manifest["objects"]} == {AWKWARD, "many"}
    go = project.root / "out/go"
    (go / "go.mod").write_text("module example.org/test\n", encoding="utf-8")
    (go / "all_test.go").write_text(GO_TEST.replace("NAME", json.dumps(AWKWARD, ensure_ascii=False)), encoding="utf-8")
    project.run(["go", "test", "./..."], cwd=go, env={**os.environ, "GOFLAGS": "-mod=mod", "GOARCH": "amd64"})
    project.write(f"-include {AWKWARD}/in side.h", "#define ONE 2\n")
    assert len([name for name in project.built() if name.startswith("obj/")]) == 2


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the repository's own programs."""
    root = tmp_path_factory.mktemp("repository")
    for name in ("bpf", "include"):
        shutil.copytree(REPOSITORY / name, root / name)
    project = Project(root)
    (root / "include/common.h").unlink()
    shutil.copy(REPOSITORY / "build.toml", root)
    return project


@pytest.mark.parametrize("clang", ["clang-19", "wheel"])
def test_own_programs_load_and_open_in_an_editor(repository: Project, clang: str) -> None:
    toml = (REPOSITORY / "build.toml").read_text(encoding="utf-8")
    repository.write("build.toml", f'{toml}\n[toolchain]\nclang = "{clang}"\n')
    repository.make()
    objects = repository.objects()
    for name in objects:
        if "bpfel" in name and "arm64" not in name:
            loads(repository.root / "out/obj" / name)
    sources = sorted(repository.root.glob("bpf/**/*.c"))
    headers = sorted(repository.root.glob("include/*.h"))
    assert sources
    for path in (*sources, *headers):
        words = ["clangd-19", f"--check={path}", "--log=error", "--tweaks=ExpandMacro"]
        done = subprocess.run(words, cwd=repository.root, capture_output=True, text=True, errors="replace", check=False)
        assert done.returncode == 0, f"{path}: {done.stderr[-3000:]}"
