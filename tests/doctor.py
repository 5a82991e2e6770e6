"""`bpfgen doctor` driven as a user drives it, and its hints followed to the letter."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

ROOT = Path(__file__).parent.parent
NOBODY = 65534
Found = dict[str, Any]

HIDE = (
    'path=$1; n=$2; shift 2; while [ "$n" -gt 0 ]; do if [ -d "$1" ]; then mount -t tmpfs none "$1"; else mount --bind '
)
HIDE += '/dev/null "$1"; fi; shift; n=$((n - 1)); done; PATH=$path exec "$@"'


def without(*paths: str, path: str = "") -> tuple[str, ...]:
    """Words before a command that hide files and folders from it, and from nobody else (root alone can); it gets
    `path` as its PATH.
    """
    return ("unshare", "-m", "sh", "-ec", HIDE, "sh", path or os.environ["PATH"], str(len(paths)), *paths)


def wheel() -> str:
    """The folder of the ziglang wheel."""
    import ziglang

    return os.path.dirname(str(ziglang.__file__))


def doctor(
    *words: str,
    cwd: Path,
    before: Sequence[str] = (),
    env: Optional[Mapping[str, str]] = None,
    python: str = sys.executable,
    **more: Any,
) -> dict[str, Found]:
    """The findings by what they are about; checks the exit code, and that nothing but JSON is printed."""
    done = subprocess.run(
        [*before, python, "-m", "bpfgen", "doctor", "--json", *words],
        cwd=cwd,
        env=env,
        check=False,
        capture_output=True,
        text=True,
        **more,
    )
    assert not done.stderr, done.stderr
    said = json.loads(done.stdout)
    failed = any(row["level"] == "failure" for row in said["findings"])
    assert (said["ok"], done.returncode) == (not failed, int(failed))
    return {row["check"]: row for row in said["findings"]}


def command(found: Found) -> str:
    """The command that a hint tells to run; installing packages is only tried, as it is for the whole machine."""
    match = re.search(r"\brun  (.+?)(?:  |$)", found["hint"])
    assert match, found
    return match[1].replace("sudo ", "").replace("apt-get install", "apt-get install --simulate")


def follow(found: Found, cwd: Path, **more: Any) -> str:
    """Does what a hint says: runs its command, then writes its line into build.toml. What the command printed."""
    output = ""
    if re.search(r"\brun  ", found["hint"]):
        done = subprocess.run(
            ["bash", "-ec", command(found)], cwd=cwd, check=False, capture_output=True, text=True, **more
        )
        assert done.returncode == 0, (command(found), done.stderr)
        output = done.stdout
    write = re.search(r"write  (\w+) = (.+?)  below \[(\w+)\]", found["hint"])
    if write:
        path = cwd / "build.toml"
        text = re.sub(rf"^{write[1]} = .*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        path.write_text(text.replace(f"[{write[3]}]\n", f"[{write[3]}]\n{write[1]} = {write[2]}\n"), encoding="utf-8")
    assert output or write, found
    return output


def only(folder: Path, *programs: str) -> dict[str, str]:
    """An environment whose PATH has these programs alone, and Ninja."""
    folder.mkdir(exist_ok=True)
    ninja = os.path.join(os.path.dirname(sys.executable), "ninja")
    for path in (*programs, ninja):
        link = folder / os.path.basename(path)
        if not link.is_symlink():
            link.symlink_to(path)
    return {**os.environ, "PATH": str(folder)}


def as_nobody() -> tuple[str, dict[str, str]]:
    """A Python that any user may start, and the environment in which it finds bpfgen."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(_is_site, sys.path)])}
    for python in (sys.executable, "/usr/bin/python3"):
        words = [python, "-c", "import bpfgen.cli, tomli"]
        try:
            done = subprocess.run(words, env=env, check=False, capture_output=True, user=NOBODY, cwd="/")
        except PermissionError:
            continue
        if done.returncode == 0:
            return python, env
    raise AssertionError("no Python that another user may start has bpfgen's libraries")


def _is_site(path: str) -> bool:
    return path.endswith("site-packages")
