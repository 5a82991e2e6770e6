"""A project in a temporary folder, driven as a user drives it: through the `bpfgen` command and a real Ninja."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

BPFGEN = (sys.executable, "-m", "bpfgen")
NINJA = os.path.join(os.path.dirname(sys.executable), "ninja")

XDP = """\
#include "common.h"
SEC("xdp") int NAME(void *ctx) { return VERDICT; }
char LICENSE[] SEC("license") = "GPL";
"""
COMMON = """\
#define SEC(name) __attribute__((section(name), used))
#ifndef VERDICT
#define VERDICT 2
#endif
"""
TOML = """\
[project]
name = "test"
[toolchain]
clang = "CLANG"
[cache]
launcher = "none"
[compile]
include = ["include"]
"""


class Project:
    """Files of a project and the commands that work on them."""

    def __init__(self, root: Path, clang: str = "clang-19", ninja: str = NINJA) -> None:
        self.root, self.clang, self.ninja_path = root, clang, ninja
        self.compiled: set[str] = set()
        """Units that the last run of Ninja compiled."""
        root.mkdir(parents=True, exist_ok=True)
        self.write("include/common.h", COMMON)

    def write(self, name: str, text: str) -> Path:
        """Writes a file below the root."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def config(self, text: str) -> None:
        """Writes `build.toml`: the usual head, then `text`."""
        self.write("build.toml", TOML.replace("CLANG", self.clang) + text)

    def program(self, name: str, extra: str = "") -> None:
        """Writes a small XDP program, `bpf/NAME.c`."""
        self.write(f"bpf/{name}.c", XDP.replace("NAME", re.sub(r"\W", "_", name)) + extra)

    def run(
        self, words: Sequence[str], code: Optional[int] = 0, env: Optional[Mapping[str, str]] = None, **more: Any
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command in the root; checks its exit code, and that nobody printed a traceback."""
        done = subprocess.run(
            words,
            cwd=more.pop("cwd", self.root),
            env=env,
            check=False,
            **{"capture_output": True, "encoding": "utf-8", "errors": "surrogateescape", **more},
        )
        report = f"{words}\n{done.stdout}\n{done.stderr}"
        assert code is None or done.returncode == code, report
        assert "Traceback" not in report, report
        return done

    def bpfgen(self, *words: str, code: Optional[int] = 0, **more: Any) -> subprocess.CompletedProcess[str]:
        """Runs `bpfgen`."""
        return self.run((*BPFGEN, *words), code, **more)

    def ninja(self, *words: str, code: Optional[int] = 0, **more: Any) -> str:
        """Runs Ninja; what it printed."""
        done = self.run((self.ninja_path, *words), code, **more)
        self.compiled = set(re.findall(r"^\[\d+/\d+\] cc .* for (.*)$", done.stdout, re.MULTILINE))
        return done.stdout + done.stderr

    def make(self) -> set[str]:
        """`bpfgen && ninja`; the outputs that were made."""
        self.bpfgen()
        return self.built()

    def built(self) -> set[str]:
        """Runs Ninja; the objects and files below the output folder that it wrote or removed."""
        before = self.stamps()
        self.ninja()
        after = self.stamps()
        return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}

    def stamps(self) -> dict[str, int]:
        """Each file of the output folder and its time, without what Ninja and bpfgen keep for themselves."""
        out = self.root / "out"
        return {
            str(path.relative_to(out)): path.stat().st_mtime_ns
            for path in out.rglob("*")
            if path.is_file() and not path.name.startswith(".ninja") and ".bpfgen" not in path.parts
        }

    def idle(self) -> bool:
        """Whether a further `bpfgen && ninja` has nothing to do."""
        return self.bpfgen().stdout == "" and "no work to do" in self.ninja()

    def objects(self) -> dict[str, bytes]:
        """Every object's bytes, by its path below `out/obj`."""
        folder = self.root / "out" / "obj"
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.o")}

    def remove(self, name: str) -> None:
        """Removes a file or a folder."""
        path = self.root / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def waits_for_lock(pid: int) -> bool:
    """Whether a process is in flock(2), by /proc/locks: lines of those that wait have an arrow."""
    lines = Path("/proc/locks").read_text(encoding="utf-8").splitlines()
    return any("->" in line and f" {pid} " in line for line in lines)
