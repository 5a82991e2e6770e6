"""What a container costs: the same objects by the same clang on this host, in docker and in podman."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import peers
from benchmarks.measure import Contestant, Missing, compare
from benchmarks.ours import Project
from benchmarks.peers import X86
from benchmarks.results import Case, case
from benchmarks.tools import ROOT, Tools
from benchmarks.workloads.tree import TOML, building, remove, whole

TITLE = "Builders"
BUILT = ("obj", "fast", "vmlinux", ".ninja_log", ".ninja_deps")
NOTE = "The compiler and its headers are known from an earlier build; the objects are byte for byte the native ones."


@dataclass(frozen=True)
class Place:
    """Where clang runs."""

    name: str
    toml: str
    env: Mapping[str, str]
    """Variables by which the engine is found."""


def measure(tools: Tools, rounds: int) -> list[Case]:
    """Cold builds with a container that must start, and with one that is there."""
    tools.need(tools.clang, "apt-get", "debootstrap", "tar", "xz")
    if os.geteuid():
        raise Missing("starting engines takes root")
    sys.path.insert(0, str(ROOT / "tests" / "real"))
    import fetch

    tree = building(whole(tools, fetch.libbpf_tools() / "libbpf-tools"), "probe", peers.system(tools), (X86,))
    own = (ROOT / "build.toml").read_text(encoding="utf-8") + f'\n[toolchain]\nclang = "{tools.clang}"\n'
    theirs = TOML.format(clang=tools.clang, arches=[X86.go])
    with _places(tools) as places:
        cases: list[Case] = []
        for title, toml in (("this repository's programs", own), ("libbpf-tools", theirs)):
            projects = {}
            for place in places:
                root = tools.work / f"{place.name}-{len(cases)}"
                if toml is theirs:
                    root = tree.copy(root.name, (X86,))
                else:
                    for name in ("bpf", "include"):
                        shutil.copytree(ROOT / name, root / name)
                projects[place.name] = _written(tools, root, toml, place)
            cases += _cases(title, places, projects, rounds)
    return cases


def _cases(title: str, places: list[Place], projects: Mapping[str, Project], rounds: int) -> list[Case]:
    found = []
    for what, stop in (("a container that must start", True), ("a container that is there", False)):
        contestants = [_cold(place, projects[place.name], stop) for place in places]
        count = len(contestants[0].objects)
        name = f"{title}, cold build of {count} objects, {what}"
        found.append(case(name, "native", compare(contestants, rounds), note=NOTE))
    _compare_bytes(contestants)
    return found


def _cold(place: Place, project: Project, stop: bool) -> Contestant:
    def prepare() -> None:
        remove(*(project.root / "out" / name for name in BUILT))
        if stop:
            _stop_session(project.root)

    command = project.ninja("objects")
    command = replace(command, env={**command.env, **place.env})
    return Contestant(place.name, (command,), project.objects(), prepare)


def _written(tools: Tools, root: Path, toml: str, place: Place) -> Project:
    os.environ.update(place.env)  # for `bpfgen`, which asks the engine
    return Project(tools, root).write(toml + place.toml)


@contextmanager
def _places(tools: Tools) -> Iterator[list[Place]]:
    """This host, and each engine that is installed, running."""
    import engines

    with ExitStack() as stack:
        found = [Place("native", "", {})]
        for name, needed, start in (("docker", "dockerd", engines.docker), ("podman", "podman", engines.podman)):
            if shutil.which(needed):
                folder = tools.work / f"engine-{name}"
                folder.mkdir()
                env = stack.enter_context(start(folder))
                own = {key: value for key, value in env.items() if os.environ.get(key) != value}
                toml = f'\n[builder]\nkind = "{name}"\n[builder.{name}]\nimage = "{engines.IMAGE}"\n'
                found.append(Place(f"bpfgen, {name}", toml, own))
        if len(found) == 1:
            raise Missing("not installed: docker or podman")
        yield found


def _stop_session(root: Path) -> None:
    """Ends the project's session, and so its container."""
    for folder in Path("/proc").iterdir():
        try:
            ours = folder.name.isdigit() and b"bpfgen.builders.session" in (folder / "cmdline").read_bytes()
            if ours and (folder / "cwd").resolve() == root.resolve():
                os.kill(int(folder.name), signal.SIGTERM)
        except OSError:
            continue
    time.sleep(1)  # the engine removes the container


def _compare_bytes(contestants: list[Contestant]) -> None:
    """Raises `Missing` unless every contestant made the same files."""
    first, *others = contestants
    for other in others:
        unlike = [name for name, path in first.objects.items() if path.read_bytes() != other.objects[name].read_bytes()]
        if unlike:
            raise Missing(f"{other.name} makes other objects: {unlike[:5]}")
