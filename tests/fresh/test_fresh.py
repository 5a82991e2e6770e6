"""The README's first command on a Debian that has Python and pip, and no compiler, no ninja, no git."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

pytestmark = pytest.mark.real

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "fresh"
RELEASE = "bookworm"
PACKAGES = "python3,python3-pip,ca-certificates"

# How this machine reaches the package index; a fresh machine would have its own.
NETWORK_PREFIXES = ("PIP_",)
NETWORK_NAMES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
PROXY_SUFFIX = "_proxy"


class Machine:
    """A Debian in a folder, and the checkout in its /src."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.src = root / "src"

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in /src. Its /proc is mounted in a mount namespace, so nothing is left mounted, ever."""
        enter = ("unshare", "--mount", "--pid", "--fork", "--kill-child", f"--root={self.root}", "--wd=/src")
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8", **network_environment()}
        command = (*enter, "--mount-proc", *argv)
        return subprocess.run(command, check=False, env=env, capture_output=True, text=True)

    def succeed(self, *argv: str) -> str:
        """Runs a command that must succeed; returns what it printed."""
        done = self.run(*argv)
        assert done.returncode == 0, f"{argv}:\n{done.stdout}\n{done.stderr}"
        return done.stdout


def network_environment() -> dict[str, str]:
    """The variables through which pip here finds its index and trusts it."""

    def wanted(name: str) -> bool:
        return name.startswith(NETWORK_PREFIXES) or name in NETWORK_NAMES or name.lower().endswith(PROXY_SUFFIX)

    return {name: value for name, value in os.environ.items() if wanted(name)}


def network_files() -> Iterator[Path]:
    """The files for the same: of the resolver, of pip, and every one that a variable names."""
    yield from (Path("/etc/resolv.conf"), Path("/etc/hosts"), Path("/etc/pip.conf"))
    yield Path("/etc/ssl/certs/ca-certificates.crt")
    yield from (Path(word) for value in network_environment().values() for word in value.split() if word[:1] == "/")


def debian() -> Path:
    """The archive of a minimal Debian with Python and pip; made once per checkout, in about a minute."""
    key = hashlib.sha256(f"{RELEASE} {PACKAGES}".encode()).hexdigest()[:12]
    archive = CACHE / f"{RELEASE}-{key}.tar"
    if not archive.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        root = CACHE / f"{RELEASE}-{os.getpid()}"
        try:
            make = ("debootstrap", "--variant=minbase", f"--include={PACKAGES}", RELEASE, str(root))
            subprocess.run(make, check=True)
            partial = root.with_suffix(".tar")
            leave_out = ("--exclude=./var/cache/apt", "--exclude=./var/lib/apt/lists")
            subprocess.run(("tar", "-C", str(root), *leave_out, "-cf", str(partial), "."), check=True)
            partial.replace(archive)
        finally:
            shutil.rmtree(root, ignore_errors=True)
    return archive


def copy_checkout(target: Path) -> None:
    """What `git clone` would bring, with what is not committed yet."""
    listing = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = subprocess.run(listing, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A fresh machine on which `./dev build` has not run yet."""
    if os.geteuid() != 0:
        pytest.skip("debootstrap and chroot need root")
    root = tmp_path_factory.mktemp("debian")
    subprocess.run(("tar", "-C", str(root), "-xf", str(debian())), check=True)
    for path in network_files():
        copy = root / path.relative_to("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file():
            copy.unlink(missing_ok=True)  # a link there would lead out of the folder, to this machine's own file
            shutil.copy(path, copy)
        elif path.is_dir() and not copy.exists():
            shutil.copytree(path, copy)
    copy_checkout(root / "src")
    yield Machine(root)
    shutil.rmtree(root, ignore_errors=True)  # 1 GB, too much for pytest's habit of keeping three


@pytest.fixture(scope="module")
def built(machine: Machine) -> tuple[Machine, str]:
    """The machine after `./dev build`, and what that printed."""
    for tool in ("clang", "cc", "gcc", "ninja", "llvm-strip", "go"):
        assert machine.run("sh", "-c", f"command -v {tool}").returncode != 0, f"{tool} is no part of a fresh machine"
    return machine, machine.succeed("./dev", "build")


def test_objects_for_three_architectures(built: tuple[Machine, str]) -> None:
    machine, _ = built
    objects = sorted((machine.src / "out/obj").glob("*/*.bpf.o"))
    targets = {path.name[: -len(".bpf.o")] for path in objects}
    # bpfel and bpfeb: of the portable programs, which are no different for amd64 and arm64.
    assert {"x86_bpfel", "arm64_bpfel", "s390_bpfeb", "bpfel", "bpfeb"} <= targets
    for path in objects:
        with path.open("rb") as stream:
            elf = ELFFile(stream)
            assert elf["e_machine"] == "EM_BPF", path
            assert elf.little_endian == ("bpfel" in path.name), path


def test_go_package(built: tuple[Machine, str]) -> None:
    machine, _ = built
    assert list((machine.src / "out/go").glob("*.go"))


def test_editor_file(built: tuple[Machine, str]) -> None:
    machine, _ = built
    entries = json.loads((machine.src / "compile_commands.json").read_text())
    sources = {os.path.normpath(os.path.join(entry["directory"], entry["file"])) for entry in entries}
    programs = {f"/{path.relative_to(machine.root)}" for path in (machine.src / "bpf").rglob("*.c")}
    assert programs
    assert programs <= sources


def test_progress_is_told(built: tuple[Machine, str]) -> None:
    _, printed = built
    steps = [line for line in printed.splitlines() if line.startswith("==> ")]
    assert [step.split(":")[0].split()[1] for step in steps] == [
        "making", "adding", "installing", "generating", "building", "done",
    ]  # fmt: skip
    assert "\x1b" not in printed


def test_second_run_has_nothing_to_do(built: tuple[Machine, str]) -> None:
    machine, _ = built
    printed = machine.succeed("sh", "-c", "PATH=/src/.venv/bin:$PATH; bpfgen && ninja")
    assert printed == "ninja: no work to do.\n"
    again = machine.succeed("./dev", "build")
    assert "installing" not in again
    assert "ninja: no work to do." in again
