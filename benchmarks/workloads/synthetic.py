"""A project of 10,000 and of 100,000 objects: how long the Ninja file takes to make, and how long to read it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from benchmarks import handwritten, peers
from benchmarks.measure import Broken, Command, Contestant, compare, run
from benchmarks.ours import Project
from benchmarks.results import Case, case
from benchmarks.tools import Tools
from benchmarks.workloads.edits import idle
from benchmarks.workloads.tree import remove

TITLE = "Synthetic project"
# Go's name, clang's target, and a name for the hand-written file.
ARCHES = (
    ("amd64", "bpfel", "x86"),
    ("arm64", "bpfel", "arm64"),
    ("arm", "bpfel", "arm"),
    ("riscv64", "bpfel", "riscv"),
    ("ppc64le", "bpfel", "powerpc"),
    ("ppc64", "bpfeb", "powerpc"),
    ("s390x", "bpfeb", "s390"),
    ("loong64", "bpfel", "loongarch"),
    ("mips", "bpfeb", "mips"),
    ("mips64le", "bpfel", "mips64"),
)
KERNELS = (4, 5, 8, 10, 11, 12, 13, 15, 17, 19)  # minor versions of Linux 5
SOURCE = """\
#include "common.h"
SEC("xdp") int p{number}(void *ctx) {{ return XDP_PASS; }}
char LICENSE[] SEC("license") = "GPL";
"""
COMMON = """\
#define SEC(name) __attribute__((section(name), used))
#define XDP_PASS 2
"""


def measure(tools: Tools, rounds: int) -> list[Case]:
    """Generation of both sizes; no-op of the smaller one, which is built in full before."""
    tools.need(tools.clang, tools.strip)
    programs = 20 if tools.quick else 1000
    cases = [
        generation(tools, f"kernels-{len(kernels)}", programs, kernels, rounds) for kernels in (KERNELS[:1], KERNELS)
    ]
    return [*cases, no_op(tools, programs, rounds)]


def generation(tools: Tools, where: str, programs: int, kernels: tuple[int, ...], rounds: int) -> Case:
    """The time and the memory that the Ninja file takes, by bpfgen and by a script that joins strings."""
    first, again = (_project(tools, f"{where}-{name}", programs, kernels) for name in ("first", "again"))
    script = _by_hand(tools, f"{where}-script", programs, kernels)
    contestants = [
        Contestant("a script that joins strings", (script,)),
        Contestant("bpfgen, first time", (first.generate(),), prepare=first.clean),
        Contestant("bpfgen, read again", (again.generate("-q"),)),  # with an option, it reads everything
    ]
    times = compare(contestants, rounds)
    units = programs * len(ARCHES) * len(kernels)
    if len(first.plan()) != units:
        raise Broken(f"bpfgen's plan has {len(first.plan())} objects and not {units}")
    return case(f"generation, {units:,} objects", contestants[0].name, times, memory=True)


def no_op(tools: Tools, programs: int, rounds: int) -> Case:
    """Ninja with nothing to do. Both files were really built once, by the real compiler: so Ninja's logs, depfiles and
    the time stamps are what they are after a build.
    """
    project = _project(tools, "no-op", programs, KERNELS[:1])
    script = _by_hand(tools, "no-op-script", programs, KERNELS[:1])
    run(script)
    objects = {str(path): path for path in _outputs(script.folder)}
    hand = Contestant("ninja, by hand", (peers.ninja_command(tools, script.folder),), objects)
    ninja = Contestant("bpfgen's file, ninja alone", (project.ninja(),), project.objects())
    for one in (hand, ninja):
        print(f"  building {len(one.objects)} objects once: {one.name}", flush=True)
        compare([replace(one, prepare=lambda: None, exact=False, remade=frozenset())], 0)
    both = Contestant("bpfgen && ninja", project.build(), project.objects())
    times = compare([idle(hand), idle(both), idle(ninja)], rounds)
    return case(f"nothing changed, {len(objects):,} objects", hand.name, times)


def _project(tools: Tools, where: str, programs: int, kernels: tuple[int, ...]) -> Project:
    root = _sources(tools.work / where, programs)
    arches = [name for name, _, _ in ARCHES]
    text = f'[project]\nname = "synthetic"\n[toolchain]\nclang = "{tools.clang}"\n[compile]\ninclude = ["include"]\n'
    text += f'mcpu = "v2"\n[targets]\narches = {arches}\n[program."*"]\nsource = "bpf/*.c"\nper_kernel = true\n'
    text += "".join(f'[kernel.k{minor}]\nupstream = "5.{minor}"\n' for minor in kernels)
    return Project(tools, root).write(text)


def _by_hand(tools: Tools, where: str, programs: int, kernels: tuple[int, ...]) -> Command:
    arches = ",".join(f"{target}={define}" for _, target, define in ARCHES)
    versions = ",".join(f"k{minor}={minor}" for minor in kernels)
    words = (tools.clang, tools.strip, str(programs), arches, versions)
    root = _sources(tools.work / where, programs)
    return Command((sys.executable, str(handwritten.__file__), *words), root, tools.environment())


def _outputs(folder: Path) -> list[Path]:
    lines = (folder / "build.ninja").read_text(encoding="utf-8").splitlines()
    return [folder / line.split()[1].rstrip(":") for line in lines if line.startswith("build ")]


def _sources(root: Path, programs: int) -> Path:
    remove(root)
    (root / "bpf").mkdir(parents=True)
    (root / "include").mkdir()
    (root / "include" / "common.h").write_text(COMMON, encoding="utf-8")
    for number in range(programs):
        (root / "bpf" / f"p{number:05}.c").write_text(SOURCE.format(number=number), encoding="utf-8")
    return root
