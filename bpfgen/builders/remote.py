"""A machine behind ssh: where the project is there, and what its compilers say."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import socket

from bpfgen.builders import Unavailable, machine, ssh
from bpfgen.builders.compiler import HEADERS, MARK, Place, ask, shared
from bpfgen.builders.settings import Remote, Settings
from bpfgen.config.schema import Config
from bpfgen.quote import shell_word
from bpfgen.toolchain import Cache, Clang, names_in_shell, wheel_file

LOOKED_AT = (HEADERS, f"{HEADERS}/bpf", f"{HEADERS}/linux", f"{HEADERS}/asm-generic")
"""Folders whose time says that a package of headers was installed or upgraded."""


def find(root: str, config: Config, kind: str, cache: Cache) -> Place:
    """The machine, started and asked if it must be; raises Unavailable."""
    login: ssh.Login = machine(kind).login(root, config)
    words, control = ssh.connection(login)

    def output(script: str) -> bytes:
        return ssh.output(words, login.host, script)

    home, path = _home(output, login)
    look = _look(names_in_shell(path or root, config.toolchain.clang))
    seen = output(look).decode(errors="replace")
    key = f"{kind} {login.host} {login.options} {config.toolchain.clang} {seen}"
    answers = cache.get(key)
    if answers is None or set(answers) != {"headers", "clangs"}:
        answers = cache[key] = ask(output, path or root, config.toolchain.clang, login.host)
    own = hashlib.sha256(f"{socket.gethostname()} {root}".encode(errors="surrogateescape")).hexdigest()[:16]
    base = f"{home}/.cache/bpfgen/{own}"
    out = config.project.out.rstrip("/")
    remote = Remote(
        name=login.host,
        connection=words,
        host=login.host,
        control=control,
        base=base,
        project=path or f"{base}/x{root}",  # so that a path with `..` leads to what it leads to here
        copied=not path,
        out=out,
        mapped=_mapped(),
        look=look,
        seen=seen,
    )
    version = hashlib.sha256(f"{login.host} {login.options} {seen}".encode()).hexdigest()
    settings = Settings(
        kind, login.host, "", root, shared(root, config), (), "", f"{out}/sysroot/{version[:12]}", remote
    )
    return Place(settings, f"{login.host} {version}", (), answers, output)


def _home(output: ssh.Output, login: ssh.Login) -> tuple[str, str]:
    """The home folder there, and the project's if it is shared; absolute."""
    said = output(f'echo; echo "{MARK}home"; pwd -P; cd {shell_word(login.path or ".")} && echo there && pwd -P')
    lines = said.decode(errors="surrogateescape").partition(f"{MARK}home\n")[2].splitlines()
    if not lines:
        raise Unavailable(f"{login.host} has no usable shell")
    if len(lines) < 3:
        raise Unavailable(f"{login.host} has no folder {login.path}\n  hint: share the project, or leave path out")
    return lines[0], lines[2] if login.path else ""


def _mapped() -> tuple[str, ...]:
    """Folders of this host that `-ffile-prefix-map` names besides the project."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    wheel = wheel_file("lib")
    return (package, *([wheel] if wheel else []))


def _look(names: str) -> str:
    """A script that prints a line for each compiler and folder of headers: path, size, time."""
    folders = " ".join(LOOKED_AT)
    stamp = 'stat -Lc \'%n %s %Y\' "$1" 2>/dev/null || ls -lLnd "$1" 2>/dev/null'
    return "\n".join(
        [
            f"stamp() {{ {stamp}; }}",
            f'for name in {names}; do clang=$(command -v "$name") && stamp "$clang"; done',
            f'for folder in {folders}; do stamp "$folder"; done; :',
        ]
    )


def chosen(place: Place, clang: Clang) -> Place:
    """The same, where only the compiler that was chosen is looked at again."""
    remote = place.settings.remote
    assert remote is not None
    look = _look(shell_word(clang.command[0]))
    seen = place.output(look).decode(errors="replace")
    return dataclasses.replace(
        place, settings=dataclasses.replace(place.settings, remote=dataclasses.replace(remote, look=look, seen=seen))
    )
