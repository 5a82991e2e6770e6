"""What must not go wrong when everything around does: kills, races, full disks, odd places and odd users."""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from project import BPFGEN, NINJA, Project, waits_for_lock

pytestmark = pytest.mark.real

ONE = '[targets]\narches = ["amd64"]\n[program.one]\nsource = "bpf/one.c"\n[go]\n'
BOTH = ONE + '[program.two]\nsource = "bpf/two.c"\n'


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """One program, not generated yet; a second is there."""
    made = Project(tmp_path / "p")
    made.program("one")
    made.program("two")
    made.config(ONE)
    return made


def whole(project: Project) -> None:
    """Checks that every file that bpfgen writes is whole."""
    for name in ("compile_commands.json", "out/manifest.json", "out/.bpfgen/plan.json"):
        path = project.root / name
        if path.exists():
            json.loads(path.read_text(encoding="utf-8"))
    ninja = project.root / "build.ninja"
    assert not ninja.exists() or ninja.read_text(encoding="utf-8").endswith("default all\n")


def ends_well(project: Project, programs: set[str], rest: bool = True) -> None:
    """Checks that Ninja, then both commands, bring exactly these programs and come to rest."""
    project.ninja()
    project.make()
    assert {name.split("/")[0] for name in project.objects()} == programs
    assert not [name for name in project.stamps() if name.endswith(".tmp")]
    assert not rest or project.idle()


def test_killed_at_any_moment(project: Project) -> None:
    project.make()
    chance = random.Random(1)
    for turn in range(30):
        project.config(BOTH if turn % 2 else ONE)
        # A run takes about 150 ms; no outcome depends on how far it gets.
        run = subprocess.Popen(BPFGEN, cwd=project.root, stdout=subprocess.DEVNULL)
        try:
            run.wait(chance.uniform(0, 0.15))
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()
        whole(project)
    ends_well(project, {"one", "two"})


@pytest.mark.parametrize("command", ["bpfgen", "bpfgen && ninja"])
def test_two_at_once(project: Project, command: str) -> None:
    project.make()
    script = command.replace("bpfgen", f'"{sys.executable}" -m bpfgen').replace("ninja", f'"{NINJA}"')
    for turn in range(4):
        runs = []
        for text in (ONE, BOTH) if turn % 2 else (BOTH, ONE):
            project.config(text)
            runs.append(subprocess.Popen(["sh", "-c", script], cwd=project.root, stdout=subprocess.DEVNULL))
        codes = [run.wait() for run in runs]
        assert command != "bpfgen" or codes == [0, 0]
        whole(project)
        # Two Ninjas spoil each other's .ninja_deps, and Ninja 1.13 compiles too much then until that file is removed:
        # the objects are right, and that is all that bpfgen can see to.
        ends_well(project, {"one"} if turn % 2 == 0 else {"one", "two"}, rest=command == "bpfgen")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB, mounted for the test."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_full_disk(small_disk: Path) -> None:
    project = Project(small_disk)
    project.program("one")
    project.config(ONE)
    left = os.statvfs(small_disk)
    (small_disk / "filler").write_bytes(bytes(left.f_bavail * left.f_bsize))
    done = project.bpfgen(code=1)
    assert done.stderr.count("\n") == 1
    assert "No space left" in done.stderr
    project.remove("filler")
    project.bpfgen()


def test_read_only_disk(small_disk: Path) -> None:
    project = Project(small_disk)
    project.program("one")
    project.config(ONE)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    done = project.bpfgen(code=1)
    assert done.stderr.count("\n") == 1
    assert "Read-only" in done.stderr


def test_full_output(project: Project) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = project.bpfgen("matrix", code=1, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("redirection", [">&-", ">&- 2>&-", "<&-", "| true", "| head -1"])
@pytest.mark.parametrize("words", ["", "matrix", "explain one", "--help", "completion bash", "oops"])
def test_closed_streams(project: Project, words: str, redirection: str) -> None:
    done = project.run(["bash", "-o", "pipefail", "-c", f'"{sys.executable}" -m bpfgen {words} {redirection}'], None)
    assert done.returncode == (2 if words == "oops" else 0), done.stderr
    assert "Exception ignored" not in done.stderr
    # argparse turns to stderr with its help when there is no stdout.
    assert words in {"oops", "--help"} or done.stderr == ""


@pytest.mark.parametrize(
    "env",
    [{"LC_ALL": "C"}, {"LC_ALL": "xx_YY.ISO-8859-1"}, {"PYTHONIOENCODING": "ascii"}],
    ids=str,
)
def test_bare_environment(tmp_path: Path, env: dict[str, str]) -> None:
    """No HOME, and locales that know no letters beyond ASCII."""
    project = Project(tmp_path / "é $x 'y' \"z\" ü", "wheel")
    project.program("ö")
    project.config('[targets]\narches = ["amd64"]\n[program."ä"]\nsource = "bpf/ö.c"\n')
    bare = {"PATH": os.environ["PATH"], **env}
    project.bpfgen(env=bare)
    project.ninja(env=bare)
    assert set(project.objects()) == {"ä/x86_bpfel.bpf.o"}
    project.bpfgen("matrix", env=bare)
    project.bpfgen("explain", "ä", env=bare)
    project.config("[program.é]\n")
    project.bpfgen(code=3, env=bare)


def test_python_that_cannot_read_the_folder(tmp_path: Path) -> None:
    project = Project(tmp_path / "é")
    project.config(ONE)
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert "is no UTF-8" in project.bpfgen(code=3, env=env).stderr


def test_folder_that_is_no_utf8(tmp_path: Path) -> None:
    project = Project(tmp_path / os.fsdecode(b"\xff"))
    project.program("one")
    project.config(ONE)
    assert "is no UTF-8" in project.bpfgen(code=3).stderr


def test_glob_finds_a_file_that_is_no_utf8(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.program("one")
    (tmp_path / "bpf" / os.fsdecode(b"\xff.c")).touch()
    project.config('[program."*"]\nsource = "bpf/*.c"\n')
    assert "can't be built" in project.bpfgen(code=3).stderr


def test_interrupted_run_says_so(project: Project) -> None:
    project.bpfgen()
    with open(project.root / "out/.bpfgen/lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        project.write("build.toml", (project.root / "build.toml").read_text(encoding="utf-8") + "# an edit\n")
        # In the background of a shell, tests inherit that interrupts are ignored.
        heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        run = subprocess.Popen(BPFGEN, cwd=project.root, stderr=subprocess.PIPE, text=True, preexec_fn=heed)  # noqa: PLW1509
        while not waits_for_lock(run.pid):  # before, Python itself would be interrupted, with its own words
            assert run.poll() is None
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate()
    assert (run.returncode, errors) == (130, "")
    whole(project)
