"""Reduced headers in whole projects: true kernels, several targets, odd names, and builds that follow edits."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from fast_cases import HEADER
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from project import Project
from test_fast import LIBBPF, how, ways

from bpfgen.bpf.compare import differences

pytestmark = pytest.mark.real

BTF = "/sys/kernel/btf/vmlinux"
PROGRAMS = Path(__file__).parents[1] / "data" / "programs"
AWKWARD = "a $b 'c' \"d\" #e: é&(f)"


def both(tmp_path: Path, clang: str, config: str) -> tuple[Project, Project]:
    """Two folders for a project, with `fast` on and off."""
    projects = []
    for fast in (True, False):
        project = Project(tmp_path / str(fast), clang)
        project.config(config)
        toml = project.root / "build.toml"
        text = toml.read_text(encoding="utf-8")
        project.write("build.toml", text.replace("[compile]\n", f"[compile]\nfast = {str(fast).lower()}\n"))
        projects.append(project)
    return projects[0], projects[1]


def same(fast: Project, plain: Project, count: int) -> None:
    """Checks that two projects have the same objects, so many."""
    ours, theirs = fast.objects(), plain.objects()
    assert ours.keys() == theirs.keys()
    assert len(ours) == count
    assert [line for name in ours for line in differences(ours[name], theirs[name])] == []


@pytest.mark.parametrize("clang", ["clang-19", "clang-14", "wheel"])
def test_true_kernel(tmp_path: Path, clang: str) -> None:
    if not os.access(BTF, os.R_OK) or not Path(LIBBPF).is_dir():
        pytest.skip(f"no {BTF} or no {LIBBPF}")
    if clang != "wheel" and shutil.which(clang) is None:
        pytest.skip(f"{clang} is not installed")
    config = f'[kernel.here]\nbtf = "{BTF}"\n[targets]\narches = ["amd64"]\n'
    for path in sorted(PROGRAMS.glob("*.c")):
        name = path.name.partition(".")[0]
        config += f'[program.{name}]\nsource = "bpf/{path.name}"\n'
    fast, plain = both(tmp_path, clang, config)
    for project in (fast, plain):
        shutil.copytree(PROGRAMS, project.root / "bpf")
        shutil.copytree(LIBBPF, project.root / "include/bpf")
        project.make()
    same(fast, plain, 3)
    for name in ("exec", "connect", "walk"):
        kept = re.fullmatch(r"reduced: (\d+) of (\d+) declarations", how(fast, name))
        assert kept
        assert int(kept[1]) * 3 < int(kept[2])
    assert "3 objects, 3 with a reduced vmlinux.h, 0 different" in fast.bpfgen("check", "--fast").stdout


def test_kernels_architectures_and_variants(tmp_path: Path) -> None:
    """Each target has its own header, and each unit its own part of it."""
    config = (
        '[kernel.old]\nupstream = "5.10"\nbtf = "old.h"\n[kernel.new]\nupstream = "6.1"\nbtf = "{arch}.h"\n'
        '[targets]\narches = ["amd64", "s390x"]\n[program.one]\nsource = "bpf/one.c"\nper_kernel = true\n'
        'variants = { deep = { define = { DEEP = true } } }\n[program.both]\nsource = "bpf/one.c"\n'
    )
    fast, plain = both(tmp_path, "clang-19", config)
    source = """#include "vmlinux.h"
