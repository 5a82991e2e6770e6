"""A person's own command where the builder's compiler runs: in a container for it, which may write the project, or on a
remote machine, in the project's copy or its shared folder.
"""

from __future__ import annotations

import os
import shlex
import shutil
import time
from collections.abc import Mapping, Sequence

from bpfgen.builders import Unavailable, ssh
from bpfgen.builders.mirror import MARKS, Mirror
from bpfgen.builders.paths import Paths
from bpfgen.builders.settings import LABEL, OPTIONS, SESSION, Remote, Settings

# A container's first process has no default for a signal (pid_namespaces(7)): as such, a command could be ended by none
# and end by none. So it is the second one. Without a terminal, the engine's command hands signals on to the first.
# A signal interrupts `wait`, which is to be asked again; it says 127 of a command whose status it has told already.
FIRST = {
    True: '"$@"; exit $?',
    False: """
ended= command=
trap 'ended=1; [ -z "$command" ] || kill -TERM $command' HUP INT TERM
exec 3<&0
"$@" <&3 3<&- &
command=$!
exec 3<&-
[ -z "$ended" ] || kill -TERM $command
wait $command
status=$?
while [ -n "$ended" ]; do
  ended=
  wait $command 2>/dev/null
  again=$?
  [ $again = 127 ] || status=$again
done
exit $status""",
}
"""Scripts that run their words, with and without a terminal."""


def words(
    settings: Settings, command: Sequence[str], terminal: bool, network: bool, variables: Mapping[str, str]
) -> list[str]:
    """The words that run a command in a container like the session's; raises Unavailable.

    `terminal` gives it one; `network` gives it the engine's own network, where the session's container has none.
    """
    if settings.remote:
        return _remote(settings.remote, command, terminal, variables)
    # This process becomes the engine's command: where that is killed, the next session removes the container.
    options = [*OPTIONS, f"--workdir={settings.root}"]
    options += [f"--label={LABEL}={settings.root}", f"--label={SESSION}={os.getpid()}"]
    options += ["-t"] if terminal else []
    options += [] if network else ["--network=none"]
    options += [f"--user={settings.user}"] if settings.user else []
    options += [f"--env={name}={value}" for name, value in variables.items()]
    options += [_mount(settings, path, path == settings.root) for path in settings.readable]
    options += [_mount(settings, path, True) for path in settings.writable]
    first = ["-c", FIRST[terminal], "sh", *command]
    return [*_engine(settings), "run", *options, "--entrypoint=/bin/sh", settings.image, *first]


def bring(settings: Settings) -> None:
    """Makes the project there what it is here, where it is a copy; raises Unavailable."""
    if settings.remote and settings.remote.copied:
        Mirror(settings, Paths(settings), {}).refresh(time.monotonic(), ())


def _remote(remote: Remote, command: Sequence[str], terminal: bool, variables: Mapping[str, str]) -> list[str]:
    """On the machine, in the project there; a history stays there, and its home folder is another one."""
    given = [f"{name}={value}" for name, value in variables.items() if name not in {"HOME", "HISTFILE"}]
    words = " ".join(map(shlex.quote, ("env", *given, *command)))
    # What the command writes there, the next session doesn't take for a copy.
    script = f"rm -f {shlex.quote(remote.base)}/{MARKS}/*; cd {shlex.quote(remote.project)} && exec {words}"
    connect = [word for word in remote.connection if word != "-T"]
    return [*connect, "-t" if terminal else "-T", "--", remote.host, ssh.shell(script)]


def _engine(settings: Settings) -> list[str]:
    if settings.kind == "podman":
        return [settings.engine]
    found = shutil.which("docker")
    if found is None:
        raise Unavailable(
            "there is no docker command\n  hint: install it; builds need the engine alone, this needs both"
        )
    return [found, f"--host={settings.engine}"]


def _mount(settings: Settings, path: str, writable: bool) -> str:
    if settings.kind == "podman":
        from bpfgen.builders.podman import mount

        return mount(path, "rw" if writable else "ro")
    # The option's value is a line of CSV (docker's manual, "--mount").
    quoted = path.replace('"', '""')
    fields = ["type=bind", *(f'"{name}={quoted}"' for name in ("src", "dst"))]
    return "--mount=" + ",".join([*fields, *([] if writable else ["readonly"])])
