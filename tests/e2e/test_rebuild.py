"""What Ninja builds after a change: everything that depends on it, and nothing else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from project import BPFGEN, NINJA, Project, waits_for_lock

pytestmark = pytest.mark.real

TWO = """
[targets]
arches = ["amd64", "s390x"]
[program."*"]
source = "bpf/*.c"
portable = true
[go]
"""
NINJAS = [path for path in (NINJA, "/usr/bin/ninja") if os.path.exists(path)]


@pytest.fixture
def two(tmp_path: Path) -> Project:
    """Two programs by a glob, generated and built."""
    project = Project(tmp_path)
    project.program("one")
    project.program("two")
    project.config(TWO)
    project.make()
    return project


def objects_of(built: set[str]) -> set[str]:
    """Programs whose objects were made or removed."""
    return {name.split("/")[1] for name in built if name.startswith("obj/")}


@pytest.mark.parametrize("ninja", NINJAS)
@pytest.mark.parametrize("clang", ["clang-19", "wheel"])
def test_nothing_to_do(tmp_path: Path, clang: str, ninja: str) -> None:
    project = Project(tmp_path, clang, ninja)
    project.program("one")
    project.config(TWO)
    assert {"obj/one/bpfel.bpf.o", "obj/one/bpfeb.bpf.o", "manifest.json"} <= project.make()
    assert project.idle()


def test_root_glob_settles(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.program("one")
    (tmp_path / "bpf/one.c").rename(tmp_path / "one.c")
    project.config('[program."*"]\nsource = "*.c"\n')
    project.make()
    assert project.idle()


def test_header_rebuilds_its_users(two: Project) -> None:
    two.write("include/extra.h", "")
    two.program("two", '#include "extra.h"\n')
    assert objects_of(two.built()) == set()  # the same code: the strip leaves the object alone
    two.write("include/extra.h", "int extra = 1;\n")
    built = two.built()
    assert objects_of(built) == {"two"}
    assert {unit.split("/")[0] for unit in two.compiled} == {"two"}
    assert two.idle()


def test_define_rebuilds_one_program(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.program("one")
    project.program("two")
    text = '[program.one]\nsource = "bpf/one.c"\n[program.two]\nsource = "bpf/two.c"\n'
    project.config(text)
    project.make()
    project.config(text + "define = { VERDICT = 1 }\n")
    built = project.make()
    assert objects_of(built) == {"two"}
    assert project.compiled == {"two/x86_bpfel", "two/arm64_bpfel"}


def test_glob_gains_and_loses_a_file(two: Project) -> None:
    two.program("three")
    built = two.built()
    assert objects_of(built) == {"three"}
    assert "go/three_bpfel.bpf.o" in built or any("three" in name for name in built if name.startswith("go/"))
    two.remove("bpf/three.c")
    two.ninja()
    assert not [name for name in two.stamps() if "three" in name]
    assert two.idle()


def test_removed_program_leaves_nothing(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.program("one")
    project.program("two")
    one, two = (f'[program.{name}]\nsource = "bpf/{name}.c"\n' for name in ("one", "two"))
    project.config(one + two)
    project.make()
    project.config(one)
    output = project.ninja()
    assert output.count("bpfgen:") == 1
    assert "2 gone" in output
    assert not [name for name in project.stamps() if "two" in name]
    assert not (tmp_path / "out/obj/two").exists()


def test_broken_config_keeps_the_ninja_file(two: Project) -> None:
    before = (two.root / "build.ninja").read_bytes()
    two.config(TWO + "oops = = 1\n")
    line = (two.root / "build.toml").read_text(encoding="utf-8").count("\n")
    assert f"build.toml:{line}:" in two.ninja(code=1)
    assert (two.root / "build.ninja").read_bytes() == before
    two.config(TWO)
    two.ninja()
    assert two.idle()


def test_removed_output_folder_comes_back(two: Project) -> None:
    before = two.objects()
    two.remove("out")
    two.ninja()
    assert two.objects() == before
    assert two.idle()


def test_removed_source_is_named(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.program("one")
    project.config('[program.one]\nsource = "bpf/one.c"\n')
    project.make()
    project.remove("bpf/one.c")
    assert "bpf/one.c" in project.ninja(code=1)


def test_removed_glob_folder_is_an_error_with_a_place(two: Project) -> None:
    two.remove("bpf")
    assert "build.toml:" in two.ninja(code=1)


def test_phony_targets(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.program("one")
    project.program("two")
    project.config(
        '[targets]\narches = ["amd64", "arm64"]\n[kernel.old]\nupstream = "5.10"\n[kernel.new]\nupstream = "6.1"\n'
        '[program.one]\nsource = "bpf/one.c"\n[program.two]\nsource = "bpf/two.c"\nkernels = ["new"]\n'
    )
    project.bpfgen()
    project.ninja("two")
    assert set(project.objects()) == {"two/x86_bpfel.bpf.o", "two/arm64_bpfel.bpf.o"}
    project.ninja("clean")
    assert project.stamps() == {}
    project.ninja("arm64")
    assert set(project.objects()) == {"one/arm64_bpfel.bpf.o", "two/arm64_bpfel.bpf.o"}
    project.ninja("clean")
    project.ninja("old")
    assert set(project.objects()) == {"one/x86_bpfel.bpf.o", "one/arm64_bpfel.bpf.o"}
    project.ninja("check")
    assert (tmp_path / "out/manifest.json").exists()
    project.ninja("all")
    assert project.idle()


def test_clean_leaves_the_sources_alone(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.program("one")
    project.config(TWO)
    before = sorted(tmp_path.rglob("*"))
    project.make()
    assert {".ninja_log", ".ninja_deps"} <= {path.name for path in (tmp_path / "out").iterdir()}
    assert not (tmp_path / ".ninja_log").exists()
    project.bpfgen("clean")
    assert sorted(tmp_path.rglob("*")) == before


def test_new_compiler_rebuilds_all(tmp_path: Path) -> None:
    compiler = tmp_path / "tools" / "clang"
    project = Project(tmp_path / "p", str(compiler))
    compiler.parent.mkdir()
    script = f'#!/bin/sh\nexec {shutil.which("clang-19")} "$@"\n'
    compiler.write_text(script, encoding="utf-8")
    compiler.chmod(0o755)
    project.program("one")
    project.config('[program.one]\nsource = "bpf/one.c"\n')
    project.make()
    compiler.write_text(script + "# newer\n", encoding="utf-8")
    project.built()  # plain Ninja sees it
    assert "one/x86_bpfel" in project.compiled
    other = tmp_path / "tools" / "other"
    other.write_text(script + "# the newest\n", encoding="utf-8")
    other.chmod(0o755)
    compiler.unlink()
    compiler.symlink_to(other)
    project.make()
    assert "one/x86_bpfel" in project.compiled
    assert project.idle()


def test_moved_checkout_is_generated_again(two: Project) -> None:
    moved = two.root.parent / "moved elsewhere"
    two.root.rename(moved)
    two.root = moved
    two.bpfgen()
    assert str(moved) in (moved / "compile_commands.json").read_text(encoding="utf-8")
    two.ninja()
    assert two.idle()


def test_vmlinux_header(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("bpf/one.c", '#include "vmlinux.h"\nint pid(struct task_struct *task) { return task->pid; }\n')
    shutil.copy("/sys/kernel/btf/vmlinux", tmp_path / "kernel.btf")
    project.config('[kernel.here]\nbtf = "kernel.btf"\n[targets]\narches = ["amd64"]\n'
                   '[program.one]\nsource = "bpf/one.c"\n')  # fmt: skip
    assert "vmlinux/here/amd64/vmlinux.h" in project.make()
    os.utime(tmp_path / "kernel.btf")
    assert "vmlinux/here/amd64/vmlinux.h" not in project.built()
    assert not project.compiled
    assert project.idle()


def test_edit_during_a_run_is_noticed_by_ninja(two: Project) -> None:
    """The Ninja file of a run that read an older `build.toml` is never taken for a newer one."""
    toml = two.root / "build.toml"
    old = toml.read_text(encoding="utf-8")
    # A run on the old text, held up by the lock until the new text is there and another run is done with it.
    import fcntl
    import subprocess

    two.config(TWO + "# an edit\n")
    with open(two.root / "out/.bpfgen/lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        slow = subprocess.Popen(BPFGEN, cwd=two.root, stdout=subprocess.PIPE)
        while not waits_for_lock(slow.pid):
            assert slow.poll() is None
        two.write("build.toml", old.replace("s390x", "arm64"))
    slow.communicate()
    two.ninja()
    assert set(two.objects()) == {"one/bpfel.bpf.o", "two/bpfel.bpf.o"}
    assert two.idle()


def test_named_source_goes(tmp_path: Path) -> None:
    """Plain `bpfgen` looks whether the sources that the file names are still there."""
    project = Project(tmp_path)
    project.program("one")
    project.config('[program.one]\nsource = "bpf/one.c"\n')
    project.make()
    assert project.idle()
    project.remove("bpf/one.c")
    assert 'no such file: "bpf/one.c"' in project.bpfgen(code=3).stderr


def test_clean_beside_a_file_of_that_name(two: Project) -> None:
    """`ninja clean` cleans, whatever files there are; `bpfgen clean` takes away what killed writers left."""
    two.write("clean", "")
    two.write("out/go/.bpfgen-1-1.tmp", "half")
    two.ninja("clean")
    assert two.objects() == {}
    assert not (two.root / "out/go").exists()
    assert two.make() >= {"manifest.json"}
    for ending in ("tmp", "said", "d"):
        two.write(f"out/obj/{next(iter(two.objects()))}.{ending}", "half")
    two.bpfgen("clean")
    assert not (two.root / "out").exists()


def test_output_folder_moves(two: Project) -> None:
    """When `project.out` changes, nothing stays in the old folder but what others put there."""
    two.write("out/mine.txt", "")
    text = (two.root / "build.toml").read_text(encoding="utf-8")
    two.write("build.toml", text.replace('name = "test"', 'name = "test"\nout = "built"'))
    two.bpfgen()
    two.ninja()
    assert (two.root / "built/obj/one/bpfel.bpf.o").exists()
    assert [path.name for path in (two.root / "out").rglob("*")] == ["mine.txt"]