#ifdef DEEP
int f(struct task *t) { return t->mm->deep->depth; }
#else
int f(struct task *t) { return t->pid; }
#endif
"""
    for project in (fast, plain):
        project.write("bpf/one.c", source)
        project.write("old.h", HEADER.replace("\tint tgid;\n", ""))
        project.write("amd64.h", HEADER)
        project.write("s390x.h", HEADER.replace("long unsigned int start", "unsigned int start"))
        project.make()
    same(fast, plain, 10)
    said = [how_of for name in ("one", "both") for how_of in ways(fast, name)]
    assert len(said) == 10
    assert all(re.fullmatch(r"reduced: \d+ of \d+ declarations", way) for way in said)


@pytest.mark.parametrize("clang", ["clang-19", "wheel"])
def test_odd_names(tmp_path: Path, clang: str) -> None:
    quoted = json.dumps(AWKWARD, ensure_ascii=False)
    path = json.dumps(f"bpf {AWKWARD}/{AWKWARD}.c", ensure_ascii=False)
    config = f'[kernel.here]\nbtf = {json.dumps(AWKWARD + ".h", ensure_ascii=False)}\n[targets]\narches = ["amd64"]\n'
    config += f"[program.{quoted}]\nsource = {path}\ninclude = [{quoted}]\n"
    fast, plain = both(tmp_path / AWKWARD, clang, config)
    for project in (fast, plain):
        text = (project.root / "build.toml").read_text(encoding="utf-8")
        project.write("build.toml", text.replace('name = "test"', f'name = "test"\nout = {quoted}', 1))
        project.write(f"{AWKWARD}.h", HEADER)
        project.write(f"bpf {AWKWARD}/{AWKWARD}.c", f'#include "{AWKWARD.replace(chr(34), "")}.h"\nT *g;\n')
        project.write(f"{AWKWARD}/{AWKWARD.replace(chr(34), '')}.h", '#include "vmlinux.h"\n#define T struct task\n')
        project.bpfgen()
        project.ninja()
        assert "no work to do" in project.ninja()
    ours, theirs = (
        (project.root / AWKWARD / "obj" / AWKWARD / "x86_bpfel.bpf.o").read_bytes() for project in (fast, plain)
    )
    assert differences(ours, theirs) == []
    assert how(fast, AWKWARD).startswith("reduced: ")
    fast.write(f"{AWKWARD}/{AWKWARD.replace(chr(34), '')}.h", '#include "vmlinux.h"\n#define T struct other\n')
    fast.ninja()
    assert (fast.root / AWKWARD / "obj" / AWKWARD / "x86_bpfel.bpf.o").read_bytes() != ours


ONE = '[kernel.here]\nbtf = "kernel.h"\n[targets]\narches = ["amd64"]\n[program.one]\nsource = "bpf/one.c"\n'
SOURCES = {
    "plain": '#include "vmlinux.h"\n#include "own.h"\nint f(struct task *t) { return t->pid; }\n',
    "follows": '#include "vmlinux.h"\n#include "own.h"\nint f(struct task *t) { return t->mm->deep->depth; }\n',
    "macro": '#include "vmlinux.h"\n#include "own.h"\nT *g;\n',
    "pastes": '#include "vmlinux.h"\n#include "own.h"\n#define J(x, y) x##y\nstruct J(ta, sk) *g;\nT *h;\n',
    "macro_first": '#define mm memory\n#include "vmlinux.h"\n#include "own.h"\nstruct task *g;\nT *h;\n',
    "includes_more": '#include "vmlinux.h"\n#include "own.h"\n#include "more.h"\nT *g;\nMORE *h;\n',
    "without": '#include "own.h"\nint g;\n',
}
OWN = {"other": "#define T struct other\n", "cred": "#define T struct cred\n", "pointer": "#define T struct row *\n"}
MORE = {"deep": "#define MORE struct deeper\n", "value": "enum { MINE = 1 };\n#define MORE const int\n"}
KERNELS = {
    "first": HEADER,
    "second": HEADER.replace("\tint tgid;\n", "\tint tgid;\n\tint added;\n\tstruct deep *link;\n"),
    "odd": HEADER.replace("struct mm {", "struct  mm\n{"),
}
FILES = {"bpf/one.c": SOURCES, "include/own.h": OWN, "include/more.h": MORE, "kernel.h": KERNELS}
EDITS = [(file, name) for file, contents in FILES.items() for name in contents]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Project]:
    """A project to be edited, and one to be built from nothing."""
    projects = []
    for name in ("edited", "clean"):
        project = Project(tmp_path_factory.mktemp(name))
        for file, contents in FILES.items():
            project.write(file, next(iter(contents.values())))
        project.config(ONE)
        project.bpfgen()
        projects.append(project)
    return projects[0], projects[1]


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(EDITS), min_size=6, max_size=10))
@example([*EDITS, *EDITS[::-1]])
def test_edits_end_as_a_clean_build(pair: tuple[Project, Project], edits: Sequence[tuple[str, str]]) -> None:
    """After each edit, the same bytes as from an empty output folder: object, and the way that it was made."""
    edited, clean = pair
    for file, name in edits:
        for project in pair:
            project.write(file, FILES[file][name])
        for folder in ("obj", "debug", "fast", "vmlinux"):
            shutil.rmtree(clean.root / "out" / folder, ignore_errors=True)
        for project in pair:
            project.ninja()
        assert edited.objects() == clean.objects(), (file, name)
        if "vmlinux.h" in (edited.root / "bpf/one.c").read_text(encoding="utf-8"):
            assert how(edited, "one") == how(clean, "one"), (file, name)
        assert "no work to do" in edited.ninja()


def test_same_header_again_compiles_nothing(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("kernel.h", HEADER)
    project.write("bpf/one.c", SOURCES["plain"].replace('#include "own.h"\n', ""))
    project.config(ONE)
    project.make()
    os.utime(tmp_path / "kernel.h")
    assert project.built() == set()
    project.write("kernel.h", HEADER.replace("int depth", "long depth"))
    assert "obj/one/x86_bpfel.bpf.o" not in project.built()  # it reads no such member
    project.write("kernel.h", HEADER.replace("int pid", "long pid"))
    assert "obj/one/x86_bpfel.bpf.o" in project.built()


def test_another_index_is_made_again(tmp_path: Path) -> None:
    """An index of another bpfgen, or of another header, isn't used."""
    project = Project(tmp_path)
    project.write("kernel.h", HEADER)
    project.write("bpf/one.c", SOURCES["plain"].replace('#include "own.h"\n', ""))
    project.config(ONE)
    project.make()
    (index,) = tmp_path.rglob("vmlinux.index")
    made = index.read_bytes()
    project.write(str(index.relative_to(tmp_path)), "bpfgen index 0\n")
    project.write("bpf/one.c", (tmp_path / "bpf/one.c").read_text(encoding="utf-8") + "\n")
    project.ninja()
    assert index.read_bytes() == made
    assert how(project, "one").startswith("reduced: ")


