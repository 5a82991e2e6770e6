"""The examples of cilium/ebpf, against bpf2go and the very lines of their `//go:generate`."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.measure import Broken, Command, Contestant, compare, run
from benchmarks.ours import Project
from benchmarks.results import Case, case
from benchmarks.tools import ROOT, Tools
from benchmarks.workloads.edits import idle

TITLE = "Examples of cilium/ebpf"
LINE = re.compile(r"^//go:generate go tool bpf2go (.*)$", re.MULTILINE)
# amd64 and s390x stand for their byte orders: bpf2go's own targets are bpfel and bpfeb. -mcpu=v1 is bpf2go's default.
HEAD = """\
[project]
name = "cilium-ebpf-examples"
[toolchain]
clang = "{clang}"
[compile]
cflags = []
include = ["examples/headers"]
mcpu = "v1"
[targets]
arches = ["amd64", "s390x"]
[go]
package = "programs"
"""


@dataclass(frozen=True)
class Line:
    """What bpf2go is asked for in one example."""

    folder: str
    words: tuple[str, ...]

    @property
    def targets(self) -> tuple[str, ...]:
        """`-target`, or what bpf2go takes without it."""
        if "-target" not in self.words:
            return ("bpfel", "bpfeb")
        return tuple(self.words[self.words.index("-target") + 1].split(","))

    @property
    def source(self) -> str:
        """The C file, the last word before the flags for clang."""
        return self.words[self.words.index("--") - 1]


def measure(tools: Tools, rounds: int) -> list[Case]:
    """Cold build and no-op."""
    tools.need("go", tools.clang, tools.strip)
    sys.path.insert(0, str(ROOT / "tests" / "real"))
    import fetch

    module = fetch.cilium_examples()
    env = {**tools.environment(), "GOBIN": str(tools.work)}
    run(Command(("go", "install", f"github.com/cilium/ebpf/cmd/bpf2go@{fetch.EBPF}"), tools.work, env))
    serial = bpf2go(tools, module, "bpf2go", 1)
    peers = [serial]
    if tools.jobs > 1:
        peers.append(bpf2go(tools, module, f"bpf2go, {tools.jobs} at once", tools.jobs))
    project = Project(tools, _copy(module, tools.work / "bpfgen")).write(toml(tools, module))
    whole = project.cold("bpfgen, with manifest and Go package")
    objects = replace(project, root=_copy(module, tools.work / "bpfgen-objects")).write(toml(tools, module))
    times = compare([*peers, whole, objects.cold("bpfgen, only objects", True)], rounds)
    count = len(serial.objects)
    if len(whole.objects) != count:
        raise Broken(f"bpf2go makes {count} objects, and bpfgen {len(whole.objects)}")
    # bpf2go builds everything again, always.
    steady = idle(Contestant("bpfgen", project.build(), whole.objects))
    return [
        case(f"cold build of {count} objects", serial.name, times, note="bpf2go makes typed Go bindings, bpfgen none."),
        case("nothing changed", serial.name, compare([*peers, steady], rounds)),
    ]


def lines(module: Path) -> list[Line]:
    """Every `//go:generate` of the examples that runs bpf2go."""
    files = sorted((module / "examples").glob("*/*.go"))
    found = [(file.parent.name, match) for file in files for match in LINE.findall(file.read_text(encoding="utf-8"))]
    return [Line(folder, tuple(shlex.split(words))) for folder, words in found]


def bpf2go(tools: Tools, module: Path, name: str, jobs: int) -> Contestant:
    """bpf2go itself, without the `go tool` around it; one after the other as `go generate` does it, or several at
    once.
    """
    root = _copy(module, tools.work / f"bpf2go-{jobs}")
    script, objects = [], {}
    for line in lines(module):
        script.append(f"cd examples/{line.folder} && exec {shlex.join((str(tools.work / 'bpf2go'), *line.words))}")
        for target in line.targets:
            stem = {"amd64": "x86_bpfel"}.get(target, target)
            objects[f"{line.folder}/{stem}"] = root / "examples" / line.folder / f"bpf_{stem}.o"
    (root / "lines").write_text("\n".join(script) + "\n", encoding="utf-8")
    env = {
        **tools.environment(),
        "GOPACKAGE": "main",
        "BPF2GO_CC": tools.clang,
        "BPF2GO_STRIP": tools.strip,
    }
    # -d keeps xargs from reading quotes.
    argv = ("xargs", "-a", "lines", "-d", "\\n", "-P", str(jobs), "-I", "{}", "sh", "-c", "{}")

    def clean() -> None:
        for path in root.glob("examples/*/bpf_*bpfe[lb].*"):
            path.unlink()

    return Contestant(name, (Command(argv, root, env),), objects, clean)


def toml(tools: Tools, module: Path) -> str:
    """A `build.toml` for the same objects: one for each byte order, or for an architecture where the line says so."""
    text = [HEAD.format(clang=tools.clang)]
    for line in lines(module):
        text.append(f'[program.{line.folder}]\nsource = "examples/{line.folder}/{line.source}"\n')
        text.append('arches = ["amd64"]\n' if line.targets == ("amd64",) else "portable = true\n")
    return "".join(text)


def _copy(module: Path, root: Path) -> Path:
    # Go's module cache is read-only, and so would be a copy with modes.
    shutil.copytree(module / "examples", root / "examples", copy_function=shutil.copyfile)
    return root
