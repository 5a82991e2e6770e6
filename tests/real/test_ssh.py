"""Builds over ssh, by an sshd that sees nothing of this host's projects: native's bytes, whatever is killed."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from project import NINJA, Project
from sshd import SSHD, Server

from bpfgen.cc import HOW

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(os.geteuid() != 0, reason="mounts, as root"),
    *(pytest.mark.skipif(not shutil.which(tool), reason=f"needs {tool}") for tool in ("rsync", "ssh", "unshare")),
    pytest.mark.skipif(SSHD is None, reason="needs sshd"),
]

REPOSITORY = Path(__file__).resolve().parents[2]
AWKWARD = "a b: c,d'é $x"
HELPED = """\
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("xdp") int helped(struct xdp_md *context) { return context->data > bpf_get_prandom_u32() ? XDP_PASS : XDP_DROP; }
char LICENSE[] SEC("license") = "GPL";
"""
OUTSIDE = '#include <outside.h>\n#include "core.h"\nint outside = OUTSIDE;\n'

VMLINUX = "#ifndef __VMLINUX_H__\n#define __VMLINUX_H__\n\n" + "".join(
    f"struct s{number} {{\n\tint x;\n\tint y{number};\n}};\n\n" for number in range(50)
)
"""As bpftool writes it."""
REDUCED = """\
#include "vmlinux.h"
__attribute__((section("tc"), used)) int reduced(struct s7 *context) { return context->y7; }
"""


class Built(Project):
    """The repository's own programs, and some more, in a folder of their own."""

    def __init__(self, root: Path, builder: str) -> None:
        super().__init__(root)
        for name in ("bpf", "include"):
            shutil.copytree(REPOSITORY / name, root / name, dirs_exist_ok=True)
        self.write("bpf/helped.c", HELPED)
        self.write("bpf/outside.c", OUTSIDE)
        self.write("../headers/outside.h", "#define OUTSIDE 7\n")
        self.write("out/made/made.h", "#define MADE 9\n")
        self.write("bpf/made.c", "#include <made.h>\nint made = MADE;\n")
        self.write("bpf/reduced.c", REDUCED)
        self.write("types.h", f"{VMLINUX}#endif\n")
        toml = (REPOSITORY / "build.toml").read_text(encoding="utf-8")
        toml += '[kernel.other]\nbtf = "types.h"\n[program.reduced]\nsource = "bpf/reduced.c"\nportable = true\n'
        toml += 'vmlinux = "other"\n'
        toml += '[program.helped]\nsource = "bpf/helped.c"\nportable = true\n'
        toml += '[program.outside]\nsource = "bpf/outside.c"\nportable = true\ninclude = ["../headers"]\n'
        toml += '[program.made]\nsource = "bpf/made.c"\nportable = true\ninclude = ["out/made"]\n'
        self.write("build.toml", f'{toml}[toolchain]\nclang = "clang-19"\n[cache]\nlauncher = "none"\n{builder}')

    def settings(self) -> dict[str, str]:
        """What the session is told of the machine."""
        found: dict[str, str] = json.loads((self.root / "out/.bpfgen/builder.json").read_text())["remote"]
        return found

    def session(self) -> int:
        """The session's process; 0 where there is none."""
        state = json.loads(self.bpfgen("builder", "status", "--json").stdout)
        return int(state.get("pid", 0))

    def master(self) -> int:
        """ssh's process that has the connection; 0 where there is none."""
        said = self.run(("ssh", "-S", self.settings()["control"], "-O", "check", "x"), None).stderr
        return int(said.partition("pid=")[2].partition(")")[0] or 0)

    def end(self) -> None:
        """Ends both, which is quicker than to wait for it."""
        if (self.root / "out/.bpfgen/builder.json").exists():
            self.bpfgen("builder", "stop")
            self.run(("ssh", "-S", self.settings()["control"], "-O", "exit", "x"), None)

    def started(self) -> subprocess.Popen[str]:
        """A build that has got as far as its first object."""
        self.bpfgen()
        ninja = subprocess.Popen((NINJA, "-v"), cwd=self.root, text=True, stdout=subprocess.PIPE)
        assert ninja.stdout is not None
        ninja.stdout.readline()
        return ninja


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Built:
    built = Built(tmp_path_factory.mktemp("native") / "project", "")
    built.make()
    return built


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A machine with this one's compiler, and none of its projects."""
    made = Server(tmp_path_factory.mktemp("sshd"))
    yield made
    made.stop()


