"""`bpfgen import make` and `bpfgen init --make`, with the real make."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from project import BPFGEN, NINJA, Project

pytestmark = pytest.mark.real

BUILD = "$(CLANG) -g -O2 -target bpf -Iinclude"
MAKEFILE = f"""\
CLANG ?= clang-19
all: out/x86.o
\t@touch ran
\t$(MAKE) -C sub
out/%.o: bpf/one.c
\t@mkdir -p out
\t{BUILD} -D__TARGET_ARCH_$* $(MORE) \\
\t\t-c $< -o $@
"""
SUB = f"""\
all:
\t@for prog in two three; do \\
\t\tcd .. && {BUILD.replace("$(CLANG)", "clang-19")} -c bpf/$$prog.c -o out/$$prog.o; \\
\t\tcd sub; \\
\tdone
"""
SETTINGS = (f"BPFGEN={' '.join(BPFGEN)}", f"NINJA={NINJA}")
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "CLANG"))}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Three programs, built by a Makefile and one below it."""
    made = Project(tmp_path / "p")
    for name in ("one", "two", "three"):
        made.program(name)
    made.write("Makefile", MAKEFILE)
    made.write("sub/Makefile", SUB)
    return made


def test_import(project: Project) -> None:
    """Targets, variables and folders below count; no recipe runs; what comes out builds."""
    said = project.bpfgen("import", "make", "all", "out/arm64.o", "MORE=-DN=1", env=ENVIRON)
    assert said.stdout == "wrote build.toml: 3 programs of 4 compiles\n"
    assert not (project.root / "ran").exists()
    assert not (project.root / "out").exists()
    text = (project.root / "build.toml").read_text(encoding="utf-8")
    one = text.partition("[program.one]\n")[2].partition("\n\n")[0]
    assert one == 'source = "bpf/one.c"\ndefine = { N = 1 }'
    assert "# Makefile:6: out/x86.o\n# Makefile:6: out/arm64.o\n" in text
    assert "# sub/Makefile:2: out/two.o\n" in text
    project.make()
    assert set(project.objects()) == {
        "one/x86_bpfel.bpf.o",
        "one/arm64_bpfel.bpf.o",
        "two/bpfel.bpf.o",
        "three/bpfel.bpf.o",
    }


def test_import_goes_on(project: Project) -> None:
    """A target that can't be made is an error, and the rest is carried over; with nothing left, nothing is written."""
    done = project.bpfgen("import", "make", "gone", "--dry-run", code=1, env=ENVIRON)
    assert "bpfgen: error: make -n: make: *** No rule to make target 'gone'" in done.stderr
    done = project.bpfgen("import", "make", "gone", "out/x86.o", code=3, env=ENVIRON)
    assert "No rule to make target 'gone'" in done.stderr
    assert done.stdout == "wrote build.toml: 1 program of 1 compile\n"
    project.remove("build.toml")
    project.write("Makefile", "all:\n\techo nothing\n")
    done = project.bpfgen("import", "make", code=3, env=ENVIRON)
    assert "none of 1 command compiles C for BPF" in done.stderr
    assert not (project.root / "build.toml").exists()


def test_front(tmp_path: Path) -> None:
    """A new project's Makefile: builds, shows, hands options on, cleans, only prints with -n."""
    project = Project(tmp_path / "new")
    project.remove("include")
    project.bpfgen("init", "--make")

    def make(*words: str, code: int = 0) -> str:
        done = project.run(("make", *SETTINGS, *words), code, env=ENVIRON)
        return done.stdout + done.stderr

    assert "-j3 -k 0" in make("-n", "-j3", "-k")
    assert not (project.root / "out").exists()
    make()
    assert project.objects()
    assert "no work to do" in make("ebpf-embed")
    project.write("include/bpf.h", (project.root / "include/bpf.h").read_text(encoding="utf-8") + "\n")
    assert "-target bpfel" in make("V=1", "ebpf-native")
    assert make("ebpf-dev", "-n") == f"{' '.join(BPFGEN)} shell\n"
    make("clean")
    assert not (project.root / "out").exists()
    project.write("include/bpf.h", "#error no\n")
    make(code=2)
    assert sys.executable in make("-n", "ebpf")


def test_front_beside_a_makefile(project: Project) -> None:
    """Somebody's Makefile stays as it is; what to write into it is said, and what it has twice."""
    project.write("build.toml", "")
    project.write("Makefile", "all: ebpf\nebpf-dev: x\n")
    said = project.bpfgen("init", "--make").stdout
    assert said.split("\n")[:-1] == [
        "wrote Makefile.bpf",
        "Makefile uses it with this line, below its first target:  include Makefile.bpf",
        "Makefile has these targets itself, so take them out: ebpf-dev",
    ]
    project.write("Makefile", "all: ebpf\n\ninclude Makefile.bpf\n")
    assert project.bpfgen("init", "--make", "--force").stdout == "wrote Makefile.bpf\n"
    assert project.bpfgen("init", "--make", code=2).stderr.startswith("Makefile.bpf: error: the file is there already")
