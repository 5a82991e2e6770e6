"""The program that runs in machines: built from sources here, by Go with cilium/ebpf or by a C compiler with libbpf."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence

from bpfgen.errors import EXIT_FAILED, Failure, Problem
from bpfgen.files import write_if_changed
from bpfgen.verify.machine import HOST

SOURCES = os.path.dirname(os.path.abspath(__file__))
OLDEST = (1, 6)
"""The first libbpf that reads real versions of Debian's kernels and loads what newer kernels have."""
TRIPLES: Mapping[str, str] = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
OTHER_WAY = 'or load by cilium/ebpf:  loader = "cilium"  in [check]'


def build(loader: str, arch: str, libbpf: str, path: str) -> None:
    """Writes the static loader for an architecture; `libbpf` is the folder that `verify.libbpf` names, or empty. Raises
    `Failure`, OSError.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".loader-", dir=os.path.dirname(path)) as folder:
        made = os.path.join(os.path.abspath(folder), "loader")
        if loader == "cilium":
            _by_go(arch, folder, made)
        else:
            _by_cc(arch, libbpf, made)
        with open(made, "rb") as file:
            write_if_changed(path, file.read())
    os.chmod(path, 0o755)  # noqa: S103 - as every program is


def _by_go(arch: str, folder: str, made: str) -> None:
    if shutil.which("go") is None:
        raise Failure([Problem(None, "there is no go, which builds the loader of cilium/ebpf", GO)], EXIT_FAILED)
    # Go writes beside what it builds, and an installed package is nobody's to write to.
    source = shutil.copytree(os.path.join(SOURCES, "cilium"), os.path.join(folder, "source"))
    own = {"CGO_ENABLED": "0", "GOOS": "linux", "GOARCH": arch, "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    words = ("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", made, ".")
    _run(words, source, {**os.environ, **own}, "cilium/ebpf")


GO = "install it from go.dev/dl, or from your system's packages"


def _by_cc(arch: str, libbpf: str, made: str) -> None:
    headers, libraries = _libbpf(arch, libbpf)
    _check_version(headers, libraries)
    # A folder with a C library of its own: what is built against a newer one can't be linked with this system's.
    whole = os.path.isfile(os.path.join(libraries, "libc.a")) and libbpf
    place = ("--sysroot", os.path.abspath(libbpf), "-B", libraries) if whole else ("-isystem", headers)
    source = os.path.join(SOURCES, "libbpf", "loader.c")
    words = (*_compiler(arch), *place, "-static", "-O2", "-o", made, source, "-L", libraries, *LIBRARIES)
    _run(words, ".", dict(os.environ), "libbpf")


LIBRARIES = ("-lbpf", "-lelf", "-lz", "-lzstd")


def _libbpf(arch: str, folder: str) -> tuple[str, str]:
    """The folders of libbpf's headers and of its static library."""
    triple = TRIPLES.get(arch, "")
    roots = [folder, os.path.join(folder, "usr")] if folder else ["/usr/local", "/usr"]
    for root in roots:
        for name in (f"lib/{triple}", "lib64", "lib"):
            libraries = os.path.join(os.path.abspath(root), name)
            if os.path.isfile(os.path.join(libraries, "libbpf.a")):
                return os.path.join(os.path.abspath(root), "include"), libraries
    where = f'in "{folder}"' if folder else "on this system"
    hint = f"name a folder that has it:  libbpf = …  in [verify]; {OTHER_WAY}"
    raise Failure([Problem(None, f"there is no static libbpf (libbpf.a) for {arch} {where}", hint)], EXIT_FAILED)


def _check_version(headers: str, libraries: str) -> None:
    path = os.path.join(headers, "bpf", "libbpf_version.h")
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError:
        raise Failure([Problem(None, f"there is no {path} beside {libraries}/libbpf.a", OTHER_WAY)]) from None
    numbers = [re.search(rf"LIBBPF_{part}_VERSION (\d+)", text) for part in ("MAJOR", "MINOR")]
    version = tuple(int(number[1]) for number in numbers if number)
    if version < OLDEST:
        shown, oldest = (".".join(map(str, numbers)) for numbers in (version, OLDEST))
        message = (
            f"{libraries}/libbpf.a is libbpf {shown}, and {oldest} or newer is needed: older ones refuse what loads"
        )
        hint = f"name a folder that has a newer one:  libbpf = …  in [verify]; {OTHER_WAY}"
        raise Failure([Problem(None, message, hint)], EXIT_FAILED)


def _compiler(arch: str) -> Sequence[str]:
    cross = f"{TRIPLES.get(arch, arch)}-gcc"
    names = ("cc", "gcc", "clang") if HOST.get(platform.machine()) == arch else (cross,)
    for name in names:
        if shutil.which(name):
            return (name,)
    hint = f"install it, in Debian  apt-get install gcc-{cross[:-4].replace('_', '-')}; {OTHER_WAY}"
    raise Failure([Problem(None, f"there is no C compiler for {arch}: {names[-1]}", hint)], EXIT_FAILED)


def _run(words: Sequence[str], folder: str, env: Mapping[str, str], what: str) -> None:
    done = subprocess.run(words, check=False, cwd=folder, env=env, capture_output=True, text=True, errors="replace")
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        hint = f"{' '.join(words)}\n{said}"
        raise Failure([Problem(None, f"the loader of {what} can't be built: {_last(said)}", hint)], EXIT_FAILED)


def _last(text: str) -> str:
    return (text.splitlines() or ["it says nothing"])[-1]
