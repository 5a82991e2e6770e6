"""Builds through docker and podman: the bytes of native builds, whatever is killed, and nothing left behind."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import BPFGEN, NINJA, Project

sys.path.append(str(Path(__file__).parent))
from engines import IMAGE, docker, end_dockerd, podman, start_dockerd

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(os.geteuid() != 0, reason="starts an engine, as root"),
    *(pytest.mark.skipif(not shutil.which(tool), reason=f"needs {tool}") for tool in ("dockerd", "debootstrap")),
]

REPOSITORY = Path(__file__).resolve().parents[2]
GONE_SECONDS = 60
"""Within which `docker ps -a` is as before."""
AWKWARD = "a b: c,d'é $x"
"""A folder with what shells and engines have a meaning for."""
HELPED = """\
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("xdp") int helped(struct xdp_md *context) { return context->data > bpf_get_prandom_u32() ? XDP_PASS : XDP_DROP; }
char LICENSE[] SEC("license") = "GPL";
"""
"""With libbpf's headers."""


class Built(Project):
    """The repository's own programs in a folder of their own, built by an engine."""

    def __init__(self, root: Path, kind: str, env: dict[str, str], more: str = "") -> None:
        super().__init__(root)
        self.env = env
        self.kind = kind
        for name in ("bpf", "include"):
            shutil.copytree(REPOSITORY / name, root / name, dirs_exist_ok=True)
        self.write("bpf/helped.c", HELPED)
        toml = (REPOSITORY / "build.toml").read_text(encoding="utf-8")
        toml += '[program.helped]\nsource = "bpf/helped.c"\nportable = true\n'
        builder = f'[builder]\nkind = "{kind}"\n' + (
            f'[builder.{kind}]\nimage = "{IMAGE}"\n' if kind != "native" else ""
        )
        tools = f'[toolchain]\nclang = "clang-19"\n[cache]\nlauncher = "none"\n{builder}{more}'
        self.write("build.toml", f"{toml}\n{tools}")

    def make(self) -> set[str]:
        self.bpfgen(env=self.env)
        self.ninja(env=self.env)
        return set()

    def containers(self) -> list[str]:
        """Containers of the project."""
        label = '{{.Label "bpfgen.project"}}' if self.kind == "docker" else '{{index .Labels "bpfgen.project"}}'
        words = (self.kind, "ps", "-a", "--filter=label=bpfgen.project", f"--format={{{{.ID}}}} {label}")
        rows = [line.partition(" ") for line in self.run(words, env=self.env).stdout.splitlines()]
        return [name for name, _, root in rows if root == str(self.root)]

    def session(self) -> int:
        """The session's process."""
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    words = (folder / "cmdline").read_bytes()
                    if b"bpfgen.builders.session" in words and (folder / "cwd").resolve() == self.root:
                        return int(folder.name)
                except OSError:
                    continue
        return 0

    def end_session(self) -> None:
        """Kills it, which is quicker than to wait for its end."""
        session = self.session()
        if session:
            with contextlib.suppress(ProcessLookupError):
                os.kill(session, signal.SIGKILL)

    def wait_until_gone(self) -> None:
        """Fails if a container is there `GONE_SECONDS` after the session's end, which isn't asked for meanwhile."""
        if session := self.session():
            with contextlib.suppress(ProcessLookupError):
                handle = os.pidfd_open(session)
                select.select([handle], [], [], GONE_SECONDS)
                os.close(handle)
        deadline = time.monotonic() + GONE_SECONDS
        while self.containers():
            assert time.monotonic() < deadline, self.containers()

    def started(self) -> subprocess.Popen[str]:
        """A build that has got as far as its first object."""
        self.bpfgen(env=self.env)
        ninja = subprocess.Popen((NINJA, "-v"), cwd=self.root, env=self.env, text=True, stdout=subprocess.PIPE)
        assert ninja.stdout is not None
        ninja.stdout.readline()
        return ninja


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Built:
    built = Built(tmp_path_factory.mktemp("native"), "native", dict(os.environ))
    built.make()
    return built


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with docker(tmp_path_factory.mktemp("docker")) as env:
        yield env


@pytest.fixture
def built(tmp_path: Path, engine: dict[str, str]) -> Iterator[Built]:
    project = Built(tmp_path / AWKWARD, "docker", engine)
    yield project
    project.end_session()
    project.wait_until_gone()


