"""Fetches large code bases that others wrote: Debian's by apt, with a configuration of its own, and Go's by go.

Each function returns a folder that nobody may write to. Trees are kept in `.cache/real/`, below the repository.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional, Union

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "real"
SEARCH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
"""Where tools are: Debian's bpftool isn't where a plain user's PATH looks."""
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

# The versions that the build.toml files beside this one were written for. Archives drop old versions, and some newer
# ones they list but don't serve: then the newest that comes is taken instead.
BPFCC = "0.35.0+ds-1.1"
LINUX = "6.12.117-1"
EBPF = "v0.22.0"
SARIF = "v3.3.1"

# What the selftests read, and the script that makes libbpf's bpf_helper_defs.h.
KERNEL_FILES = (
    "*/scripts/bpf_doc.py",
    "*/tools/include/*",
    "*/tools/lib/bpf/*.h",
    "*/tools/testing/selftests/bpf/*.h",
    "*/tools/testing/selftests/bpf/progs/*",
)


def libbpf_tools() -> Path:
    """`libbpf-tools/` of Debian's source package bpfcc."""

    def make(tree: Path, scratch: Path) -> None:
        apt = Apt(scratch, "deb-src", ("bookworm", "trixie", "forky", "sid"))
        apt.download("bpfcc", BPFCC, lambda name: ("source", "--download-only", "--tar-only", name))
        _unpack(next(scratch.glob("bpfcc_*.orig.tar.*")), tree, "*/libbpf-tools/*")

    return _kept("libbpf-tools", make)


def selftests() -> Path:
    """BPF programs of the kernel's selftests and the headers of its tools, of Debian's package linux-source-6.12."""

    def make(tree: Path, scratch: Path) -> None:
        apt = Apt(scratch, "deb", ("trixie",))
        apt.download("linux-source-6.12", LINUX, lambda name: ("download", name))
        _run("dpkg-deb", "-x", next(scratch.glob("linux-source-*.deb")), scratch / "package")
        _unpack(next(scratch.glob("package/usr/src/linux-source-*.tar.xz")), tree, *KERNEL_FILES)
        script, api = tree / "scripts" / "bpf_doc.py", tree / "tools" / "include" / "uapi" / "linux" / "bpf.h"
        helpers = _run(sys.executable, script, "--header", "--file", api)
        (tree / "tools" / "lib" / "bpf" / "bpf_helper_defs.h").write_text(helpers, encoding="utf-8")

    return _kept("selftests", make)


def cilium_examples() -> Path:
    """The Go module github.com/cilium/ebpf, in Go's own cache."""
    # Outside the repository and its module, if it has one.
    answer = _run("go", "mod", "download", "-json", f"github.com/cilium/ebpf@{EBPF}", cwd=Path("/"))
    return Path(json.loads(answer)["Dir"])


def sarif_schema() -> Any:
    """The JSON Schema of SARIF 2.1.0 with its errata as OASIS has it, out of a Go module that checks logs by it."""
    answer = _run("go", "mod", "download", "-json", f"github.com/owenrumney/go-sarif/v3@{SARIF}", cwd=Path("/"))
    source = Path(json.loads(answer)["Dir"]) / "pkg" / "report" / "v210" / "sarif" / "schema.go"
    return json.loads(source.read_text(encoding="utf-8").split("`")[1])


@dataclasses.dataclass(frozen=True)
class DebianKernel:
    """Debian's kernel of one series: the newest of a suite, in its smallest flavour."""

    series: str
    suite: str
    package: str
    """A regular expression of the package that has the kernel, without the architecture at its end."""


KERNELS = (
    DebianKernel("5.10", "bullseye", r"linux-image-5\.10\.[0-9.-]+-cloud-"),
    DebianKernel("6.1", "bookworm", r"linux-image-6\.1\.[0-9.-]+-cloud-"),
    DebianKernel("6.12", "trixie", r"linux-image-6\.12\.[0-9.+a-z-]+-cloud-"),
    DebianKernel("7", "sid", r"linux-binary-7\.[0-9.+a-z-]+-cloud-"),
)
KERNEL_ARCHES = ("amd64", "arm64")


def kernel(series: str, arch: str) -> Path:
    """Debian's package of a kernel, as it is shipped."""

    def make(tree: Path, scratch: Path) -> None:
        known = next(each for each in KERNELS if each.series == series)
        apt = Apt(scratch, "deb", (known.suite,), arch)
        names = apt.run("apt-cache", "pkgnames").split()
        for name in sorted((name for name in names if re.fullmatch(known.package + arch, name)), key=_natural)[::-1]:
            with contextlib.suppress(RuntimeError):  # lists name what is gone
                apt.download(name, "", lambda version: ("download", version))
                break
        (package,) = scratch.glob("*.deb")
        package.rename(tree / "kernel.deb")

    return _kept(f"kernel-{series}-{arch}", make) / "kernel.deb"


