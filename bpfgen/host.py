"""What bpfgen must know of the machine it runs on, asked once at the rim and passed in."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from typing import Optional

from bpfgen.builders.settings import Settings
from bpfgen.catalog import Arch, arches
from bpfgen.config.report import Report, quoted
from bpfgen.config.schema import Config
from bpfgen.config.values import UNWRITABLE
from bpfgen.errors import Failure, Problem
from bpfgen.frozen import frozen
from bpfgen.launcher import Launcher, find_launcher, refuse_elsewhere, said
from bpfgen.matrix import Unit
from bpfgen.outputs import asked
from bpfgen.toolchain import Cache, Clang, find_clang, has_clang, wheel_file


@frozen
class Host:
    """Facts of this machine; nothing in it changes while bpfgen runs."""

    root: str
    """The project's absolute path."""
    python: str
    """The interpreter that runs bpfgen, for edges that call its steps."""
    package: str
    """The folder of bpfgen's own files."""
    libraries: tuple[str, ...]
    """Folders that bpfgen and the libraries that it uses are imported from, in their order."""
    clang: Clang
    headers: Mapping[str, tuple[str, ...]]
    """Architecture → flags for the compiler's and the kernel's user-space headers."""
    labels: tuple[tuple[str, str], ...]
    """Folders outside the project → what they are called in an object, so that no path of this machine gets into it."""
    bpftool: Optional[str]
    launcher: Launcher
    driver: str
    """A hash of bpfgen's code that runs the compiler and works on what it gives: another one compiles again."""
    watch: tuple[str, ...]
    """Files that say that this must be asked again."""
    header_tool: Optional[str] = None
    """The bpftool that makes `vmlinux.h`; None where bpfgen does it."""
    builder: Optional[Settings] = None
    """The container that clang runs in; None where it runs on this host."""


SOUND_BPFTOOL = (7, 5)
"""The first version of bpftool whose headers are as the kernel is, but for a few rare unions: 7.1 gives an enum of one
byte four, which moves members of `struct inode` and 16 other types of Linux 6.12."""
LIBRARIES = ("elftools", "jinja2", "tomli")
"""What the steps import of others."""


def probe(root: str, config: Config, units: Iterable[Unit], cache: Cache, report: Report) -> Optional[Host]:
    """The facts that building `units` needs; None when a tool is missing, with the problem reported."""
    units = tuple(units)
    clang, builder, asm = _compiler(root, config, cache, report)
    bpftool = find_bpftool(config, units, cache, report)
    package = os.path.dirname(os.path.abspath(__file__))
    driver = _driver(package)
    labels = tuple(_labels(clang, package)) if clang else ()
    launcher = find_launcher(root, config, clang, driver, labels, cache, report) if clang else None
    if builder and launcher:
        refuse_elsewhere(launcher, builder.kind, report)
    if clang is None or launcher is None or len(report):
        return None
    libraries = _libraries(package)
    _refuse_unwritable((*libraries, *clang.watch, *launcher.watch))
    names = dict.fromkeys(arch for unit in units for arch in unit.target.arches)
    return Host(
        root=root,
        python=sys.executable,
        package=package,
        libraries=libraries,
        clang=clang,
        headers={name: _headers(clang, arches()[name], asm) for name in names},
        labels=labels,
        bpftool=bpftool,
        launcher=launcher,
        driver=driver,
        watch=(*clang.watch, *launcher.watch, *([bpftool] if bpftool else [])),
        header_tool=bpftool if bpftool and makes_headers(config, bpftool, cache) else None,
        builder=builder,
    )


