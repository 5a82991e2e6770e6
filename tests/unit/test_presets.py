"""Vagrant and Lima, neither of which runs here: programs that only print what the manuals say that these print."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bpfgen.builders import Unavailable, lima, vagrant
from bpfgen.config.schema import Config, Project
from bpfgen.config.schemabuilder import Builder, Lima, Vagrant

DATA = Path(__file__).resolve().parents[1] / "data" / "presets"
STUB = """\
#!/bin/sh
echo "$0 $*" | sed 's,.*/,,' >> calls
case "$1" in
status | list) cat {status} ;;
ssh-config | show-ssh) cat {settings} ;;
up | start) : > started ;;
esac
"""


class Tool:
    """A stub on PATH, in a project's folder."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        (root / "bin").mkdir()
        monkeypatch.setenv("PATH", f"{root / 'bin'}:{os.environ['PATH']}")

    def install(self, name: str, status: str, settings: str) -> None:
        """What it prints."""
        (self.root / "status").write_text((DATA / status).read_text())
        path = self.root / "bin" / name
        path.write_text(STUB.format(status="status", settings=DATA / settings))
        path.chmod(0o755)

    def says(self, before: str, after: str) -> None:
        """Another status."""
        path = self.root / "status"
        path.write_text(path.read_text().replace(before, after))

    def calls(self) -> list[str]:
        """The calls since the last time."""
        path = self.root / "calls"
        lines = path.read_text().splitlines()
        path.unlink()
        return lines


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    return Tool(tmp_path, monkeypatch)


def config(builder: Builder) -> Config:
    return Config(project=Project(name="x"), builder=builder)


def resolved(options: tuple[str, ...], host: str) -> list[str]:
    """What ssh itself takes from the settings."""
    said = subprocess.run(("ssh", *options, "-G", host), check=True, capture_output=True, text=True).stdout
    wanted = ("hostname ", "port ", "user ", "identityfile ", "controlpath ", "loglevel ")
    return [line for line in said.splitlines() if line.startswith(wanted)]


@pytest.mark.skipif(not shutil.which("ssh"), reason="needs ssh")
def test_vagrant(tool: Tool) -> None:
    """It is started only if it is down."""
    tool.install("vagrant", "vagrant-status.txt", "vagrant-ssh-config.txt")
    found = vagrant.login(str(tool.root), config(Builder(vagrant=Vagrant(path="/vagrant"))))
    assert tool.calls() == [
        "vagrant status --machine-readable default",
        "vagrant up default",
        "vagrant ssh-config default",
    ]
    assert (found.host, found.path) == ("default", "/vagrant")
    key = "/home/me/flywall/.vagrant/machines/default/virtualbox/private_key"
    assert sorted(resolved(found.options, found.host)) == [
        "hostname 127.0.0.1",
        f"identityfile {key}",
        "loglevel INFO",
        "port 2222",
        "user vagrant",
    ]
    tool.says("state,poweroff", "state,running")
    assert vagrant.login(str(tool.root), config(Builder())).path == ""
    assert "vagrant up default" not in tool.calls()


@pytest.mark.skipif(not shutil.which("ssh"), reason="needs ssh")
def test_lima(tool: Tool) -> None:
    tool.install("limactl", "lima-list.txt", "lima-show-ssh.txt")
    found = lima.login(str(tool.root), config(Builder(lima=Lima(instance="bpf"))))
    assert tool.calls() == [
        "limactl list --json",
        "limactl start --tty=false bpf",
        "limactl show-ssh --format=config bpf",
    ]
    assert sorted(resolved(found.options, found.host)) == [
        "hostname 127.0.0.1",
        "identityfile /home/me/.lima/_config/user",
        "loglevel INFO",
        "port 60022",
        "user me",
    ]
    tool.says("Stopped", "Running")
    lima.login(str(tool.root), config(Builder(lima=Lima(instance="bpf"))))
    assert "limactl start --tty=false bpf" not in tool.calls()


def test_what_is_wrong(tool: Tool) -> None:
    root = str(tool.root)
    tool.install("vagrant", "vagrant-status.txt", "vagrant-ssh-config.txt")
    tool.install("limactl", "lima-list.txt", "lima-show-ssh.txt")
    with pytest.raises(Unavailable, match='lima has no instance "none"\n  hint: limactl create --name=none'):
        lima.login(root, config(Builder(lima=Lima(instance="none"))))
    (tool.root / "status").write_text("[]\n")
    with pytest.raises(Unavailable, match="what isn't understood"):
        lima.login(root, config(Builder()))
    with pytest.raises(Unavailable, match='vagrant knows no machine "none"'):
        vagrant.login(root, config(Builder(vagrant=Vagrant(machine="none"))))
    (tool.root / "bin" / "vagrant").write_text("#!/bin/sh\necho no provider >&2; exit 3\n")
    with pytest.raises(Unavailable, match="vagrant status --machine-readable default: no provider"):
        vagrant.login(root, config(Builder()))


def test_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="there is no vagrant\n  hint: install Vagrant"):
        vagrant.login(str(tmp_path), config(Builder()))
    with pytest.raises(Unavailable, match="there is no limactl\n  hint: install Lima"):
        lima.login(str(tmp_path), config(Builder()))
