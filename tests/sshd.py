"""A real sshd on a loopback port, with keys of the tests' own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
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

    def start(self, within: Sequence[str] = (), *more: str) -> None:
        """Until it listens; `within` are words that run it, `more` its options."""
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)  # where it goes to be harmless
        options = [f"HostKey={self.folder}/host", f"AuthorizedKeysFile={self.folder}/authorized", "PidFile=none"]
        options += [f"ListenAddress=127.0.0.1:{self.port}", "StrictModes=no", "UsePAM=no", "PasswordAuthentication=no"]
        options += more
        words = [
            *within,
            str(SSHD),
            "-D",
            "-e",
            "-f",
            "/dev/null",
            *(word for option in options for word in ("-o", option)),
        ]
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

    def let_in(self) -> None:
        """Has it know the key, and ssh the host's; it runs."""
        keygen(self.folder / "id")
        shutil.copy(self.folder / "id.pub", self.folder / "authorized")
        words = (*self.ssh, "-o", "StrictHostKeyChecking=accept-new", "box", "true")
        subprocess.run(words, check=True, capture_output=True)


def free_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


def answers(port: int) -> bool:
    """Whether somebody does."""
    with socket.socket() as made:
        # Where nobody listens yet, a socket can get the very port that it asks for, and then answers itself.
        return made.connect_ex(("127.0.0.1", port)) == 0 and made.getsockname() != made.getpeername()


def keygen(path: Path) -> None:
    """Makes a key without a passphrase."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