def test_same_bytes_and_nothing_to_do(built: Built, native: Built) -> None:
    built.make()
    assert built.objects() == native.objects() != {}
    built.wait_until_gone()
    assert built.bpfgen(env=built.env).stdout == ""
    # Where no engine is, too: nobody is asked.
    assert "no work to do" in built.ninja(env={**built.env, "DOCKER_HOST": "unix:///nowhere"})
    assert not built.containers()
    assert not built.session()


@pytest.mark.skipif(not shutil.which("podman"), reason="needs podman")
def test_same_bytes_by_podman(tmp_path_factory: pytest.TempPathFactory, native: Built) -> None:
    with podman(tmp_path_factory.mktemp("podman")) as env:
        project = Built(tmp_path_factory.mktemp("project") / AWKWARD.replace(",", ""), "podman", env)
        project.make()
        assert project.objects() == native.objects()
        project.end_session()
        project.wait_until_gone()


@pytest.mark.parametrize("victim", ["ninja", "session", "container"])
def test_killed_in_mid_build(built: Built, native: Built, victim: str) -> None:
    ninja = built.started()
    if victim == "ninja":
        ninja.kill()
    elif victim == "session":
        os.kill(built.session(), signal.SIGKILL)
    else:
        built.run(("docker", "kill", *built.containers()), env=built.env, code=None)
    ninja.communicate()
    built.ninja(env=built.env)
    assert built.objects() == native.objects()
    assert "no work to do" in built.ninja(env=built.env)
    if victim == "ninja":
        built.wait_until_gone()


def test_engine_is_killed_in_mid_build(tmp_path_factory: pytest.TempPathFactory, native: Built) -> None:
    """Without it, the build says so; with it, the next one goes on, and what was there is removed."""
    folder = tmp_path_factory.mktemp("killed")
    with docker(folder) as env:
        project = Built(tmp_path_factory.mktemp("project"), "docker", env)
        ninja = project.started()
        end_dockerd(folder, signal.SIGKILL)
        said, _ = ninja.communicate()
        assert "error: no docker engine runs at" in said
        start_dockerd(folder)
        project.ninja(env=env)
        assert project.objects() == native.objects()
        project.end_session()
        project.wait_until_gone()


def test_image_is_gone(built: Built, native: Built) -> None:
    """And back again: the build says so, and the next one asks for it."""
    built.bpfgen(env=built.env)
    found = built.run(("docker", "image", "inspect", "--format={{.Id}}", IMAGE), env=built.env).stdout.strip()
    settings = built.root / "out/.bpfgen/builder.json"
    settings.write_text(settings.read_text().replace(found, f"sha256:{'1' * 64}"))
    assert "is gone; the next ninja" in built.ninja(env=built.env, code=1)
    built.ninja(env=built.env)
    assert built.objects() == native.objects()


def test_other_flags_and_headers_rebuild(built: Built) -> None:
    """Depfiles name the image's headers where this host has them, and the project's as ever."""
    built.make()
    deps = built.ninja("-t", "deps", "out/obj/helped/bpfel.bpf.o", env=built.env)
    names = [line.strip() for line in deps.splitlines()[1:] if line.strip()]
    assert names
    assert all((built.root / name).exists() for name in names)
    assert any("out/sysroot/" in name and name.endswith("/usr/include/bpf/bpf_helpers.h") for name in names)
    assert not any(name.startswith("/usr/") for name in names)