@pytest.fixture
def built(tmp_path: Path, server: Server) -> Iterator[Built]:
    apart(server, hidden(tmp_path))
    server.let_in()
    project = Built(tmp_path / AWKWARD, builder(server))
    yield project
    project.end()


def builder(server: Server, more: str = "") -> str:
    """The tables of `build.toml`."""
    return f'[builder]\nkind = "ssh"\n[builder.ssh]\nhost = "box"\nconfig = "{server.folder}/config"\n{more}'


def apart(server: Server, *mounts: Sequence[Path | str], options: Sequence[str] = ()) -> None:
    """Starts it where mount(8) has been run so, bpfgen's own folder is empty, and root has another home: this one has a
    shell that may change folders of PATH.
    """
    home = server.folder / "home"
    home.mkdir()
    hide = ("-t", "tmpfs", "none")
    all_mounts = [*mounts, (*hide, REPOSITORY / "bpfgen"), ("--bind", home, os.path.expanduser("~root"))]
    script = " && ".join([*(f"mount {shlex.join(map(str, mount))}" for mount in all_mounts), 'exec "$@"'])
    server.start(("unshare", "--mount", "sh", "-c", script, "sh"), *options)


def hidden(folder: Path) -> tuple[Path | str, ...]:
    """What mounts nothing over a folder."""
    return ("-t", "tmpfs", "none", folder)


def copied(server: Server) -> set[str]:
    """Files that the machine has in its cache."""
    cache = server.folder / "home" / ".cache"
    return {str(path.relative_to(cache)) for path in cache.rglob("*") if path.is_file()}


def test_same_bytes_and_nothing_to_do(built: Built, native: Built, server: Server) -> None:
    built.make()
    assert built.objects() == native.objects() != {}
    assert any(name.endswith("include/core.h") for name in copied(server))
    deps = built.ninja("-t", "deps", "out/obj/helped/bpfel.bpf.o", "out/obj/outside/bpfel.bpf.o")
    names = [line.strip() for line in deps.splitlines() if line.startswith("    ")]
    assert all((built.root / name).exists() for name in names)
    assert {"bpf/helped.c", "bpf/outside.c", "include/core.h", "../headers/outside.h"} <= set(names)
    assert any("out/sysroot/" in name and name.endswith("/usr/include/bpf/bpf_helpers.h") for name in names)
    assert not any(name.startswith("/usr/") or ".cache" in name for name in names)
    built.bpfgen()  # what was written just before the last one may have changed since
    built.end()
    server.stop()  # nobody is asked
    assert built.idle()
    assert not built.session()


def test_an_edit_is_seen_at_once(built: Built, native: Built, tmp_path: Path) -> None:
    """Exactly the users of a header are compiled again, with what it says now, in a session that runs already."""
    twin = Built(tmp_path / "native" / "twin", "")
    twin.make()
    built.make()
    session = built.session()
    for value in ("8", "9"):  # of one size, at once
        for project in (built, twin):
            project.write("../headers/outside.h", f"#define OUTSIDE {value}\n")
            project.write("include/events.h", (REPOSITORY / "include/events.h").read_text() + f"/* {value} */\n")
            project.ninja()
        assert built.compiled == twin.compiled != set()
        assert len(built.compiled) < len(native.objects())
        assert built.objects() == twin.objects()
    assert built.session() == session != 0
    for number in "78":  # a struct that a program is compiled with, and one that it isn't
        for project in (built, twin):
            types = project.root / "types.h"
            types.write_text(types.read_text().replace(f"struct s{number} {{", f"struct s{number} {{\n\tint new;"))
            project.ninja()
        assert built.compiled == twin.compiled
        assert built.objects() == twin.objects()
    how = built.root / "out/fast/obj/reduced/bpfel.bpf.o" / HOW
    assert how.read_text().startswith("reduced: ")
    (built.root / "include/events.h").unlink()
    assert "events.h' file not found" in built.ninja(code=1)


