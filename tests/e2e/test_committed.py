"""`bpfgen lock` and `bpfgen verify --committed`, in real Git repositories with a real compiler."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from project import COMMON, Project

from bpfgen.cli import parse
from bpfgen.commands.generate import prepare
from bpfgen.committed.built import parse as parse_built
from bpfgen.committed.record import record
from bpfgen.errors import Failure

pytestmark = pytest.mark.real

REPOSITORY = Path(__file__).resolve().parents[2]
# Whatever the user's own Git says.
GIT = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{f"GIT_{who}_{what}": "test@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}
TOML = """\
[targets]
arches = ["amd64", "s390x"]
[program."*"]
source = "bpf/*.c"
portable = true
[go]
dir = "internal/bpf"
"""
LOCK = "bpfgen.lock"


def git(project: Project, *words: str, code: int = 0) -> str:
    done = project.run(["git", *words], code, env=GIT)
    return done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A repository with what it builds in it, and a lock."""
    # One Ninja for the tests and for `bpfgen lock`: another one may not read its log.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    made = Project(tmp_path / "p")
    for name in ("one", "two"):
        made.program(name)
    made.config(TOML)
    made.write(".gitignore", "/out/\n/build.ninja\n/compile_commands.json\n")
    made.run(["git", "init", "-q", "."], env=GIT)
    made.bpfgen("lock")
    git(made, "add", "-A")
    git(made, "commit", "-qm", "all")
    return made


def verify(project: Project, *words: str, code: int = 1) -> list[str]:
    """What it says, without hints; each error has one."""
    done = project.bpfgen("verify", "--committed", *words, code=code)
    lines = done.stderr.splitlines()
    errors = [line for line in lines if ": error: " in line]
    assert len([line for line in lines if line.startswith("  hint: ")]) == len(errors)
    return errors if code else [*errors, done.stdout.strip()]


def built(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.root / LOCK).read_text(encoding="utf-8"))["built"]
    return found


def test_what_is_recorded(project: Project) -> None:
    found = built(project)
    assert set(found["objects"]) == {f"{name}/{target}" for name in ("one", "two") for target in ("bpfel", "bpfeb")}
    one = found["objects"]["one/bpfel"]
    assert one["sources"] == ["bpf/one.c"]
    assert one["headers"] == ["include/common.h"]
    assert one["flags"] == ["-target", "bpfel", "-mcpu=v2", "-Wall", "-I", "include"]
    assert set(found["inputs"]) == {"bpf/one.c", "bpf/two.c", "include/common.h"}
    committed = git(project, "ls-files", "internal").split()
    assert sorted(found["files"]) == sorted(committed)
    assert len(committed) == 8
    assert found["toolchain"]["clang"].startswith("Debian clang version 19")


def test_nothing_drifted(project: Project) -> None:
    """Also in a fresh clone, where nothing was ever built; a second lock is the same file."""
    before = (project.root / LOCK).stat()
    assert "is up to date" in project.bpfgen("lock").stdout
    assert (project.root / LOCK).stat().st_ino == before.st_ino
    assert (project.bpfgen().stdout, project.ninja("-d", "explain")) == ("", "ninja: no work to do.\n")
    clone = Project(project.root.parent / "clone")
    shutil.rmtree(clone.root)
    git(project, "clone", "-q", ".", str(clone.root))
    for words in ((), ("--any-toolchain",), ("--rebuild",)):
        (said,) = verify(clone, *words, code=0)
        assert said.startswith("bpfgen: as bpfgen.lock has it")
    assert json.loads(clone.bpfgen("verify", "--committed", "--json").stdout) == {"ok": True, "drift": []}
    assert git(clone, "status", "--porcelain") == ""
    assert clone.bpfgen("lock").stdout.startswith("bpfgen: bpfgen.lock is up to date")
    # Nothing is left of the second build; of one that was killed, until everything goes.
    assert not list(clone.root.glob("out/.bpfgen/again-*"))
    clone.write("out/.bpfgen/again-x/obj/a.o", "")
    clone.bpfgen("clean")
    assert not (clone.root / "out").exists()


def test_edited_header(project: Project) -> None:
    project.write("include/common.h", (project.root / "include/common.h").read_text() + "\n#define MORE 1\n")
    said = "include/common.h: error: isn't what bpfgen.lock has; it is read by "
    assert verify(project) == [said + "one/bpfeb, one/bpfel, two/bpfeb and 1 more"]
    project.bpfgen("lock")
    assert git(project, "status", "--porcelain").split() == ["M", LOCK, "M", "include/common.h"]
    verify(project, code=0)