def test_vanished_header(tmp_path: Path) -> None:
    """What a header that is gone leaves behind is clang's own message, once."""
    project = Project(tmp_path)
    project.write("kernel.h", HEADER)
    project.write("bpf/one.c", SOURCES["macro"])
    project.write("include/own.h", OWN["other"])
    project.config(ONE)
    project.make()
    project.remove("include/own.h")
    assert project.ninja(code=1).count("'own.h' file not found") == 1


@pytest.mark.parametrize("name", ["CPATH", "C_INCLUDE_PATH"])
def test_folders_by_the_environment(tmp_path: Path, name: str) -> None:
    fast, plain = both(tmp_path, "clang-19", ONE)
    for project in (fast, plain):
        project.write("kernel.h", HEADER)
        project.write("bpf/one.c", SOURCES["macro"])
        project.write("there/own.h", OWN["cred"])
        project.bpfgen()
        project.ninja(env={**os.environ, name: "there"})
    same(fast, plain, 1)
    assert re.match(rf"reduced: .*, by clang's preprocessor, as {name} is set", how(fast, "one"))


@pytest.mark.parametrize("folder", ["relative", "absolute"])
def test_precompiled_and_absolute(tmp_path: Path, folder: str) -> None:
    """A header that clang has precompiled, and one that a source names by its whole path."""
    fast, plain = both(tmp_path, "clang-19", ONE.replace('bpf/one.c"', 'bpf/one.c"\ncflags = ["-include", "pre.h"]'))
    for project in (fast, plain):
        project.write("kernel.h", HEADER)
        project.write("pre.h", "#define PRE struct task\n")
        project.write("include/own.h", OWN["cred"])
        own = f"{project.root}/include/own.h" if folder == "absolute" else "own.h"
        project.write("bpf/one.c", f'#include "vmlinux.h"\n#include "{own}"\nT *g;\nPRE *h;\n')
        project.bpfgen()
        line = next(line for line in project.ninja("-t", "commands").splitlines() if " -c " in line and "one.c" in line)
        flags = line.rpartition(" -include ")[0].partition(" -- ")[2].partition(" ")[2]
        project.ninja("out/vmlinux/here/amd64/vmlinux.h")
        if folder == "relative":
            project.run(["sh", "-c", f"clang-19 {flags} -fms-extensions -x c-header pre.h -o pre.h.pch"])
        project.ninja()
    same(fast, plain, 1)
    expected = r"whole: pre\.h is precompiled" if folder == "relative" else "reduced: "
    assert re.match(expected, how(fast, "one"))
