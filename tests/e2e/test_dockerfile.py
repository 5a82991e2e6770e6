"""What `bpfgen init --docker` writes, built and built with, in a dockerd of the tests' own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from dockerd import Daemon
from doctor import doctor

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(os.geteuid() != 0, reason="dockerd needs root"),
    pytest.mark.skipif(not all(map(shutil.which, ("dockerd", "docker", "debootstrap"))), reason="needs them"),
]
CACHE = Path(__file__).resolve().parents[2] / ".cache" / "real"
LIBBPF = """\
#include <linux/bpf.h>
#include <asm/types.h>
#include <bpf/bpf_helpers.h>
SEC("xdp") int one(struct xdp_md *ctx) { return ctx ? XDP_PASS : 0; }
char LICENSE[] SEC("license") = "GPL";
"""


def debian() -> Path:
    """The archive of what the Dockerfile starts from; made once per checkout, in half a minute."""
    archive = CACHE / "debian-trixie.tar"
    if not archive.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="debian-", dir=CACHE) as name:
            root, partial = f"{name}/root", Path(name) / "debian.tar"
            subprocess.run(["debootstrap", "--variant=minbase", "trixie", root], check=True, capture_output=True)
            subprocess.run(["tar", "-C", root, "-cf", partial, "."], check=True)
            partial.replace(archive)
    return archive


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, because a socket's path may have no more than 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="bpfgen-", dir="/tmp") as name:
        yield Path(name)


@pytest.fixture
def daemon(folder: Path) -> Iterator[Daemon]:
    """A running one."""
    made = Daemon(folder)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def test_it_builds_programs(daemon: Daemon, folder: Path) -> None:
    """What `bpfgen init --docker` writes is built, and then builds a new project, and one with libbpf's headers."""
    pytest.importorskip("docker")
    root = folder / "new"
    words = (sys.executable, "-m", "bpfgen")
    subprocess.run([*words, "init", str(root), "--docker"], check=True, capture_output=True)
    daemon.docker("import", str(debian()), "debian:trixie-slim")
    # The tests' engine has no network of its own; bpfgen finds each step in the engine's cache.
    daemon.docker("build", "--network=host", "-f", "bpf/Dockerfile", str(root / "bpf"), cwd=root)
    (root / "bpf/one.c").write_text(LIBBPF)
    with (root / "build.toml").open("a") as file:
        file.write('[program.one]\nsource = "bpf/one.c"\narches = ["amd64", "arm64"]\n')
    subprocess.run(words, cwd=root, env=daemon.env, check=True, capture_output=True)
    ninja = os.path.join(os.path.dirname(sys.executable), "ninja")
    done = subprocess.run([ninja], cwd=root, env=daemon.env, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    objects = {str(path.relative_to(root / "out/obj")) for path in (root / "out/obj").rglob("*.o")}
    assert objects == {"xdp_count/bpfel.bpf.o", "one/x86_bpfel.bpf.o", "one/arm64_bpfel.bpf.o"}
    found = doctor(cwd=root, env=daemon.env)
    assert {row["level"] for name, row in found.items() if name != "kvm"} == {"ok"}
    assert found["clang"]["found"].startswith("clang-19 (clang 19.")
    run = ("run", "--rm", "--network=none", json.loads((root / "out/.bpfgen/builder.json").read_text())["image"])
    for tool in ("bpftool version", "llvm-strip-19 --version"):
        daemon.docker(*run, *tool.split())
