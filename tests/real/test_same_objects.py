"""Objects of bpfgen against those of bpf2go's own command for clang: every C program of its module, and of ours."""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Optional

import oracle
import pytest
import ziglang
from project import Project

from bpfgen.bpf.compare import differences

pytestmark = [pytest.mark.real, pytest.mark.input]

ROOT = Path(__file__).resolve().parents[2]
LIBC = Path(ziglang.__file__).parent / "lib" / "libc" / "include"
TARGETS = ("bpfel", "bpfeb")
# cmd/bpf2go/gen/compile.go, without the flags that say where the sources are.
BPF2GO = ("-O2", "-mcpu=v1", "-fno-ident", "-g", "-fdebug-compilation-dir", ".")
FLAGS = ("-Wno-everything", "-D__TARGET_ARCH_x86", "-Iexamples/headers", "-Itestdata", "-Iown/include")
# bpf2go's user says where <asm/…> is: the byte order of network headers is in it, so it must be that of the target.
ASM = {"bpfel": "/usr/include/x86_64-linux-gnu", "bpfeb": str(LIBC / "s390x-linux-any")}
TOML = """\
[project]
name = "test"
[toolchain]
clang = "clang-19"
[cache]
launcher = "none"
[compile]
cflags = ["-Wno-everything"]
define = { __TARGET_ARCH_x86 = true }
include = ["examples/headers", "testdata", "own/include"]
mcpu = "v1"
[targets]
arches = ["amd64", "s390x"]
"""
COUNT = 49 + 8
"""C files that clang builds."""


def by_clang(root: Path, source: str, target: str, out: Path) -> Optional[bytes]:
    words = ("clang-19", *BPF2GO, *FLAGS, "-idirafter", ASM[target], "-target", target, "-c", source, "-o", str(out))
    done = subprocess.run(words, cwd=root, check=False, capture_output=True)
    return out.read_bytes() if done.returncode == 0 else None


def test_same_objects(tmp_path: Path) -> None:
    """Code, relocations, symbols and BTF with its line information; for both byte orders."""
    root = tmp_path / "tree"
    shutil.copytree(oracle.module(), root, copy_function=shutil.copyfile, ignore=shutil.ignore_patterns("*.go", "*.o"))
    for name in ("bpf", "include"):
        shutil.copytree(ROOT / name, root / "own" / name)
    sources = sorted(str(path.relative_to(root)) for path in root.rglob("*.c"))
    jobs = [(source, target) for source in sources for target in TARGETS]
    with ThreadPoolExecutor(2) as pool:
        made = pool.map(
            lambda job: by_clang(root, job[0], job[1], tmp_path / f"{'_'.join(job).replace('/', '_')}.o"), jobs
        )
        theirs = {job: data for job, data in zip(jobs, made) if data}
    built = [source for source in sources if (source, "bpfel") in theirs]
    assert len(built) >= COUNT

    project = Project(root)
    names = {source: source.replace("/", "_").removesuffix(".c").lstrip("_.-") for source in built}
    tables = (f'[program."{name}"]\nsource = "{source}"\nportable = true\n' for source, name in names.items())
    project.write("build.toml", TOML + "".join(tables))
    project.bpfgen()
    project.ninja("objects")
    ours = {job: (root / f"out/obj/{names[job[0]]}/{job[1]}.bpf.o").read_bytes() for job in theirs}
    unlike = {job: differences(ours[job], theirs[job]) for job in theirs}
    assert {job: lines for job, lines in unlike.items() if lines} == {}
