"""Why an engine doesn't answer, and the way out."""

from __future__ import annotations

import getpass
import os
import stat
import sys
from collections.abc import Mapping
from typing import Optional

from bpfgen.doctor import Finding, ask
from bpfgen.doctor.mend import as_root
from bpfgen.quote import shell_word

DEFAULT = "unix:///var/run/docker.sock"


def address(environ: Optional[Mapping[str, str]] = None) -> str:
    """Where docker's engine is: of `DOCKER_HOST`, else of the command's context, else where it always is."""
    env = os.environ if environ is None else environ
    if env.get("DOCKER_HOST"):
        return env["DOCKER_HOST"]
    said = ask(("docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"))
    return said.last if said.code == 0 and "://" in said.last else DEFAULT


def silent(kind: str, text: str, where: str) -> Finding:
    """A finding from what was said instead of an answer; `where` is the engine's address."""
    at = f" at {where}" if where else ""
    lower = text.lower()
    if "permission denied" in lower or "permissionerror" in lower:
        return Finding(kind, "failure", f"you may not open {kind}'s socket{at}", _permit(where))
    signs = ("is the docker daemon running", "no such file", "refused", "filenotfounderror", "cannot connect")
    if any(sign in lower for sign in signs):
        return Finding(kind, "failure", f"no {kind} engine runs{at}", _start(kind, where))
    reason = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it says nothing")
    return Finding(kind, "failure", f"{kind}{at} doesn't answer: {reason[:300]}", _start(kind, where))


def _start(kind: str, where: str) -> str:
    if where and where != DEFAULT and os.environ.get("DOCKER_HOST") == where:
        return "run  unset DOCKER_HOST  to use this host's engine, or start the one that it names"
    if kind == "podman":
        return "run  podman machine start  or, where there is no machine yet,  podman machine init --now"
    if sys.platform == "darwin":
        return "run  open -a Docker  and wait until it says that it runs"
    if os.path.isdir("/run/systemd/system"):  # sd_booted(3)
        return f"run  {as_root()}systemctl start docker"
    return f"run  {as_root()}dockerd &"


def _permit(where: str) -> str:
    """The hint for a socket that may not be opened: whose it is says what mends it."""
    path, user = where.partition("unix://")[2], shell_word(_user())
    again = "  and log in again"
    try:
        status = os.stat(path)
    except OSError:
        return f"run  sudo usermod -aG docker {user}{again}"
    group = _group(status.st_gid)
    if status.st_gid == 0 or not status.st_mode & stat.S_IWGRP:
        place = shell_word(path)
        change = f"groupadd -f docker && sudo chgrp docker {place} && sudo chmod g+rw {place}"
        return f"run  sudo {change} && sudo usermod -aG docker {user}{again}"
    if user in _members(group):
        return f"run  newgrp {group}  or log in again: you are in the group, and this shell isn't"
    return f"run  sudo usermod -aG {group} {user}{again}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _group(number: int) -> str:
    import grp

    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _members(group: str) -> list[str]:
    import grp

    try:
        return grp.getgrnam(group).gr_mem
    except KeyError:
        return []
