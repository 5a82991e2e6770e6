"""The examples of cilium/ebpf, against bpf2go and the very lines of their `//go:generate`."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.measure import Broken, Command, Contestant, Missing, compare, run
from benchmarks.ours import Project
from benchmarks.peers import from_wheel
from benchmarks.results import Case, case
from benchmarks.tools import ROOT, Tools
from benchmarks.workloads.edits import idle

TITLE = "Examples of cilium/ebpf"
LINE = re.compile(r"^//go:generate go tool bpf2go (.*)$", re.MULTILINE)
NOTE = "The same objects and the same Go files, by a build.toml that `bpfgen import bpf2go` made; bpfgen included."


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
    serial = bpf2go(tools, module, "bpf2go", 1, tools.clang)
    peers = [serial]
    if tools.jobs > 1:
        peers.append(bpf2go(tools, module, f"bpf2go, {tools.jobs} at once", tools.jobs, tools.clang))
    whole = bpfgen(tools, module, "bpfgen, with the manifest", tools.clang)
    goal = [str(path.relative_to(whole.commands[0].folder).with_suffix(".go")) for path in whole.objects.values()]
    ours = bpfgen(tools, module, "bpfgen", tools.clang, *goal)
    wheel = by_wheel(tools, module, goal)
    times = compare([*peers, ours, whole, *wheel], rounds)
    _compare_text(serial, ours)
    title = f"cold build of {len(serial.objects)} objects with Go bindings"
    own = [one.name for one in wheel]
    cases = [case(title, serial.name, {name: one for name, one in times.items() if name not in own}, note=NOTE)]
    if wheel:
        _compare_text(*wheel)
        title += " by the wheel's clang"
        with_system = {name: times[name] for name in (serial.name, *own)}
        cases.append(
            case(title, serial.name, with_system, note="The peer is bpf2go as it comes, with the system's clang.")
        )
        cases.append(case(f"{title}, like for like", own[0], {name: times[name] for name in own}))
    # bpf2go builds everything again, always.
    nothing = compare([*peers, idle(replace(whole, name="bpfgen"))], rounds)
    return [*cases, case("nothing changed", serial.name, nothing)]


def by_wheel(tools: Tools, module: Path, goal: list[str]) -> list[Contestant]:
    """bpf2go and bpfgen, both with the compiler that pip installs; nobody where it isn't there."""
    try:
        compiler = from_wheel(tools)
    except Missing as missing:
        print(f"  {missing}: no cases with its clang")
        return []
    # bpf2go takes a compiler of one word.
    script = tools.work / "wheel-clang"
    script.write_text(f'#!/bin/sh\nexec {shlex.join((*compiler.command, *compiler.headers))} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    theirs = bpf2go(tools, module, "bpf2go, the wheel's clang", 1, str(script))
    return [theirs, bpfgen(tools, module, "bpfgen, the wheel's clang", "wheel", *goal)]


def lines(module: Path) -> list[Line]:
    """Every `//go:generate` of the examples that runs bpf2go."""
    files = sorted((module / "examples").glob("*/*.go"))
    found = [(file.parent.name, match) for file in files for match in LINE.findall(file.read_text(encoding="utf-8"))]
    return [Line(folder, tuple(shlex.split(words))) for folder, words in found]


def bpf2go(tools: Tools, module: Path, name: str, jobs: int, clang: str) -> Contestant:
    """bpf2go itself, without the `go tool` around it; one after the other as `go generate` does it, or several at
    once.
    """
    root = _copy(module, tools.work, name)
    script = [
        f"cd examples/{line.folder} && exec {shlex.join((str(tools.work / 'bpf2go'), *line.words))}"
        for line in lines(module)
    ]
    (root / "lines").write_text("\n".join(script) + "\n", encoding="utf-8")
    env = {
        **tools.environment(),
        "GOPACKAGE": "main",
        "BPF2GO_CC": clang,
        "BPF2GO_STRIP": tools.strip,
    }
    # -d keeps xargs from reading quotes.
    argv = ("xargs", "-a", "lines", "-d", "\\n", "-P", str(jobs), "-I", "{}", "sh", "-c", "{}")

    return Contestant(name, (Command(argv, root, env),), _objects(module, root), lambda: _clean(root))


def bpfgen(tools: Tools, module: Path, name: str, clang: str, *goal: str) -> Contestant:
    """bpfgen, with the `build.toml` that it makes of these lines; it makes the goal, or all."""
    root = _copy(module, tools.work, name)
    project = Project(tools, root)
    run(project.generate("import", "bpf2go"))
    text = (root / "build.toml").read_text(encoding="utf-8")
    project.write(f'{text}\n[toolchain]\nclang = "{clang}"\n')

    def clean() -> None:
        project.clean()
        _clean(root)

    return Contestant(name, (project.generate(), project.ninja(*goal)), _objects(module, root), clean)


def _objects(module: Path, root: Path) -> dict[str, Path]:
    """The objects that bpf2go makes, by example and target, in a copy of the module."""
    found = {}
    for line in lines(module):
        for target in line.targets:
            stem = {"amd64": "x86_bpfel"}.get(target, target)
            found[f"{line.folder}/{stem}"] = root / "examples" / line.folder / f"bpf_{stem}.o"
    return found


def _clean(root: Path) -> None:
    for path in root.glob("examples/*/bpf_*bpfe[lb].*"):
        path.unlink()


def _compare_text(theirs: Contestant, ours: Contestant) -> None:
    """Raises `Broken` unless both made the same Go files, but for the first line."""
    for name, path in theirs.objects.items():
        texts = (each.with_suffix(".go").read_text(encoding="utf-8") for each in (path, ours.objects[name]))
        first, second = (text.partition("\n")[2] for text in texts)
        if first != second:
            raise Broken(f"bpfgen's {name}.go is another one")


def _copy(module: Path, work: Path, name: str) -> Path:
    root = work / f"of {name}"
    # Go's module cache is read-only, and so would be a copy with modes.
    shutil.copytree(module / "examples", root / "examples", copy_function=shutil.copyfile)
    return root
