"""`bpfgen doctor` on this host: each broken set-up is made for real, and its hint is followed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from doctor import as_nobody, command, doctor, follow, only, wheel, without
from project import BPFGEN, Project

pytestmark = pytest.mark.real
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can hide files from a process")

ONE = '[targets]\narches = ["amd64"]\n[program.one]\nsource = "bpf/one.c"\n'


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """One program for one architecture."""
    made = Project(tmp_path / "p")
    made.program("one")
    made.config(ONE)
    return made


def clang(project: Project, words: str) -> None:
    """Says which clang is wanted."""
    text = (project.root / "build.toml").read_text(encoding="utf-8")
    project.write("build.toml", text.replace('clang = "clang-19"', words))


def include(project: Project, header: str) -> None:
    """Has the program include a header."""
    path = project.root / "bpf/one.c"
    path.write_text(f"#include <{header}>\n" + path.read_text(encoding="utf-8"), encoding="utf-8")


def test_says_what_is_used_and_why(project: Project) -> None:
    found = doctor(cwd=project.root)
    assert {row["level"] for name, row in found.items() if name != "kvm"} == {"ok"}
    assert found["clang"]["found"].endswith('(clang 19.1.7); build.toml says  clang = "clang-19"')
    assert found["builder"]["found"].startswith("native")
    assert list(found)[:6] == ["project", "builder", "clang", "headers amd64", "libbpf", "launcher"]


def test_leaves_docker_alone(project: Project) -> None:
    """On the native path its SDK isn't imported; and nothing is written."""
    words = (sys.executable, "-X", "importtime", "-m", "bpfgen", "doctor")
    before = sorted(project.root.rglob("*"))
    assert not [line for line in project.run(words).stderr.splitlines() if "docker" in line]
    assert sorted(project.root.rglob("*")) == before


def test_without_a_project(tmp_path: Path) -> None:
    """It says what a new one would get; a file that was named must be there."""
    found = doctor(cwd=tmp_path)
    assert found["project"]["level"] == "ok"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    follow(found["project"], tmp_path, env={**os.environ, "PATH": path})
    assert "1 objects" in doctor(cwd=tmp_path)["project"]["found"]
    assert doctor("-f", "other.toml", cwd=tmp_path)["project"]["level"] == "failure"


def test_broken_project(project: Project) -> None:
    """What is wrong with the file doesn't hide what else is wrong."""
    project.config('[program.one]\nsource = "bpf/nothing.c"\n')
    clang(project, 'clang = "clang-3"')
    found = doctor(cwd=project.root)
    assert "build.toml:10:10: " in found["project"]["found"]
    assert found["clang"]["level"] == "failure"


@root_only
def test_no_clang(project: Project, tmp_path: Path) -> None:
    """The hint names a package that the system has, and the wheel; each of them mends it."""
    clang(project, 'clang = "auto"')
    env = only(tmp_path / "bin")
    found = doctor(cwd=project.root, before=without(wheel(), path=env["PATH"]))
    assert found["clang"]["level"] == "failure"
    assert "clang" in follow(found["clang"], project.root)
    assert "pip install 'bpfgen[clang]'" in found["clang"]["hint"]
    assert "ziglang" in doctor(cwd=project.root, env=env)["clang"]["found"]
    env = only(tmp_path / "bin", "/usr/bin/clang-19")
    assert doctor(cwd=project.root, before=without(wheel(), path=env["PATH"]))["clang"]["level"] == "ok"


