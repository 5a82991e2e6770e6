"""Headers: the kernel's user-space ones of each architecture, and libbpf's."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence

from bpfgen.doctor import Finding
from bpfgen.doctor.mend import debian_arch, install, manager
from bpfgen.doctor.subject import Subject
from bpfgen.host import arch_headers
from bpfgen.matrix import Unit
from bpfgen.toolchain import Clang

ASM, LIBBPF = "asm/types.h", "bpf/bpf_helpers.h"
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


def check(subject: Subject, clang: Clang) -> list[Finding]:
    """A finding for each architecture, and one for libbpf."""
    rows = [_asm(subject, clang, arch) for arch in subject.arches]
    return [*rows, _libbpf(subject, clang)]


def _asm(subject: Subject, clang: Clang, arch: str) -> Finding:
    name, folders = f"headers {arch}", arch_headers(clang, arch)
    found = next((folder for folder in (*folders, *clang.include) if _holds(folder, ASM)), "")
    if found:
        return Finding(name, "ok", f"<{ASM}> in {found}")
    units = [unit for unit in subject.units if unit.target.arches[0] == arch]
    user = _user(subject, units, ASM, (*folders, *clang.include))
    message = f"no folder has <{ASM}> for {arch}"
    if user:
        return Finding(name, "failure", f"{message}, which {user} needs", _asm_mend(arch))
    return Finding(name, "warning", f"{message}; no source needs it", _asm_mend(arch))


def _asm_mend(arch: str) -> str:
    if manager() == "apt-get":
        return install("headers-{arch}", arch=debian_arch(arch))
    # Other systems have the headers of their own architecture alone.
    return "run  pip install 'bpfgen[clang]'  which brings them for every architecture"


def _libbpf(subject: Subject, clang: Clang) -> Finding:
    folders = (*(arch_headers(clang, subject.arches[0]) if subject.arches else ()), *clang.include)
    own = {folder for unit in subject.units for folder in unit.settings.include}
    places = (*sorted(os.path.join(subject.root, folder) for folder in own), *folders)
    found = next((folder for folder in places if _holds(folder, LIBBPF)), "")
    user = _user(subject, subject.units, LIBBPF, folders)
    if user:
        return Finding(
            "libbpf", "failure", f"no include folder has <{LIBBPF}>, which {user} includes", _bpf_mend(clang)
        )
    if found:
        return Finding("libbpf", "ok", f"<{LIBBPF}> in {found}")
    if subject.units:
        return Finding("libbpf", "ok", f"no source includes <{LIBBPF}>")
    return Finding("libbpf", "warning", f"no folder has <{LIBBPF}>, which most programs include", _bpf_mend(clang))


def _bpf_mend(clang: Clang) -> str:
    if clang.kind == "wheel":
        # It sees no folder of the system.
        copy = "mkdir -p include && cp -r /usr/include/bpf include/"
        return f'{install("libbpf")} && {copy}  and write  include = ["include"]  below [compile]'
    return install("libbpf")


def _holds(folder: str, name: str) -> bool:
    return os.path.isfile(os.path.join(folder, name))


def _user(subject: Subject, units: Iterable[Unit], name: str, system: Sequence[str]) -> str:
    """The first source that includes the header, also through others, where none of its folders has it; or nothing."""
    for files, include in dict.fromkeys((unit.files, unit.settings.include) for unit in units):
        folders = (*(os.path.join(subject.root, folder) for folder in include), *system)
        if any(_holds(folder, name) for folder in folders):
            continue
        for file in files:
            if name in _names(os.path.join(subject.root, file), folders, set()):
                return file
    return ""


def _names(path: str, folders: Sequence[str], seen: set[str]) -> Iterator[str]:
    """The names that a file includes, also through others; by its text alone, whatever stands around an `#include`."""
    seen.add(path)
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return
    for quote, name in _INCLUDE.findall(text):
        yield name
        places = (os.path.dirname(path), *folders) if quote == '"' else folders
        inner = next((os.path.join(folder, name) for folder in places if _holds(folder, name)), "")
        if inner and inner not in seen:
            yield from _names(inner, folders, seen)