def test_reads_nothing_outside(built: Built, tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("outside") / "secret.h"
    secret.write_text("int secret;\n")
    for path in (secret, "/proc/1/root/etc/hostname/x", "../outside.h"):
        built.write("bpf/tc_counter.c", f'#include "{path}"\n')
        built.bpfgen(env=built.env)
        assert "file not found" in built.ninja("tc_counter", env=built.env, code=1)


def test_container_is_hardened(built: Built) -> None:
    built.make()
    facts = json.loads(built.run(("docker", "inspect", *built.containers()), env=built.env).stdout)[0]
    host = facts["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert host["CapDrop"] == ["ALL"]
    assert host["ReadonlyRootfs"]
    assert host["AutoRemove"]
    assert "no-new-privileges" in host["SecurityOpt"]
    writable = {mount["Destination"] for mount in facts["Mounts"] if mount["RW"]}
    assert writable == {f"{built.root}/out"}


def test_outputs_belong_to_the_user(native: Built) -> None:
    """A plain one, in the group that may use the engine."""
    user, group = 54321, 54322
    # Not pytest's folder, into which no other user may look.
    with tempfile.TemporaryDirectory() as base, docker(Path(base), group) as env:
        Path(base).chmod(0o755)
        folder = Path(base) / "user"
        folder.mkdir()
        # Coverage would want to write its data into this checkout.
        plain = {name: value for name, value in env.items() if not name.startswith("COV")}
        project = Built(folder / "project", "docker", {**plain, "HOME": str(folder)})
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user, user)
        # The interpreter may lie in root's home: this capability lets its files be read, and nothing be written.
        reading = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
        become = ("setpriv", f"--reuid={user}", f"--regid={user}", f"--groups={group}", *reading)
        project.run((*become, *BPFGEN), env=project.env)
        project.run((*become, NINJA), env=project.env)
        assert project.objects() == native.objects()
        assert {path.stat().st_uid for path in project.root.rglob("*")} == {user}
        project.end_session()
        project.wait_until_gone()


def test_run_beside_the_build(built: Built) -> None:
    """A command in the same image: it may write the project, and its exit code and output are the command's own."""
    built.bpfgen(env=built.env)
    said = built.bpfgen("run", "--", "clang-19", "--version", env=built.env).stdout
    assert "clang version 19" in said
    built.bpfgen("run", "sh", "-c", "id -u > 'out/who am i'", env=built.env)
    assert (built.root / "out/who am i").read_text() == f"{os.getuid()}\n"
    assert built.bpfgen("run", "--", "sh", "-c", "exit 7", env=built.env, code=7)
    assert built.bpfgen("run", "--", "sh", "-c", "kill -9 $$", env=built.env, code=137)
    assert built.bpfgen("run", "no-such", env=built.env, code=127)
    assert built.bpfgen("run", "cat", env=built.env, input="piped\n").stdout == "piped\n"
    assert "Read-only" in built.bpfgen("run", "touch", "/etc/x", env=built.env, code=1).stderr
    assert not built.containers()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_run_is_ended(built: Built, how: signal.Signals) -> None:
    """With its container: at once, or by the next session where there was no time for that."""
    built.bpfgen(env=built.env)
    words = (*BPFGEN, "run", "--", "sh", "-c", "echo ready; exec sleep 100")
    with subprocess.Popen(words, cwd=built.root, env=built.env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(how)
        assert process.wait(GONE_SECONDS) == (-9 if how == signal.SIGKILL else 143)
    if how == signal.SIGKILL:
        built.bpfgen("builder", "start", env=built.env)
        built.bpfgen("builder", "stop", env=built.env)
    assert not built.containers()


def test_shell_on_a_terminal(built: Built) -> None:
    """An interrupt ends what runs there, not the shell; what is typed is kept."""
    built.bpfgen(env=built.env)
    ours, theirs = pty.openpty()
    become = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
    words = (sys.executable, "-c", become, *BPFGEN, "shell")
    shell = subprocess.Popen(
        words, cwd=built.root, env=built.env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    said = ""
    # In a process of its own from its first word on: an interrupt of bash between echo and sleep might be lost.
    sleep = b"sh -c 'echo be\"\"gun; exec sleep 100'\n"
    for wanted, typed in (("docker)", sleep), ("begun", b"\x03"), ("^C", b"exit $(($? + 1))\n")):
        while wanted not in said:
            said += os.read(ours, 10_000).decode()
        os.write(ours, typed)
    assert shell.wait(GONE_SECONDS) == 131
    os.close(ours)
    assert "sleep 100" in (built.root / "out/.bpfgen/history").read_text()


def test_session_by_hand(built: Built) -> None:
    """Started ahead, seen, and ended at once."""
    built.bpfgen(env=built.env)
    assert "doesn't run" in built.bpfgen("builder", "status", env=built.env).stdout
    built.bpfgen("builder", "start", env=built.env)
    status = json.loads(built.bpfgen("builder", "status", "--json", env=built.env).stdout)
    assert (status["kind"], status["running"], status["pid"]) == ("docker", True, built.session())
    assert [status["container"]] == built.containers()
    built.ninja(env=built.env)
    assert "the builder runs" in built.bpfgen("builder", "logs", env=built.env).stdout
    assert "has ended" in built.bpfgen("builder", "stop", env=built.env).stdout
    assert not built.session()
    assert not built.containers()


def test_other_settings_are_another_container(built: Built) -> None:
    """The first one goes at once, although the session goes on."""
    built.bpfgen(env=built.env)
    built.bpfgen("builder", "start", env=built.env)
    (first,) = built.containers()
    session = built.session()
    settings = built.root / "out/.bpfgen/builder.json"
    settings.write_text(settings.read_text() + " ")
    built.bpfgen("builder", "start", env=built.env)
    deadline = time.monotonic() + GONE_SECONDS
    while first in built.containers():
        assert time.monotonic() < deadline
    assert built.session() == session


def test_no_engine_to_start(built: Built) -> None:
    built.bpfgen(env=built.env)
    settings = built.root / "out/.bpfgen/builder.json"
    settings.write_text(settings.read_text().replace(built.env["DOCKER_HOST"], "unix:///nowhere"))
    said = built.bpfgen("builder", "start", env=built.env, code=1).stderr
    assert said.startswith("bpfgen: error: no docker engine runs at unix:///nowhere\n  hint: run ")


def test_no_engine(built: Built) -> None:
    """Says so in one line, when it generates and when it builds."""
    nowhere = {**built.env, "DOCKER_HOST": "unix:///nowhere/docker.sock"}
    said = built.bpfgen(env=nowhere, code=3).stderr
    assert "build.toml:" in said
    assert "error: no docker engine runs at unix:///nowhere/docker.sock\n  hint: run  unset DOCKER_HOST" in said


def test_no_image(built: Built) -> None:
    built.make()
    built.write("build.toml", (built.root / "build.toml").read_text().replace(IMAGE, "localhost/none:1"))
    assert 'there is no image "localhost/none:1"' in built.bpfgen(env=built.env, code=3).stderr


@pytest.mark.skipif(not shutil.which("clangd-19"), reason="needs clangd-19")
def test_editor_opens_every_source(built: Built) -> None:
    """In a mount namespace without the host's headers."""
    built.make()
    for entry in json.loads((built.root / "compile_commands.json").read_text()):
        hide = "mount -t tmpfs none /usr/include && exec clangd-19 --check=" + entry["file"]
        done = built.run(("unshare", "--mount", "sh", "-c", hide), env=built.env)
        assert "All checks completed, 0 errors" in done.stderr


def test_dockerfile_is_built_again(built: Built) -> None:
    """When it changes: then Ninja runs bpfgen, which builds it, and every object is compiled again."""
    built.write("bpf/Dockerfile", f"FROM {IMAGE}\n")
    toml = (built.root / "build.toml").read_text().replace(f'image = "{IMAGE}"', 'dockerfile = "bpf/Dockerfile"')
    built.write("build.toml", toml)
    built.make()
    before = (built.root / "out/.bpfgen/toolchain").read_text()
    assert built.bpfgen("-v", env={**built.env, "DOCKER_HOST": built.env["DOCKER_HOST"]}).returncode == 0
    built.write("bpf/Dockerfile", f"FROM {IMAGE}\nLABEL changed=1\n")
    built.ninja(env=built.env)
    assert (built.root / "out/.bpfgen/toolchain").read_text() != before
    assert len(built.compiled) > 10
    assert "no work to do" in built.ninja(env=built.env)


def test_lock_and_second_build(built: Built) -> None:
    """What the image has is named as on any host, and its digest stands for its compiler; no session is left."""
    built.bpfgen("lock", env=built.env)
    found = json.loads((built.root / "bpfgen.lock").read_text(encoding="utf-8"))
    locked = found["built"]
    assert locked["toolchain"]["image"] == found["images"]["docker"][IMAGE]
    assert "<include>/bpf/bpf_helpers.h" in locked["objects"]["helped/bpfel"]["headers"]
    assert not [name for name in locked["inputs"] if name.startswith(("/", "out/"))]
    for words in ((), ("--rebuild",)):
        assert "as bpfgen.lock has it" in built.bpfgen("verify", "--committed", *words, env=built.env).stdout
    shutil.rmtree(built.root / "out")  # the session with it
    assert "isn't there" in built.bpfgen("verify", "--committed", code=1, env=built.env).stderr
    built.wait_until_gone()
    assert not built.session()