@root_only
def test_old_clang(project: Project, tmp_path: Path) -> None:
    """The package that the hint names has the version that is required."""
    clang(project, 'clang = "auto"\nrequire = ">=19"')
    before = without(wheel(), path=only(tmp_path / "bin", "/usr/bin/clang-14")["PATH"])
    found = doctor(cwd=project.root, before=before)["clang"]
    assert (found["level"], "clang 14.0" in found["found"]) == ("failure", True)
    assert "clang-19" in follow(found, project.root)
    only(tmp_path / "bin", "/usr/bin/clang-19")
    assert doctor(cwd=project.root, before=before)["clang"]["level"] == "ok"


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("clang-14", 'toolchain.require ">=19"'),
        ("gcc", "is no clang: to --version it says"),
        ("clang-3", 'there is no "clang-3"'),
        ("tools/clang", "has no BPF target"),
    ],
)
def test_another_clang_is_here(project: Project, wanted: str, says: str) -> None:
    """The hint names it, and writing that into build.toml mends it."""
    clang(project, f'clang = "{wanted}"\nrequire = ">=19"')
    # A real clang, but for what it says of its targets.
    project.write("tools/clang", '#!/bin/sh\nclang-19 "$@" | grep -v bpf\n').chmod(0o755)
    found = doctor(cwd=project.root)["clang"]
    assert (found["level"], says in found["found"]) == ("failure", True), found
    follow(found, project.root)
    assert doctor(cwd=project.root)["clang"]["level"] == "ok"
    assert project.make()


@root_only
def test_no_libbpf(project: Project) -> None:
    """Also where another header includes it."""
    project.write("include/mine.h", "#include <bpf/bpf_helpers.h>\n")
    include(project, "mine.h")
    found = doctor(cwd=project.root, before=without("/usr/include/bpf"))["libbpf"]
    assert (found["level"], "which bpf/one.c includes" in found["found"]) == ("failure", True)
    assert "libbpf-dev" in follow(found, project.root)
    assert doctor(cwd=project.root)["libbpf"]["level"] == "ok"


def test_the_wheel_sees_no_libbpf(project: Project) -> None:
    """With a copy in the project, it does; and then the program builds."""
    clang(project, 'clang = "wheel"')
    include(project, "linux/bpf.h>\n#include <bpf/bpf_helpers.h")
    project.write("include/common.h", "#define VERDICT 2\n")
    found = doctor(cwd=project.root)["libbpf"]
    assert found["level"] == "failure"
    follow(found, project.root)
    assert doctor(cwd=project.root)["libbpf"]["level"] == "ok"
    assert project.make()


@root_only
def test_no_headers_of_an_architecture(project: Project) -> None:
    """A failure where a source needs them, a warning where none does; the wheel has them."""
    project.config(ONE.replace("amd64", "s390x"))
    before = without(wheel())
    assert doctor(cwd=project.root, before=before)["headers s390x"]["level"] == "warning"
    include(project, "linux/types.h")
    found = doctor(cwd=project.root, before=before)["headers s390x"]
    assert found["level"] == "failure"
    assert "linux-libc-dev-s390x-cross" in follow(found, project.root)
    assert doctor(cwd=project.root)["headers s390x"]["level"] == "ok"
    assert project.make()


KERNEL = '[kernel.k]\nbtf = "btf/{arch}"\n'
ODD = "it's a $folder"


def test_no_bpftool(project: Project) -> None:
    """One that was named; the hint leads to the system's."""
    project.write("btf/amd64", "x")
    clang(project, 'clang = "clang-19"\nbpftool = "no-bpftool"')
    text = (project.root / "build.toml").read_text(encoding="utf-8")
    project.write("build.toml", text + KERNEL)
    found = doctor(cwd=project.root)["bpftool"]
    assert found["level"] == "failure"
    follow(found, project.root)
    assert doctor(cwd=project.root)["bpftool"]["level"] == "ok"


