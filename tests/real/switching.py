"""bpf2go and bpfgen side by side, as `go generate` finds them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Union

import fetch
import oracle
import pytest

NEEDED = ("clang-19", "go", "gofmt", "llvm-strip-19")
SETTINGS = {"BPF_CLANG": "clang-19", "BPF_CFLAGS": "-O2 -Wall -DLIMIT=64", "BPF_HEADERS": "../../bpf/vendored"}
"""What the layouts of tests/data/layouts want of their Makefiles."""


@cache
def tools() -> Path:
    """A folder with `bpf2go` and `bpfgen`; skips the test where a tool is missing."""
    missing = [tool for tool in NEEDED if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    fetch.CACHE.mkdir(parents=True, exist_ok=True)
    folder = oracle.command(fetch.CACHE, "0.22").parent
    script = folder / "bpfgen"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m bpfgen "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return folder


def run(*words: Union[str, Path], cwd: Path, env: Mapping[str, str], code: int = 0) -> subprocess.CompletedProcess[str]:
    """Runs a command, and checks its exit code."""
    done = subprocess.run(words, cwd=cwd, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == code, f"{words}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    assert "Traceback" not in done.stderr
    return done


def environ(**more: str) -> dict[str, str]:
    """One in which bpf2go and bpfgen find each other's compiler, and nothing is cached."""
    own = {"BPF2GO", "BPF2GO_CFLAGS", "BPF2GO_MAKEBASE", "BPF2GO_STRIP", "GOPACKAGE", "GOFILE", "V"}
    rest = {name: value for name, value in os.environ.items() if name not in own}
    # go writes the layouts' go.sum.
    fixed = {"PATH": f"{tools()}{os.pathsep}{os.environ['PATH']}", "GOFLAGS": "-mod=mod", "BPF2GO_CC": "clang-19"}
    return {**rest, **fixed, **SETTINGS, "CCACHE_DISABLE": "1", **more}
