"""A builder behind ssh: whether it lets us in, and what it has."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from bpfgen.config.schema import Toolchain
from bpfgen.doctor import Finding, ask, inside
from bpfgen.doctor.mend import install
from bpfgen.quote import shell_word

# No question is asked, of a password or of a key.
OPTIONS = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=10")


def check(toolchain: Toolchain, host: str, command: Sequence[str] = ("ssh",)) -> list[Finding]:
    """Logs in with `command`, words that may have options of their own, and looks around."""
    script = f"sh -c {shell_word(inside.script(toolchain, '', None))}"
    said = ask((*command, *OPTIONS, "--", host, script))
    if said.code is None and "No such file" in said.text:
        return [Finding("ssh", "failure", "there is no ssh on PATH", install("ssh"))]
    if said.text.splitlines()[-1:] == ["end"]:
        mend = "install there what  bpfgen init --docker  writes into a Dockerfile"
        return [Finding("ssh", "ok", f"{host} lets us in"), *inside.findings(toolchain, host, said.text, mend)]
    return [refused(said.text, host, command)]


def refused(text: str, host: str, command: Sequence[str]) -> Finding:
    """Why ssh, which said `text`, made no connection."""
    settings = _settings(host, command)
    at = f"{settings.get('hostname', host)} port {settings.get('port', '22')}"
    for sign, found, hint in (
        ("Connection refused", f"{at} refuses the connection: no ssh server runs there", _start()),
        ("HAS CHANGED", f"the key of {at} isn't the one of before", _forget(host, command, settings)),
        ("Host key verification failed", f"the key of {at} isn't known yet", f"run  {_accept(host, command)}"),
        ("UNPROTECTED PRIVATE KEY", "others may read your key, so ssh doesn't use it", _protect(text)),
        ("Permission denied", f"{at} doesn't let {settings.get('user', 'you')} in: it knows none of your keys", ""),
        ("Could not resolve", f'there is no host "{host}"', "write  HostName ADDRESS  below its Host in ~/.ssh/config"),
        ("timed out", f"{at} doesn't answer", "see whether it runs, and whether a firewall stands between"),
    ):
        if sign in text:
            return Finding("ssh", "failure", found, hint or _key(host, command, settings))
    last = (text.strip().splitlines() or ["it says nothing"])[-1]
    return Finding("ssh", "failure", f"{host}: {last[:300]}", f"run  {_words(command)} -v {host}  to see more")


def _settings(host: str, command: Sequence[str]) -> dict[str, str]:
    """ssh's settings for a host, the first value of each; `ssh -G` connects to nothing (ssh(1))."""
    rows = [line.partition(" ")[::2] for line in ask((*command, "-G", "--", host)).text.splitlines()]
    return dict(reversed(rows))


def _words(command: Sequence[str]) -> str:
    return " ".join(map(shell_word, command))


def _start() -> str:
    return "run  sudo systemctl start ssh  on that machine, or write its  Port  into ~/.ssh/config"


def _accept(host: str, command: Sequence[str]) -> str:
    return f"{_words(command)} -o StrictHostKeyChecking=accept-new {host} true"


def _forget(host: str, command: Sequence[str], settings: dict[str, str]) -> str:
    name, port = settings.get("hostname", host), settings.get("port", "22")
    known = settings.get("userknownhostsfile", "~/.ssh/known_hosts").split()[0]
    place = shell_word(name if port == "22" else f"[{name}]:{port}")
    remove = f"ssh-keygen -f {shell_word(os.path.expanduser(known))} -R {place}"
    return f"run  {remove} && {_accept(host, command)}  if the machine was set up anew; else someone stands between"


def _protect(text: str) -> str:
    named = re.search(r"Permissions \d+ for '([^']+)'", text)
    return f"run  chmod 600 {shell_word(named[1]) if named else '~/.ssh/id_*'}"


def _key(host: str, command: Sequence[str], settings: dict[str, str]) -> str:
    """`ssh-copy-id` has ssh's own options -o, -i and -F, and asks for a password."""
    identity = os.path.expanduser(settings.get("identityfile", "~/.ssh/id_ed25519"))
    standard = [os.path.expanduser(f"~/.ssh/id_{name}") for name in ("ed25519", "ecdsa", "rsa")]
    have = next((path for path in (identity, *standard) if os.path.exists(path)), "")
    copy = f"ssh-copy-id {_words([*command[1:], '-i', have or identity])} {host}"
    return f"run  {copy}" if have else f"run  ssh-keygen -t ed25519 -f {shell_word(identity)} && {copy}"