def test_edited_source(project: Project) -> None:
    """The results are as they were, so it is the source alone that is named; after a build, what came of it, too."""
    project.program("one", "int more;\n")
    source = "bpf/one.c: error: isn't what bpfgen.lock has; it is read by one/bpfeb, one/bpfel"
    assert verify(project) == [source]
    project.make()
    names = {line.partition(": error: ")[0] for line in verify(project)}
    assert {"bpf/one.c", "internal/bpf/objects/one-bpfel.o", "internal/bpf/objects/one-bpfeb.o"} < names
    assert not any("two" in name for name in names)


def test_edited_results(project: Project) -> None:
    """By hand, or by a merge."""
    folder = project.root / "internal/bpf/objects"
    with (folder / "one-bpfel.o").open("ab") as file:
        file.write(b"\0")
    (folder / "two-bpfel.o").unlink()
    (folder / "old-bpfel.o").touch()
    assert verify(project) == [
        "internal/bpf/objects/old-bpfel.o: error: is no object of bpfgen.lock",
        "internal/bpf/objects/one-bpfel.o: error: isn't what bpfgen.lock has",
        "internal/bpf/objects/two-bpfel.o: error: isn't there, and bpfgen.lock has it",
    ]


def test_edited_flags(project: Project) -> None:
    toml = project.root / "build.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text(text.replace("portable = true", 'portable = true\ndefine = { DEEP = 3 }\nmcpu = "v3"'))
    (said,) = verify(project)
    assert said.startswith("build.toml: error: one/bpfel, one/bpfeb, two/bpfel and 1 more changed: ")
    assert said.endswith("-mcpu=v3 -DDEEP=3 is new; -mcpu=v2 is gone")
    toml.write_text(text.replace('"s390x"', '"arm64"'))
    assert verify(project) == ["bpfgen.lock: error: has one/bpfeb, two/bpfeb, which build.toml doesn't make"]
    project.program("three")
    toml.write_text(text)
    assert verify(project) == ["build.toml: error: three/bpfel, three/bpfeb aren't in bpfgen.lock"]


@pytest.mark.parametrize(
    ("clang", "said", "code"), [("clang-14", "clang version 14.", 1), ("wheel", "clang version 2", 0)]
)
def test_other_toolchain(project: Project, clang: str, said: str, code: int) -> None:
    toml = project.root / "build.toml"
    toml.write_text(toml.read_text().replace("clang-19", clang))
    (line,) = verify(project)
    assert line.startswith("bpfgen.lock: error: was made by Debian clang version 19.")
    assert said in line
    verify(project, "--any-toolchain", code=0)
    # Only building tells whether it matters: for these programs it doesn't, but that clang 14 makes DWARF, and what is
    # left of such an object when it is stripped lies in another order.
    lines = verify(project, "--rebuild", "--any-toolchain", code=code)
    assert {line.partition(": error: ")[2] for line in lines if ".o: " in line} == (
        {"building it again gives another file: a loader can't tell them apart"} if code else set()
    )


def test_no_toolchain(project: Project) -> None:
    toml = project.root / "build.toml"
    toml.write_text(toml.read_text().replace("clang-19", "clang-nosuch"))
    lines = project.bpfgen("verify", "--committed", code=3).stderr
    assert "--any-toolchain" in lines
    verify(project, "--any-toolchain", code=0)


def test_lock_of_something_else(project: Project) -> None:
    """Whose words and hashes somebody has changed, or merged; only a second build finds a hash that is consistent."""
    lock = json.loads((project.root / LOCK).read_text(encoding="utf-8"))
    lock["built"]["objects"]["one/bpfel"]["sha256"] = "0" * 64
    (project.root / LOCK).write_text(json.dumps(lock), encoding="utf-8")
    verify(project, code=0)
    assert verify(project, "--rebuild") == ["bpfgen.lock: error: building one/bpfel again gives another object"]
    for text in ("<<<<<<< ours\n", "[]", '{"built": 1}', '{"built": {"objects": []}}', "[" * 100_000):
        (project.root / LOCK).write_text(text)
        (line,) = verify(project, code=3)
        assert line.startswith("bpfgen.lock: error: this file is damaged: ")
        if "built" not in text:
            assert "this file is damaged" in project.bpfgen("lock", code=3).stderr
            assert (project.root / LOCK).read_text() == text
    (project.root / LOCK).write_text('{"images": {"docker": {"a": "b"}}}')
    assert verify(project, code=3) == ["bpfgen.lock: error: says nothing of a build"]
    project.bpfgen("lock", "-v")
    assert json.loads((project.root / LOCK).read_text(encoding="utf-8"))["images"] == {"docker": {"a": "b"}}