@pytest.mark.parametrize("says", ["echo no tool for $(uname -r) >&2; exit 2", "echo bpftool v7.1.0"])
def test_no_sound_bpftool(project: Project, says: str) -> None:
    """A script that finds no tool for the kernel that runs, as Ubuntu has it, or an old one: none is needed."""
    project.write("btf/amd64", "x")
    project.config(ONE + KERNEL)
    folder = project.write("tools/bpftool", f"#!/bin/sh\n{says}\n").parent
    (folder / "bpftool").chmod(0o755)
    found = doctor(cwd=project.root, env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"})["bpftool"]
    assert (found["level"], found["found"]) == ("ok", "bpfgen makes vmlinux.h itself")


def test_kernel_types(project: Project) -> None:
    """A missing file; the hint's command makes it, of the kernel that runs."""
    project.config(ONE + KERNEL)
    found = doctor(cwd=project.root)["kernel k amd64"]
    assert (found["level"], found["found"]) == ("failure", 'there is no file "btf/amd64"')
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        assert "of a machine with that kernel" in found["hint"]
        return
    subprocess.run(["sh", "-ec", command(found)], cwd=project.root, check=True)
    assert doctor(cwd=project.root)["kernel k amd64"]["level"] == "ok"
    project.config(ONE + KERNEL.replace("btf/", f"{ODD}/"))
    subprocess.run(["sh", "-ec", command(doctor(cwd=project.root)["kernel k amd64"])], cwd=project.root, check=True)
    assert doctor(cwd=project.root)["kernel k amd64"]["level"] == "ok"
    project.write(f"{ODD}/amd64", "")
    assert "is empty" in doctor(cwd=project.root)["kernel k amd64"]["found"]


@root_only
def test_kernel_types_that_may_not_be_read() -> None:
    """Another user's file; the hint's command is for its owner."""
    python, env = as_nobody()
    with open_folder() as folder:
        project = Project(folder)
        project.program("one")
        project.config(ONE + KERNEL)
        project.write("btf/amd64", "x").chmod(0o600)
        found = doctor(cwd=folder, python=python, env=env, user=65534)["kernel k amd64"]
        assert (found["level"], found["found"]) == ("failure", '"btf/amd64" may not be read')
        follow({**found, "hint": f"{found['hint']} && echo done"}, folder)
        assert doctor(cwd=folder, python=python, env=env, user=65534)["kernel k amd64"]["level"] == "ok"


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user can look into, which those of pytest aren't."""
    with tempfile.TemporaryDirectory(prefix="bpfgen-doctor-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


def test_no_ninja(project: Project, tmp_path: Path) -> None:
    """It is beside the interpreter, as pip puts it: the hint adds that to PATH."""
    (tmp_path / "empty").mkdir()
    env = {**os.environ, "PATH": f"{tmp_path / 'empty'}"}
    found = doctor(cwd=project.root, env=env)["ninja"]
    assert found["level"] == "failure"
    said = follow({**found, "hint": f"{found['hint']}; echo $PATH"}, project.root)
    assert doctor(cwd=project.root, env={**env, "PATH": said.strip()})["ninja"]["level"] == "ok"


def test_old_ninja(project: Project) -> None:
    """The hint's command says which folder comes first."""
    old = project.write("tools/ninja", "#!/bin/sh\necho 1.9.0\n")
    old.chmod(0o755)
    env = {**os.environ, "PATH": f"{old.parent}:{os.environ['PATH']}"}
    found = doctor(cwd=project.root, env=env)["ninja"]
    assert (found["level"], "is 1.9.0, and 1.10 or newer is needed" in found["found"]) == ("failure", True)
    change = command(found).partition(" && ")[2]  # pip has installed it: bpfgen depends on it
    path = subprocess.run(["sh", "-ec", f"{change}; echo $PATH"], check=True, capture_output=True, text=True, env=env)
    assert doctor(cwd=project.root, env={**env, "PATH": path.stdout.strip()})["ninja"]["level"] == "ok"


def test_no_launcher(project: Project) -> None:
    text = (project.root / "build.toml").read_text(encoding="utf-8")
    project.write("build.toml", text.replace('launcher = "none"', 'launcher = "no-launcher"'))
    found = doctor(cwd=project.root)["launcher"]
    assert found["level"] == "failure"
    follow({**found, "hint": found["hint"].replace('"auto"', '"auto"  below [cache]')}, project.root)
    assert doctor(cwd=project.root)["launcher"]["level"] == "ok"


def test_no_go(project: Project) -> None:
    """A warning: the package is made without it."""
    project.config(ONE + "[go]\n")
    folder = project.root / "bin"
    found = doctor(cwd=project.root, env=only(folder, "/usr/bin/clang-19"))
    assert found["go"]["level"] == "warning"


def test_quiet_and_plain(project: Project) -> None:
    """Only what is wrong; and colours where they are asked for."""
    assert "failure" not in project.run((*BPFGEN, "doctor", "-q")).stdout
    assert "\x1b[" not in project.run((*BPFGEN, "doctor")).stdout
    assert "\x1b[32mok     \x1b[0m  clang" in project.run((*BPFGEN, "doctor", "--color", "always")).stdout
