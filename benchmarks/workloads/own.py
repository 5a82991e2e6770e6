"""This repository's own programs, against Ninja by hand with the same flags."""

from __future__ import annotations

import shutil
import sysconfig
from dataclasses import replace
from pathlib import Path

from benchmarks import peers
from benchmarks.measure import Contestant, compare
from benchmarks.ours import Project, by_program
from benchmarks.peers import Compile
from benchmarks.results import Case, case
from benchmarks.tools import ROOT, Tools
from benchmarks.workloads.edits import idle
from benchmarks.workloads.tree import remove

TITLE = "This repository's own programs"


def measure(tools: Tools, rounds: int) -> list[Case]:
    """Cold build and no-op."""
    tools.need(tools.clang, tools.strip)
    toml = (ROOT / "build.toml").read_text(encoding="utf-8") + f'\n[toolchain]\nclang = "{tools.clang}"\n'
    project = Project(tools, _copy(tools.work / "bpfgen")).write(toml)
    whole = Project(tools, _copy(tools.work / "bpfgen-whole")).write(toml)
    ninja = by_hand(tools, project, _copy(tools.work / "ninja"))
    ours = project.cold("bpfgen", True)
    times = compare([ninja, ours, whole.cold("bpfgen, with manifest and Go package")], rounds)
    steady = replace(ours, commands=project.build())
    return [
        case(f"cold build of {len(ninja.objects)} objects", ninja.name, times),
        case("nothing changed", ninja.name, compare([idle(ninja), idle(steady)], rounds)),
    ]


def by_hand(tools: Tools, project: Project, root: Path) -> Contestant:
    """The objects of the project's plan, from a hand-written Ninja file."""
    compiles, objects = [], {}
    for row in project.plan():
        name = row["target"]
        define = (f"-D__TARGET_ARCH_{name.rsplit('_', 1)[0]}",) if "_" in name else ()
        target = ("-target", "bpfeb" if name.endswith("bpfeb") else "bpfel", row["flags"][0])
        output = f".output/{row['id']}.bpf.o"
        compiles.append(Compile(output, tuple(row["sources"]), target, (*row["flags"][1:], *define, "-Iinclude")))
        objects[by_program(row)] = root / output
    link = tools.clang.replace("clang", "llvm-link")
    prefix = ROOT / "bpfgen" / "clang" / "license.h"  # two sources declare the licence
    # <asm/types.h> is where Debian has it; this is what people write.
    asm = ("-idirafter", f"/usr/include/{sysconfig.get_config_var('MULTIARCH')}")
    text = peers.ninja_file(replace(peers.system(tools), headers=asm), compiles, link, str(prefix))
    (root / "build.ninja").write_text(text, encoding="utf-8")
    commands = (peers.ninja_command(tools, root),)
    return Contestant("ninja, by hand", commands, objects, lambda: remove(root / ".output", *root.glob(".ninja_*")))


def _copy(root: Path) -> Path:
    for name in ("bpf", "include"):
        shutil.copytree(ROOT / name, root / name)
    return root