def libbpf(arch: str) -> Path:
    """The newest static libbpf, with what it is linked with and a C library that suits it: for `verify.libbpf`."""

    def make(tree: Path, scratch: Path) -> None:
        apt = Apt(scratch, "deb", ("sid",), arch)
        for name in ("libbpf-dev", "libelf-dev", "zlib1g-dev", "libzstd-dev", "libc6-dev", "linux-libc-dev"):
            apt.run("apt-get", "download", name)
        for package in scratch.glob("*.deb"):
            _run("dpkg-deb", "-x", package, tree)

    return _kept(f"libbpf-{arch}", make)


def bpftool() -> Path:
    """Debian 13's bpftool 7.5 as a command; this system's C library may be too old for it, so it brings its own."""

    def make(tree: Path, scratch: Path) -> None:
        apt = Apt(scratch, "deb", ("trixie",), "amd64")
        for name in ("bpftool", "libc6", "libcap2", "libelf1t64", "libzstd1", "zlib1g"):
            apt.run("apt-get", "download", name)
        for package in scratch.glob("*.deb"):
            _run("dpkg-deb", "-x", package, tree)
        loader = f'"$here/{LIBRARIES}/ld-linux-x86-64.so.2" --library-path "$here/{LIBRARIES}"'
        script = tree / "bpftool"
        text = f'#!/bin/sh\nhere=$(dirname "$0")\nexec {loader} "$here/usr/sbin/bpftool" "$@"\n'
        script.write_text(text, encoding="utf-8")
        script.chmod(0o755)

    return _kept("bpftool-7.5", make) / "bpftool"


LIBRARIES = "usr/lib/x86_64-linux-gnu"


def _natural(name: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", name)]


class Apt:
    """apt with its own lists and sources, so that the system's stay as they are.

    Options, not $APT_CONFIG: snippets in /etc/apt/apt.conf.d (docker-clean) are read after that file.
    """

    def __init__(self, folder: Path, kind: str, suites: tuple[str, ...], arch: str = "") -> None:
        """Reads the package lists of `suites`; `kind` is `deb` or `deb-src` (sources.list(5)). `arch` is this system's,
        unless it is given.
        """
        self.folder, self.arch = folder, arch
        for name in ("state/lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True)
        (folder / "status").touch()
        mirror = _mirror()
        lines = [f"{kind} [signed-by={KEYRING}] {mirror} {suite} main\n" for suite in suites]
        (folder / "sources.list").write_text("".join(lines), encoding="utf-8")
        self.run("apt-get", "update")

    def run(self, tool: str, *words: str) -> str:
        """Runs `apt-get` or `apt-cache` in the folder; what it printed."""
        options = {
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
            "Acquire::Languages": "none",
            "APT::Sandbox::User": "root",
            "Dir::Cache": f"{self.folder}/cache",
            "Dir::Etc::SourceList": f"{self.folder}/sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::State": f"{self.folder}/state",
            "Dir::State::Status": f"{self.folder}/status",
            **({"APT::Architecture": self.arch, "APT::Architectures": self.arch} if self.arch else {}),
        }
        return _run(tool, *(f"-o{name}={value}" for name, value in options.items()), *words, cwd=self.folder)

    def download(self, package: str, wanted: str, command: Callable[[str], tuple[str, ...]]) -> None:
        """Downloads the wanted version, else the newest that comes. Raises the first error when none comes."""
        # apt-cache(8) madison: rows of `package | version | archive`, the newest of each suite first.
        rows = self.run("apt-cache", "madison", package).splitlines()
        versions = dict.fromkeys(row.split("|")[1].strip() for row in rows)
        first = None
        for version in sorted(versions, key=lambda version: version != wanted):
            try:
                self.run("apt-get", *command(f"{package}={version}"))
            except RuntimeError as error:
                first = first or error
            else:
                return
        raise first or RuntimeError(f"apt knows no package {package}")


def _mirror() -> str:
    """The archive that the system's apt is set up to use, for it may be the only one in reach."""
    known = _run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages").split()
    for address in known:
        if address.rstrip("/").endswith("/debian"):
            return address
    raise RuntimeError("the system's apt has no archive of Debian's packages")


def _kept(name: str, make: Callable[[Path, Path], None]) -> Path:
    """The tree that `make` fills, given the tree and a folder for anything else; made once, and then whole."""
    kept = CACHE / name
    if kept.is_dir():
        return kept
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker may be at it
        if not kept.is_dir():
            with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=CACHE) as scratch:
                tree = Path(scratch) / "tree"
                tree.mkdir()
                make(tree, Path(scratch))
                tree.rename(kept)
    return kept


def _unpack(archive: Path, tree: Path, *patterns: str) -> None:
    _run("tar", "-xf", archive, "-C", tree, "--strip-components=1", "--wildcards", *patterns)


def _run(*words: Union[str, Path], cwd: Optional[Path] = None) -> str:
    done = subprocess.run(words, cwd=cwd, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
    return done.stdout