def test_object_of_another_source(project: Project) -> None:
    """Committed with a lock that fits it: only a second build finds out, and says what differs."""
    good = {name: (project.root / name).read_bytes() for name in ("bpf/one.c", LOCK)}
    project.program("one", 'SEC("xdp") int evil(void *ctx) { return 1; }\n')
    project.bpfgen("lock")
    lock = json.loads((project.root / LOCK).read_text(encoding="utf-8"))
    lock["built"]["inputs"] = json.loads(good[LOCK])["built"]["inputs"]
    (project.root / LOCK).write_text(json.dumps(lock), encoding="utf-8")
    (project.root / "bpf/one.c").write_bytes(good["bpf/one.c"])
    verify(project, code=0)
    lines = verify(project, "--rebuild")
    assert "bpfgen.lock: error: building one/bpfel again gives another object" in lines
    (said,) = (line for line in lines if line.startswith("internal/bpf/objects/one-bpfel.o: error: "))
    assert "building it again gives another file: " in said
    assert "evil" in said or "xdp" in said


def test_every_output_is_built_again(project: Project) -> None:
    """In the source tree, with DWARF, types of a kernel, and several sources; nothing else in the tree changes."""
    project.write("types.h", "struct task { int pid; };\n")
    project.write(
        "bpf/two.c", '#include "common.h"\n#include "vmlinux.h"\nint pid(struct task *t) { return t->pid; }\n'
    )
    text = TOML.replace(
        "[go]",
        '[kernel.k]\nbtf = "types.h"\n[program.both]\nsources = ["bpf/one.c", "bpf/two.c"]\nportable = true\n[go]',
    )
    project.config(text + '[rust]\ndir = "src/bpf"\n[skeleton]\ndir = "src/skel"\narches = ["amd64"]\n')
    toml = project.root / "build.toml"
    toml.write_text(toml.read_text().replace("[compile]\n", "[compile]\nstrip = false\n"))
    project.bpfgen("lock")
    git(project, "add", "-A")
    assert {name.rpartition("/")[0] for name in built(project)["files"]} == {
        "internal/bpf",
        "internal/bpf/objects",
        "src/bpf",
        "src/bpf/objects",
        "src/skel/bpfel",
    }
    before = project.stamps()
    verify(project, "--rebuild", code=0)
    assert project.stamps() == before
    assert git(project, "status", "--porcelain") == git(project, "status", "--porcelain", "--untracked-files=no")


