"""What a builder costs: the same objects by the same clang on this host, in docker, in podman and behind ssh."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
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
    """Cold builds with a container or a connection that must start, and with one that is there."""
    tools.need(tools.clang, "apt-get", "debootstrap", "tar", "xz")
    if os.geteuid():
        raise Missing("starting engines takes root")
    sys.path[:0] = [str(ROOT / "tests" / "real"), str(ROOT / "tests")]
    import fetch

    tree = building(whole(tools, fetch.libbpf_tools() / "libbpf-tools"), "probe", peers.system(tools), (X86,))
    own = (ROOT / "build.toml").read_text(encoding="utf-8") + f'\n[toolchain]\nclang = "{tools.clang}"\n'
    with _places(tools) as places:
        cases: list[Case] = []
        for title, toml in (("libbpf-tools and this repository's", both(tools.clang)), ("this repository's", own)):
            projects = {}
            for place in places:
                root = tools.work / f"{place.name}-{len(cases)}"
                if toml is not own:
                    tree.copy(root.name, (X86,))
                for name in ("bpf", "include"):
                    shutil.copytree(ROOT / name, root / name)
                projects[place.name] = _written(tools, root, toml, place)
            cases += _cases(title, places, projects, rounds)
    return cases


def both(clang: str) -> str:
    """A `build.toml` for libbpf-tools, with this repository's programs in it."""
    own = (ROOT / "build.toml").read_text(encoding="utf-8")
    programs = re.findall(r"^\[program\..*?(?=^\[(?!program)|\Z)", own, re.MULTILINE | re.DOTALL)
    keys = r'\1\nkernels = []\ninclude = ["include"]'
    ours = re.sub(r"^(\[program\.[^]]*\])$", keys, "".join(programs), flags=re.MULTILINE)
    arches = re.search(r"^arches = (.*)$", own, re.MULTILINE)
    assert arches
    theirs = TOML.format(clang=clang, arches=arches[1])
    return f'{theirs}arches = ["{X86.go}"]\n{ours}'


def _cases(title: str, places: list[Place], projects: Mapping[str, Project], rounds: int) -> list[Case]:
    found = []
    for what, stop in (("a builder that must start", True), ("a builder that is there", False)):
        contestants = [_cold(place, projects[place.name], stop) for place in places]
        count = len(contestants[0].objects)
        name = f"cold build of {count} objects, {title}, {what}"
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
    """This host, each engine that is installed, running, and an sshd on it."""
    import engines
    from sshd import SSHD, Server

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
        if SSHD and shutil.which("rsync"):
            folder = tools.work / "sshd"
            folder.mkdir()
            server = Server(folder)
            stack.callback(server.stop)
            server.start()
            server.let_in()
            toml = f'\n[builder]\nkind = "ssh"\n[builder.ssh]\nhost = "box"\nconfig = "{folder}/config"\n'
            found.append(Place("bpfgen, ssh", toml, {}))
        if len(found) == 1:
            raise Missing("not installed: docker, podman or sshd")
        yield found


def _stop_session(root: Path) -> None:
    """Ends the project's session, and so its container or its connection."""
    note = root / "out" / ".bpfgen" / "builder.json"
    remote = json.loads(note.read_text(encoding="utf-8"))["remote"] if note.exists() else None
    if remote:
        end = ("ssh", "-S", remote["control"], "-O", "exit", "x")
        subprocess.run(end, check=False, capture_output=True)
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
