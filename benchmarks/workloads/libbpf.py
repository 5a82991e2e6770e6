"""libbpf-tools, against make with its own rule, and against hand-written Ninja."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace

from benchmarks import peers
from benchmarks.measure import Contestant, Missing, compare
from benchmarks.peers import ARM64, S390, X86, Compiler
from benchmarks.results import Case, case
from benchmarks.tools import ROOT, Tools
from benchmarks.workloads.edits import edits
from benchmarks.workloads.tree import HEADERS, Tree, building, naming, whole

TITLE = "libbpf-tools"
ARCHES = (X86, ARM64, S390)


def measure(tools: Tools, rounds: int) -> list[Case]:
    """Every case of this part."""
    tools.need("make", tools.clang, tools.strip, "apt-get", "tar", "xz")
    if not HEADERS.is_dir():
        raise Missing("not installed: libbpf's headers")
    sys.path.insert(0, str(ROOT / "tests" / "real"))
    import fetch

    tree = whole(tools, fetch.libbpf_tools() / "libbpf-tools")
    tree = building(tree, "probe", peers.system(tools), (X86,))
    return [*one_arch(tree, rounds), *by_wheel(tree, rounds), three_arches(tree, rounds)]


def one_arch(tree: Tree, rounds: int) -> list[Case]:
    """Cold builds, edits and no-op, for x86 and the system's clang."""
    make, ninja = tree.make("make", peers.system(tree.tools)), tree.ninja("ninja")
    project = tree.bpfgen("bpfgen")
    ours = project.cold("bpfgen", True, naming)
    everything = tree.bpfgen("bpfgen-whole").cold("bpfgen, with the manifest", naming=naming)
    cached = warm(tree)
    times = compare([make, ninja, ours, everything, *variants(tree), *cached], rounds)
    title = f"cold build of {len(tree.programs)} programs"
    names = [one.name for one in cached]
    cases = [case(title, make.name, {name: one for name, one in times.items() if name not in names})]
    if cached:
        names.insert(0, make.name)
        cases.append(case(f"{title}, with a warm ccache", make.name, {name: times[name] for name in names}))
    # For edits, the complete build stands beside the like-for-like one, each in its own folder.
    # After an edit of a source, Ninja alone does it: bpfgen's file says when bpfgen must run.
    alone = replace(ours, name="bpfgen's file, ninja alone", commands=ours.commands[1:])
    return [*cases, *edits(make, ninja, (alone, ours, everything), rounds)]


def variants(tree: Tree) -> list[Contestant]:
    """What the cold build costs with other settings, where this bpfgen has them."""
    found = []
    if "fast" in tree.tools.features:
        found.append(tree.bpfgen("bpfgen-slow", fast=False).cold("bpfgen, fast = false", True, naming))
    if "launcher" in tree.tools.features and shutil.which("ccache"):
        empty = tree.bpfgen("bpfgen-empty", launcher="ccache")
        found.append(empty.cold("bpfgen, empty ccache", True, naming, forget_ccache=True))
    return found


def warm(tree: Tree) -> list[Contestant]:
    """Contestants with a ccache of their own each, which the round that doesn't count fills."""
    if shutil.which("ccache") is None:
        return []
    system = peers.system(tree.tools)
    compiler = Compiler(("ccache", *system.command), system.strip)
    found = [replace(tree.make("make-warm", compiler, ccache=True), name="make, warm ccache")]
    if "launcher" in tree.tools.features:
        found.append(tree.bpfgen("bpfgen-warm", launcher="ccache").cold("bpfgen, warm ccache", True, naming))
    return found


def by_wheel(tree: Tree, rounds: int) -> list[Case]:
    """Cold builds by the wheel's clang, against make with the system's, and with the same."""
    try:
        compiler = peers.from_wheel(tree.tools)
    except Missing as missing:
        print(f"  {missing}: no cases with its clang")
        return []
    tree = building(tree, "probe-wheel", compiler, (X86,))
    old = tree.make("make-system", peers.system(tree.tools))
    new = replace(tree.make("make-wheel", compiler), name="make, the wheel's clang")
    ours = tree.bpfgen("bpfgen-wheel", clang="wheel").cold("bpfgen, the wheel's clang", True, naming)
    times = compare([old, new, ours], rounds)
    title = f"cold build of {len(tree.programs)} programs by the wheel's clang"
    same = {name: one for name, one in times.items() if name != old.name}
    return [case(title, old.name, times), case(f"{title}, like for like", new.name, same)]


def three_arches(tree: Tree, rounds: int) -> Case:
    """A cold build for three architectures, of the programs that plain clang builds for all of them."""
    tree = building(tree, "probe-three", peers.system(tree.tools), ARCHES)
    make, ninja = tree.make("make-three", peers.system(tree.tools), ARCHES), tree.ninja("ninja-three", ARCHES)
    ours = tree.bpfgen("bpfgen-three", ARCHES).cold("bpfgen", True, naming)
    names = ", ".join(arch.kernel for arch in ARCHES)
    return case(
        f"cold build of {len(tree.programs)} programs for {names}", make.name, compare([make, ninja, ours], rounds)
    )
