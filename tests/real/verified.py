"""Debian's kernels and three sets of objects: what bpfgen says of them, and what the kernels say, once for all tests.

The sets are libbpf-tools, the examples of cilium/ebpf (`cilium-…`) and this repository's programs (`own-…`).
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import fetch
import pytest
from project import NINJA, Project

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
SERIES = ("5.10", "6.1", "6.12", "7")
LOADERS = ("cilium", "libbpf")
"""The project is left as it is with the last one."""


def verified(factory: pytest.TempPathFactory) -> Path:
    """A folder with `project/`, built and loaded by libbpf, and `LOADER.json` with what was said for each loader:
    `static`, as in `out/verdicts.json`, and `real`, as `bpfgen verify --json` prints it. Made by whoever asks first.
    """
    base = factory.getbasetemp()
    # Each worker of pytest-xdist has a folder of its own in that of the run.
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "verified"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / f"{LOADERS[-1]}.json").exists():
            shutil.rmtree(folder / "project", ignore_errors=True)
            _make(folder, _sources(folder / "project"))
    return folder


def command(project: Project, *words: str, code: int) -> str:
    """What `bpfgen` prints, with the tests' own Ninja: two versions don't share a log."""
    path = f"{os.path.dirname(NINJA)}{os.pathsep}{os.environ['PATH']}"
    done = project.bpfgen(*words, code=code, env={**os.environ, "PATH": path})
    assert done.stderr == ""
    return str(done.stdout)


def _make(folder: Path, project: Project) -> None:
    for loader in LOADERS:
        project.write("build.toml", _text(loader))
        real = json.loads(command(project, "verify", "--json", code=1))
        project.ninja("out/verdicts.json")
        static = json.loads((project.root / "out" / "verdicts.json").read_text(encoding="utf-8"))
        said = json.dumps({"static": static["verdicts"], "real": real["reports"]})
        (folder / "said").write_text(said, encoding="utf-8")
        (folder / "said").rename(folder / f"{loader}.json")


def _sources(root: Path) -> Project:
    shutil.copytree(fetch.libbpf_tools() / "libbpf-tools", root / "libbpf-tools", symlinks=True)
    (root / "examples").symlink_to(fetch.cilium_examples() / "examples")
    for name in ("bpf", "include"):
        shutil.copytree(REPOSITORY / name, root / "own" / name)
    return Project(root)


def _text(loader: str) -> str:
    """build.toml for a loader."""
    tables = [
        f'[kernel.{kernel_name(series)}]\nupstream = "{series if "." in series else series + ".0"}"\n'
        f'btf = "{fetch.kernel(series, "amd64")}"'
        for series in SERIES
    ]
    text = (HERE / "verify" / "build.toml").read_text(encoding="utf-8")
    text = text.replace("LIBBPF", str(fetch.libbpf("amd64"))).replace("KERNELS", "\n".join(tables))
    return f'{text}\n{_own()}\n[check]\nloader = "{loader}"\n'


def _own() -> str:
    """The tables of this repository's programs, which are moved to `own/`."""
    text = (REPOSITORY / "build.toml").read_text(encoding="utf-8").partition("[go]")[0]
    text = text[text.index("[program.") :].replace('"bpf/', '"own/bpf/')
    return re.sub(r"^\[program\.(\w+)\]$", r'[program.own-\1]\ninclude = ["own/include"]', text, flags=re.MULTILINE)


def kernel_name(series: str) -> str:
    """The kernel target of a series."""
    return f"k{series.replace('.', '_')}"


def said(folder: Path, loader: str) -> dict[str, Any]:
    """What is in `LOADER.json`."""
    value: dict[str, Any] = json.loads((folder / f"{loader}.json").read_text(encoding="utf-8"))
    return value
