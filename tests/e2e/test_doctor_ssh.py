"""`bpfgen doctor` on ssh: a real sshd on a loopback port, with keys of the tests' own, broken in each way."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from doctor import command
from sshd import SSHD, Server

from bpfgen.config.schema import Toolchain
from bpfgen.doctor import Finding
from bpfgen.doctor.remote import check

pytestmark = [pytest.mark.real, pytest.mark.skipif(SSHD is None, reason="there is no sshd")]


def look(server: Server) -> Finding:
    """What is said of the connection."""
    return check(Toolchain(), "box", server.ssh)[0]


def follow(found: Finding) -> None:
    """Runs the hint's command."""
    words = ["sh", "-ec", command({"hint": found.hint})]
    subprocess.run(words, check=True, capture_output=True, stdin=subprocess.DEVNULL)


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
    found = look(server)
    assert (found.level, "refuses the connection" in found.found) == ("failure", True)
    server.start()
    found = look(server)
    assert (found.level, "isn't known yet" in found.found) == ("failure", True)
    subprocess.run(["sh", "-c", command({"hint": found.hint})], check=False, capture_output=True)  # no key yet: 255
    found = look(server)
    assert (found.level, "knows none of your keys" in found.found) == ("failure", True)
    make, _, copy = command({"hint": found.hint}).partition(" && ")
    subprocess.run(["sh", "-ec", f"{make} -q -N ''"], check=True)  # it would ask for a passphrase
    found = look(server)
    assert command({"hint": found.hint}) == copy == f"ssh-copy-id -F {server.folder}/config -i {server.folder}/id box"
    # What ssh-copy-id does, where there is a password.
    shutil.copy(server.folder / "id.pub", server.folder / "authorized")
    assert look(server) == Finding("ssh", "ok", "box lets us in")


@pytest.fixture
def open_server(server: Server) -> Server:
    """One that lets us in."""
    server.start()
    server.let_in()
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
    found = look(open_server)
    assert (found.level, "isn't the one of before" in found.found) == ("failure", True)
    follow(found)
    assert look(open_server).level == "ok"


def test_a_key_that_others_may_read(open_server: Server) -> None:
    (open_server.folder / "id").chmod(0o644)
    found = look(open_server)
    assert (found.level, "others may read your key" in found.found) == ("failure", True)
    follow(found)
    assert look(open_server).level == "ok"


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