def test_a_copy_is_compared_once(built: Built, native: Built, tmp_path: Path) -> None:
    """A new session has no need of rsync where nothing has changed, but after a command that may have written there."""
    built.make()
    built.end()
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "ssh").symlink_to(str(shutil.which("ssh")))
    shutil.rmtree(built.root / "out/obj")
    built.ninja(env={**os.environ, "PATH": str(tools)})
    assert built.objects() == native.objects()
    built.bpfgen("run", "--", "sh", "-c", "echo damaged > include/core.h")
    built.end()
    shutil.rmtree(built.root / "out/obj")
    built.ninja()
    assert built.objects() == native.objects()


@pytest.mark.parametrize("victim", ["ninja", "session", "master"])
def test_killed_in_mid_build(built: Built, native: Built, victim: str) -> None:
    ninja = built.started()
    if victim == "ninja":
        ninja.kill()
    else:
        os.kill(built.session() if victim == "session" else built.master(), signal.SIGKILL)
    ninja.communicate()
    built.ninja()
    assert built.objects() == native.objects()
    assert "no work to do" in built.ninja()


def test_shared_folder(tmp_path: Path, native: Built, server: Server) -> None:
    """Of another name there; none of its sources is copied."""
    there = server.folder / "shared"
    there.mkdir()
    project = Built(tmp_path / "project", builder(server, f'path = "{there}"\n'))
    apart(server, ("--bind", project.root, there), hidden(tmp_path))
    server.let_in()
    project.make()
    assert project.objects() == native.objects()
    assert not [name for name in copied(server) if name.endswith("include/core.h")]
    project.end()


def test_what_is_wrong_is_said(tmp_path: Path, server: Server) -> None:
    """In one line, with a hint, at each step of the way to a build."""
    project = Built(tmp_path / "project", builder(server))

    def said() -> str:
        text = project.bpfgen(code=3).stderr
        assert text.startswith("build.toml:")
        assert "\n  hint: " in text
        return text

    assert "refuses the connection" in said()
    apart(server, hidden(tmp_path))
    assert "isn't known yet" in said()
    accept = (*server.ssh, "-o", "StrictHostKeyChecking=accept-new", "box", "true")
    subprocess.run(accept, check=False, capture_output=True)
    assert "knows none of your keys" in said()
    server.let_in()
    toml = (project.root / "build.toml").read_text()
    project.write("build.toml", toml.replace('"clang-19"', '"clang-3"'))
    assert "clang-3" in said()
    project.write("build.toml", toml.replace('host = "box"', 'host = "no-such-host.invalid"'))
    assert 'there is no host "no-such-host.invalid"' in said()
    project.write("build.toml", toml)
    project.make()
    project.end()
    server.stop()
    project.write("bpf/helped.c", HELPED + "\n")
    assert "refuses the connection" in project.ninja(code=1)


def test_no_rsync_there(tmp_path: Path, server: Server) -> None:
    tools = server.folder / "tools"
    tools.mkdir()
    for folder in ("/bin", "/usr/bin"):
        for path in Path(folder).iterdir():
            if path.name != "rsync":
                with contextlib.suppress(FileExistsError):
                    (tools / path.name).symlink_to(path)
    apart(server, hidden(tmp_path), options=[f"SetEnv=PATH={tools}"])
    server.let_in()
    project = Built(tmp_path / "project", builder(server))
    project.bpfgen()
    assert "error: box has no rsync\n  hint: install it there" in project.ninja(code=1)
    project.end()


def test_another_compiler_there(built: Built, native: Built) -> None:
    """The build says so, and the next one asks it."""
    built.bpfgen()
    note = built.root / "out/.bpfgen/builder.json"
    note.write_text(note.read_text().replace('"seen": "', '"seen": "/other 1 2\\n'))
    assert "the compiler of box is another one; the next ninja" in built.ninja(code=1)
    built.ninja()
    assert built.objects() == native.objects()


def test_run_there(built: Built) -> None:
    """In the copy, which is as the project is now."""
    built.make()
    built.write("include/new.h", "new\n")
    assert built.bpfgen("run", "--", "cat", "include/new.h").stdout == "new\n"
    assert built.bpfgen("run", "--", "sh", "-c", "exit 7", code=7)
    assert built.bpfgen("run", "--", "pwd").stdout.strip() == built.settings()["project"]