def test_edit_while_it_is_recorded(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is found at the end: the hash of a source that wasn't compiled would be recorded."""
    monkeypatch.chdir(project.root)
    found = prepare(parse([]))
    assert record(*found) == parse_built(built(project))
    project.program("one", "int more;\n")
    with pytest.raises(Failure, match="a file has changed since it was built"):
        record(*found)


def test_json(project: Project) -> None:
    project.program("one", "int more;\n")
    found = json.loads(project.bpfgen("verify", "--committed", "--json", code=1).stdout)
    (drift,) = found["drift"]
    assert not found["ok"]
    assert (drift["kind"], drift["file"], drift["line"]) == ("input", "bpf/one.c", 0)
    assert drift["hint"].endswith("run  bpfgen lock  and commit what it writes")


def test_headers_of_the_system_and_of_kernels(project: Project) -> None:
    """Have names that hold everywhere; a kernel's types stand for the vmlinux.h that is made of them."""
    project.write("types.h", "struct task { int pid; };\n")
    includes = "".join(f"#include {name}\n" for name in ("<linux/types.h>", "<stddef.h>", '"vmlinux.h"'))
    project.write("bpf/one.c", f"{includes}int pid(struct task *t) {{ return t->pid; }}\n")
    project.config(TOML.replace("[go]", '[kernel.k]\nupstream = "6.1"\nbtf = "types.h"\n[go]'))
    project.bpfgen("lock")
    found = built(project)
    assert {"types.h", "<include>/linux/types.h", "<clang>/include/stddef.h"} < set(found["inputs"])
    assert not any(name.startswith(("out/", "/usr")) for name in found["inputs"])
    verify(project, code=0)
    shutil.rmtree(project.root / "out")
    verify(project, code=0)
    project.write("types.h", "struct task { long pid; };\n")
    (line,) = verify(project)
    assert line.startswith("types.h: error: isn't what bpfgen.lock has; it is read by one/")


def test_usage(project: Project) -> None:
    (project.root / LOCK).rename(project.root / "kept")
    assert verify(project, code=3) == ["bpfgen.lock: error: there is no such file"]
    (project.root / "kept").rename(project.root / LOCK)
    assert "there is no kernel target" in project.bpfgen("verify", code=3).stderr
    assert "--rebuild is for --committed" in project.bpfgen("verify", "--rebuild", code=2).stderr
    assert "--baseline isn't for --committed" in project.bpfgen("verify", "--committed", "--baseline", code=2).stderr
    assert "the whole build" in project.bpfgen("lock", "--only", "one", code=2).stderr
    before = (project.root / LOCK).read_bytes()
    project.program("one", "int more;\n")
    assert project.bpfgen("lock", "--dry-run").stdout == "bpfgen: would build, then write bpfgen.lock\n"
    project.program("one", "error\n")
    assert "the build fails" in project.bpfgen("lock", code=1).stderr
    assert (project.root / LOCK).read_bytes() == before


HOOK = """#!/bin/sh
exec bpfgen verify --committed --any-toolchain
"""


def test_git_hook(project: Project) -> None:
    """Keeps a commit from being made that would be inconsistent, and lets a good one pass."""
    hook = project.write(".git/hooks/pre-commit", HOOK)
    hook.chmod(0o755)
    environment = {**GIT, "PATH": os.environ["PATH"]}
    project.program("one", "int more;\n")
    git(project, "add", "-A")
    done = project.run(["git", "commit", "-qm", "source alone"], 1, env=environment)
    assert "bpf/one.c: error: isn't what bpfgen.lock has" in done.stderr
    project.bpfgen("lock")
    git(project, "add", "-A")
    project.run(["git", "commit", "-qm", "everything"], env=environment)
    assert git(project, "status", "--porcelain") == ""


def test_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/committed.md: its project, its commands, and what they print."""
    page = (REPOSITORY / "docs/committed.md").read_text(encoding="utf-8")
    toml, console, hook = (re.search(f"```{kind}\n(.*?)```", page, re.DOTALL) for kind in ("toml", "console", "sh"))
    assert toml
    assert console
    assert hook
    assert hook[1] == HOOK
    project = Project(tmp_path)
    project.program("xdp_blocklist")
    source = project.root / "bpf/xdp_blocklist.c"
    source.write_text(source.read_text().replace('#include "common.h"', COMMON))
    project.write("build.toml", toml[1])
    project.write(".gitignore", "/out/\n/build.ninja\n/compile_commands.json\n")
    git(project, "init", "-q", ".")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    commands = re.findall(r"^\$ (.*)$", console[1], re.MULTILINE)
    script = "".join(f"printf '%s\\n' {shlex.quote('$ ' + command)}\n{command}\n" for command in commands)
    done = project.run(["sh", "-c", f"exec 2>&1\n{script}"], None, env={**GIT, "PATH": os.environ["PATH"]})
    assert done.stdout == console[1]


def test_pre_commit(project: Project) -> None:
    """The framework itself, with this repository's own hook, installed as users have it installed."""
    pre_commit = Path(sys.executable).with_name("pre-commit")
    source = project.root.parent / "bpfgen"
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=REPOSITORY, capture_output=True, check=True
    )
    for name in filter(None, names.stdout.decode().split("\0")):
        if name.startswith(("bpfgen/", "pyproject.toml", "README.md", "LICENSE", ".pre-commit")):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, source / name)
    for words in (["init", "-q", "."], ["add", "-A"], ["commit", "-qm", "all"]):
        project.run(["git", *words], env=GIT, cwd=source)
    revision = project.run(["git", "rev-parse", "HEAD"], env=GIT, cwd=source).stdout.strip()
    hooks = f"repos:\n- repo: {source}\n  rev: {revision}\n  hooks:\n  - id: bpfgen-verify\n"
    project.write(".pre-commit-config.yaml", hooks)
    git(project, "add", "-A")
    environment = {**GIT, "PRE_COMMIT_HOME": str(project.root.parent / "cache")}
    words = [str(pre_commit), "run", "--all-files"]
    assert "Passed" in project.run(words, env=environment).stdout
    project.program("two", "int more;\n")
    git(project, "add", "-A")
    said = project.run(words, 1, env=environment).stdout
    assert "bpf/two.c: error: isn't what bpfgen.lock has" in said