def _libraries(package: str) -> tuple[str, ...]:
    """The folders of the module path that have the libraries, however bpfgen was started: that adds a folder, too."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    own = os.path.dirname(package)
    folders = [path for path in sys.path if path in given or path.endswith(("site-packages", "dist-packages"))]
    found = {name for folder in folders for name in LIBRARIES if os.path.isdir(os.path.join(folder, name))}
    return tuple(dict.fromkeys((*filter(os.path.isabs, folders if len(found) == len(LIBRARIES) else sys.path), own)))


def _compiler(
    root: str, config: Config, cache: Cache, report: Report
) -> tuple[Optional[Clang], Optional[Settings], Optional[frozenset[str]]]:
    """The compiler, the container it runs in, and folders of headers in that one; with problems reported."""
    kind, images = config.builder.kind, (config.builder.docker, config.builder.podman)
    if kind == "native" or (kind == "auto" and (not any(images) or has_clang(root, config, cache))):
        return find_clang(root, config, cache, report), None, None
    from bpfgen.builders.compiler import find

    return find(root, config, cache, report)


def _driver(package: str) -> str:
    import hashlib

    code = hashlib.sha256()
    for name in ("cc", "files.py", "forwards.py", "strip.py"):
        path = os.path.join(package, name)
        for file in package_files(path) or [path]:
            with open(file, "rb") as stream:
                code.update(stream.read())
    return code.hexdigest()[:16]


def _refuse_unwritable(paths: Iterable[str]) -> None:
    bad = [path for path in paths if re.search(rf"[{UNWRITABLE}]", path)]
    problems = [
        Problem(None, f"Ninja can't write the path {quoted(path)}", "install it in another folder") for path in bad
    ]
    if problems:
        raise Failure(problems)


def _headers(clang: Clang, arch: Arch, asm: Optional[frozenset[str]]) -> tuple[str, ...]:
    if clang.kind == "wheel":
        # Nothing of the host: zig's clang would look into /usr/include, and doesn't find its own headers there.
        folders = (os.path.join(clang.resources, "include"), *_wheel_headers(arch))
        return ("-nostdinc", *(word for folder in folders for word in ("-isystem", folder)))
    for folder in (f"/usr/include/{arch.triple}", f"/usr/{arch.triple}/include"):
        if os.path.isfile(os.path.join(folder, "asm", "types.h")) if asm is None else folder in asm:
            return ("-idirafter", folder)
    return tuple(word for folder in _wheel_headers(arch) for word in ("-isystem", folder))


def _wheel_headers(arch: Arch) -> tuple[str, ...]:
    """The wheel's folders of `<asm/…>` and `<linux/…>` for an architecture; none where it isn't installed."""
    base = wheel_file("lib", "libc", "include")
    if base is None:
        return ()
    return tuple(os.path.join(base, f"{name}-linux-any") for name in (arch.headers, "any"))


def _labels(clang: Clang, package: str) -> Iterable[tuple[str, str]]:
    yield package, "bpfgen"
    if clang.kind == "system":
        yield clang.resources, "clang"
        yield "/usr/include", "include"
    wheel = wheel_file("lib")
    # One that says nothing where there is no wheel: hosts with it and without it share objects (see `prefix_maps`).
    yield (wheel, "ziglang") if wheel is not None else (".", ".")


def find_bpftool(config: Config, units: Iterable[Unit], cache: Cache, report: Report) -> Optional[str]:
    """The bpftool that makes headers for `units`; None where they need none, or bpfgen is to make them. One that was
    named and isn't there is reported.
    """
    typed = {unit.vmlinux for unit in units if unit.vmlinux}
    raw = [f'vmlinux.h of kernel "{name}"' for name in sorted(typed) if not str(config.kernel[name].btf).endswith(".h")]
    needed = [f"what [{output.name}] asks for" for output in asked(config) if output.bpftool]
    if not raw and not needed:
        return None
    wanted = config.toolchain.bpftool
    if wanted == "none" and not needed:
        return None
    found = which_bpftool(wanted)
    if found is None and (needed or wanted != "auto"):
        message = f"no bpftool was found to make {[*needed, *raw][0]}"
        hint = "install bpftool from your system's packages" if needed else 'bpftool = "none"  has bpfgen make it'
        report.add(("toolchain", "bpftool"), message, hint)
    return found if found and (needed or makes_headers(config, found, cache)) else None


def makes_headers(config: Config, bpftool: str, cache: Cache) -> bool:
    """Whether a bpftool is to make `vmlinux.h`: one that was named always."""
    return config.toolchain.bpftool != "auto" or bpftool_version(bpftool, cache) >= SOUND_BPFTOOL


def bpftool_version(path: str, cache: Cache) -> tuple[int, ...]:
    """The version of a bpftool, as it says; empty where it doesn't work, as Ubuntu's without the running kernel's."""
    stat = os.stat(path)
    key = f"bpftool {path} {stat.st_size} {stat.st_ctime_ns}"
    if key not in cache:
        cache[key] = said((path, "version"))
    version = re.search(r"bpftool v(\d+(?:\.\d+)*)", str(cache[key]))
    return tuple(map(int, version[1].split("."))) if version else ()


def which_bpftool(wanted: str) -> Optional[str]:
    """The path of a bpftool by its name; `auto` is any. Debian keeps it in /usr/sbin, which is on root's PATH only."""
    search = os.pathsep.join((*os.get_exec_path(), "/usr/sbin", "/sbin"))
    return shutil.which("bpftool" if wanted == "auto" else wanted, path=search)


def package_files(folder: str) -> list[str]:
    """Every file of a folder of bpfgen's own, sorted, without what Python caches."""
    return sorted(
        os.path.join(base, name)
        for base, _, names in os.walk(folder)
        if not base.endswith("__pycache__")
        for name in names
    )


def arch_headers(clang: Clang, arch: str) -> tuple[str, ...]:
    """The folders of a compiler's own and the kernel's user-space headers that an architecture is compiled with."""
    return tuple(word for word in _headers(clang, arches()[arch], None) if not word.startswith("-"))
