"""What else a build uses: bpftool, kernels' types, the launcher, Ninja, Go, and KVM for machines of one's own."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator

from bpfgen.doctor import Finding, ask
from bpfgen.doctor.mend import as_root, install
from bpfgen.doctor.subject import Subject, problems
from bpfgen.headers import btf_path, wanted
from bpfgen.host import find_bpftool
from bpfgen.launcher import find_launcher
from bpfgen.outputs import asked
from bpfgen.quote import shell_word
from bpfgen.toolchain import Cache, Clang

OLDEST_NINJA = (1, 10)
RUNNING = "/sys/kernel/btf/vmlinux"


def bpftool(subject: Subject, cache: Cache) -> list[Finding]:
    """The one that makes `vmlinux.h`."""
    report = subject.report()
    path = find_bpftool(subject.config, subject.units, cache, report)
    wrong = problems("bpftool", report)
    if wrong:
        return [Finding("bpftool", "failure", each.found, _bpftool_mend(subject)) for each in wrong]
    if path is None:
        return [Finding("bpftool", "ok", _without(subject))]
    said = ask((path, "version"))
    version = re.search(r"bpftool v?(\S+)", said.text)
    if said.code != 0 or version is None:
        # Ubuntu's is a script that looks for the tool of the kernel that runs.
        found = f"{path} doesn't work: {said.last}"
        return [Finding("bpftool", "failure", found, _bpftool_mend(subject))]
    return [Finding("bpftool", "ok", f"{path} ({version[1]})")]


def _without(subject: Subject) -> str:
    headers = [btf_path(subject.config, *each).endswith(".h") for each in wanted(subject.units)]
    unneeded = "not needed: it would make a vmlinux.h of BTF, or skeletons"
    return unneeded if all(headers) else "bpfgen makes vmlinux.h itself"


def _bpftool_mend(subject: Subject) -> str:
    if any(output.bpftool for output in asked(subject.config)):
        named = subject.config.toolchain.bpftool != "auto"
        return 'write  bpftool = "auto"  below [toolchain], or name another one' if named else install("bpftool")
    return 'write  bpftool = "none"  below [toolchain], or name another one'


def btf(subject: Subject) -> list[Finding]:
    """The files of kernels' types, for each architecture that is built."""
    return [_btf(subject, kernel, arch) for kernel, arch in wanted(subject.units)]


def _btf(subject: Subject, kernel: str, arch: str) -> Finding:
    name, path = f"kernel {kernel} {arch}", btf_path(subject.config, kernel, arch)
    try:
        with open(os.path.join(subject.root, path), "rb") as file:
            empty = not file.read(1)
    except PermissionError:
        return Finding(name, "failure", f'"{path}" may not be read', f"run  {as_root()}chmod a+r {shell_word(path)}")
    except (OSError, ValueError):
        return Finding(name, "failure", f'there is no file "{path}"', _btf_mend(path))
    if empty:
        return Finding(name, "failure", f'"{path}" is empty', _btf_mend(path))
    return Finding(name, "ok", path)


def _btf_mend(path: str) -> str:
    if not os.path.exists(RUNNING):
        return f"copy {RUNNING} of a machine with that kernel there"
    folder = os.path.dirname(path)
    make = f"mkdir -p {shell_word(folder)} && " if folder else ""
    return f"run  {make}cp {RUNNING} {shell_word(path)}  on a machine with that kernel, or for this one's"


def launcher(subject: Subject, clang: Clang, cache: Cache) -> list[Finding]:
    """The compiler cache."""
    report, wanted = subject.report(), subject.config.cache.launcher
    found = find_launcher(subject.root, subject.config, clang, "", (), cache, report)
    wrong = problems("launcher", report)
    if wrong:
        return wrong
    why = "where it is installed" if wanted == "auto" else "as build.toml says"
    if found.command:
        return [Finding("launcher", "ok", f"{' '.join(found.command)}, {why}")]
    return [Finding("launcher", "ok", "none: ccache isn't on PATH" if wanted == "auto" else f"none, {why}")]


def ninja() -> list[Finding]:
    """The one on PATH."""
    own = os.path.dirname(sys.executable)
    path = shutil.which("ninja")
    if path is None:
        if shutil.which("ninja", path=own):
            hint = f'run  export PATH="{own}:$PATH"'
            return [Finding("ninja", "failure", f"there is no ninja on PATH, but one in {own}", hint)]
        return [Finding("ninja", "failure", "there is no ninja on PATH", "run  pip install ninja")]
    said = ask((path, "--version"))
    version = re.match(r"(\d+)\.(\d+)", said.text)
    if said.code != 0 or version is None:
        hint = "run  pip install --force-reinstall ninja"
        return [Finding("ninja", "failure", f"{path} doesn't work: {said.last}", hint)]
    if (int(version[1]), int(version[2])) < OLDEST_NINJA:
        oldest = ".".join(map(str, OLDEST_NINJA))
        hint = f'run  pip install --upgrade ninja && export PATH="{own}:$PATH"'
        return [Finding("ninja", "failure", f"{path} is {said.text}, and {oldest} or newer is needed", hint)]
    return [Finding("ninja", "ok", f"{path} ({said.text})")]


def go(subject: Subject) -> list[Finding]:
    """For projects with a Go package; making it takes no Go, building with it does."""
    if subject.config.go is None:
        return []
    path = shutil.which("go")
    if path is None:
        found = "there is no go on PATH: the package is made, and can't be built with here"
        return [Finding("go", "warning", found, "install it from go.dev/dl, or from your system's packages")]
    said = ask((path, "version"))
    level = "ok" if said.code == 0 else "warning"
    return [Finding("go", level, f"{path} ({said.last.replace('go version ', '')})")]


def kvm(path: str = "/dev/kvm") -> Iterator[Finding]:
    """Whether virtual machines run fast here. Only Linux has it."""
    if not sys.platform.startswith("linux"):
        return
    if not os.path.exists(path):
        hint = f"run  {as_root()}modprobe -a kvm_intel kvm_amd  or, inside a virtual machine, turn on its nesting"
        yield Finding("kvm", "warning", f"there is no {path}: virtual machines would be slow", hint)
    elif not os.access(path, os.R_OK | os.W_OK):
        hint = "run  sudo usermod -aG kvm $USER  and log in again"
        yield Finding("kvm", "warning", f"{path} may not be opened: virtual machines would be slow", hint)
    else:
        yield Finding("kvm", "ok", path)
