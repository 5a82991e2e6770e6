"""bpf2go itself, from its Go module: the command, and the packages that it is made of in a program of ours."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fetch

MODULE = "github.com/cilium/ebpf"
VERSIONS = {"0.17": "v0.17.3", "0.19": "v0.19.0", "0.21": "v0.21.0", "0.22": fetch.EBPF}
"""Levels of `go.api` with the versions of the module that they are compared with."""
ENVIRONMENT = {**os.environ, "GOFLAGS": "-mod=mod -buildvcs=false", "GOWORK": "off", "GOTOOLCHAIN": "local"}


def go(*words: str, cwd: Path, **environment: str) -> str:
    """A Go command's output; fails with its complaints."""
    settings = {**ENVIRONMENT, **environment}
    done = subprocess.run(("go", *words), cwd=cwd, env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def command(folder: Path, level: str) -> Path:
    """bpf2go's command of that level, built below `folder`."""
    target = folder / "bin"
    go("install", f"{MODULE}/cmd/bpf2go@{VERSIONS[level]}", cwd=folder, GOBIN=str(target), GOFLAGS="-buildvcs=false")
    return target / "bpf2go"


class Oracle:
    """bpf2go's packages of one level, in one process for many objects."""

    def __init__(self, folder: Path, level: str) -> None:
        """Builds the program below `folder`."""
        root = folder / f"oracle-{level}"
        shutil.copytree(Path(__file__).parent / "bpf2go", root)
        (root / "go.mod").write_text(f"module example.com/oracle\n\ngo 1.22\n\nrequire {MODULE} {VERSIONS[level]}\n")
        go("build", "-o", "oracle", ".", cwd=root)
        self._program = root / "oracle"

    def render(self, jobs: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
        """For each job `Text`, which is Go as bpf2go writes it, or `Error`."""
        done = subprocess.run([self._program], input=json.dumps(jobs), capture_output=True, text=True, check=True)
        results: list[dict[str, str]] = json.loads(done.stdout)
        return results


@functools.cache
def module() -> Path:
    """The newest version's folder, which is not ours to write to."""
    return fetch.cilium_examples()
