"""`bpfgen doctor` on ssh: a real sshd on a loopback port, with keys of the tests' own, broken in each way."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from doctor import command

from bpfgen.config.schema import Toolchain
from bpfgen.doctor import Finding
from bpfgen.doctor.remote import check

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
pytestmark = [pytest.mark.real, pytest.mark.skipif(SSHD is None, reason="there is no sshd")]
SECONDS = 30


class Server:
    """An sshd that lets in who has a key of its file `authorized`, and how ssh reaches it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.ssh = ("ssh", "-F", str(folder / "config"))
        self._process: subprocess.Popen[bytes] | None = None
        self.new_host_key()
        (folder / "authorized").touch(mode=0o600)
        rows = ["Host box", "HostName 127.0.0.1", f"Port {self.port}", "IdentitiesOnly yes", "IdentityAgent none"]
        files = [f"IdentityFile {folder}/id", f"UserKnownHostsFile {folder}/known", "GlobalKnownHostsFile /dev/null"]
        (folder / "config").write_text("\n".join([*rows, *files]) + "\n")

    def new_host_key(self) -> None:
        """Another one than before."""
        (self.folder / "host").unlink(missing_ok=True)
        keygen(self.folder / "host")

    def start(self) -> None:
        """Until it listens."""
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)  # where it goes to be harmless
        options = [f"HostKey={self.folder}/host", f"AuthorizedKeysFile={self.folder}/authorized", "PidFile=none"]
        options += [f"ListenAddress=127.0.0.1:{self.port}", "StrictModes=no", "UsePAM=no", "PasswordAuthentication=no"]
        words = [str(SSHD), "-D", "-e", "-f", "/dev/null", *(word for option in options for word in ("-o", option))]
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(words, stderr=log)
        end = time.monotonic() + SECONDS
        while not answers(self.port):
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < end

    def stop(self) -> None:
        """Ends it."""
        if self._process:
            self._process.terminate()
            self._process.wait(SECONDS)
            self._process = None

    def look(self) -> Finding:
        """What is said of the connection."""
        return check(Toolchain(), "box", self.ssh)[0]

    def follow(self, found: Finding) -> None:
        """Runs the hint's command."""
        words = ["sh", "-ec", command({"hint": found.hint})]
        subprocess.run(words, check=True, capture_output=True, stdin=subprocess.DEVNULL)


def free_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


def answers(port: int) -> bool:
    """Whether somebody does."""
    with socket.socket() as made:
        return made.connect_ex(("127.0.0.1", port)) == 0


def keygen(path: Path) -> None:
    """Makes a key without a passphrase."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """One that isn't started yet, and nothing is known of."""
    made = Server(tmp_path)
    try:
        yield made
    finally:
        made.stop()


def test_every_step_to_a_connection(server: Server) -> None:
    """Refused, a host key that isn't known, no key, a key that it doesn't know, then in: by the hints alone."""
    found = server.look()
    assert (found.level, "refuses the connection" in found.found) == ("failure", True)
    server.start()
    found = server.look()
    assert (found.level, "isn't known yet" in found.found) == ("failure", True)
    subprocess.run(["sh", "-c", command({"hint": found.hint})], check=False, capture_output=True)  # no key yet: 255
    found = server.look()
    assert (found.level, "knows none of your keys" in found.found) == ("failure", True)
    make, _, copy = command({"hint": found.hint}).partition(" && ")
    subprocess.run(["sh", "-ec", f"{make} -q -N ''"], check=True)  # it would ask for a passphrase
    found = server.look()
    assert command({"hint": found.hint}) == copy == f"ssh-copy-id -F {server.folder}/config -i {server.folder}/id box"
    # What ssh-copy-id does, where there is a password.
    shutil.copy(server.folder / "id.pub", server.folder / "authorized")
    assert server.look() == Finding("ssh", "ok", "box lets us in")


@pytest.fixture
def open_server(server: Server) -> Server:
    """One that lets us in."""
    keygen(server.folder / "id")
    shutil.copy(server.folder / "id.pub", server.folder / "authorized")
    server.start()
    words = (*server.ssh, "-o", "StrictHostKeyChecking=accept-new", "box", "true")
    subprocess.run(words, check=True, capture_output=True)
    return server


def test_what_the_host_has(open_server: Server) -> None:
    """It is this one: clang is there, and one of a version that nobody has isn't."""
    assert [row.level for row in check(Toolchain(), "box", open_server.ssh)] == ["ok", "ok", "ok"]
    found = check(Toolchain(require=">=99"), "box", open_server.ssh)[1]
    assert (found.level, 'toolchain.require is ">=99"' in found.found) == ("failure", True)
    found = check(Toolchain(clang="clang-3"), "box", open_server.ssh)[1]
    assert (found.level, found.found) == ("failure", 'box has no clang "clang-3" with the BPF target')


def test_another_host_key(open_server: Server) -> None:
    """A machine that was set up anew; the hint's command forgets the old key and takes the new one."""
    open_server.stop()
    open_server.new_host_key()
    open_server.start()
    found = open_server.look()
    assert (found.level, "isn't the one of before" in found.found) == ("failure", True)
    open_server.follow(found)
    assert open_server.look().level == "ok"


def test_a_key_that_others_may_read(open_server: Server) -> None:
    (open_server.folder / "id").chmod(0o644)
    found = open_server.look()
    assert (found.level, "others may read your key" in found.found) == ("failure", True)
    open_server.follow(found)
    assert open_server.look().level == "ok"


def test_no_such_host(server: Server) -> None:
    found = check(Toolchain(), "no-such-host.invalid", server.ssh)[0]
    assert (found.level, found.found) == ("failure", 'there is no host "no-such-host.invalid"')


def test_no_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint names a package that there is."""
    monkeypatch.setenv("PATH", str(tmp_path))
    found = check(Toolchain(), "box")[0]
    assert (found.level, found.found) == ("failure", "there is no ssh on PATH")
    monkeypatch.undo()
    subprocess.run(["sh", "-ec", command({"hint": found.hint})], check=True, capture_output=True)


def test_a_host_that_looks_like_an_option(server: Server) -> None:
    """It runs nothing."""
    touched = server.folder / "touched"
    found = check(Toolchain(), f"-oProxyCommand=touch {touched}", server.ssh)[0]
    assert (found.level, touched.exists()) == ("failure", False)
