"""Unit → edges: vmlinux.h, clang, link, strip. Pure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain

from bpfgen.config.schema import Config, MacroValue
from bpfgen.frozen import frozen
from bpfgen.graph import CC, LINK, STEP, Action, Edge
from bpfgen.host import Host
from bpfgen.matrix import Unit

OWN_FLAGS = ("-O2", "-g", "-fno-ident", "-ffile-compilation-dir=.")
"""Flags of every compile; `-g` makes the BTF, the rest keeps the machine out of the object."""


REDUCED = ("vmlinux.h", "how")
"""What the compile keeps of a reduced header (see `cc.index`, `cc.main`)."""


@frozen
class Layout:
    """Names of files below the output folder."""

    out: str

    def object(self, unit: Unit) -> str:
        """The stripped object."""
        return f"{self.out}/obj/{unit.id}.bpf.o"

    def debug(self, unit: Unit) -> str:
        """The object as clang made it, with DWARF."""
        return f"{self.out}/debug/{unit.id}.bpf.o"

    def bitcode(self, unit: Unit, index: int) -> str:
        """One source of several, compiled and not yet linked."""
        stem = os.path.basename(unit.files[index])[: -len(".c")]
        return f"{self.out}/debug/{unit.id}.d/{index}-{stem}.bc"

    def reduced(self, output: str) -> str:
        """The folder of the reduced `vmlinux.h` of an output of clang's, an object or bitcode (see `cc.main`)."""
        name = output[len(f"{self.out}/debug/") :]
        return f"{self.out}/fast/{name.removesuffix('.bpf.o')}"

    def vmlinux(self, kernel: str, arch: str) -> str:
        """The folder of a kernel target's `vmlinux.h`."""
        return f"{self.out}/vmlinux/{kernel}/{arch}"

    def note(self, name: str) -> str:
        """A file that bpfgen keeps for itself."""
        return f"{self.out}/.bpfgen/{name}"


def layout_of(config: Config) -> Layout:
    """Where this project's files go."""
    return Layout(config.project.out.rstrip("/"))


def unit_edges(unit: Unit, host: Host, layout: Layout) -> Iterator[Edge]:
    """The edges that make one object. The first ones are the compiles, one for each source, in order."""
    if len(unit.files) == 1:
        yield _compile(unit, host, layout, unit.files[0], layout.debug(unit), ())
        return
    # libbpf's linker works on objects (`bpftool gen object`); clang links the sources' bitcode itself, before it
    # optimises, with no other tool and the same result on every host.
    extra = (
        "-include",
        os.path.join(host.package, "clang", "license.h"),
        "-emit-llvm",
        "-Xclang",
        "-disable-llvm-passes",
    )
    parts = [layout.bitcode(unit, index) for index in range(len(unit.files))]
    for file, part in zip(unit.files, parts):
        yield _compile(unit, host, layout, file, part, extra)
    yield _link(unit, host, layout, parts)


def _compile(unit: Unit, host: Host, layout: Layout, source: str, output: str, extra: tuple[str, ...]) -> Edge:
    folder = layout.vmlinux(unit.vmlinux, unit.target.arches[0]) if unit.vmlinux else ""
    flags = (*_flags(unit, host, layout), *extra)
    args = ("-c", _operand(source), "-o", output)
    options = [("-l", word) for word in host.launcher.command]
    options += [("-e", f"{name}={value}") for name, value in host.launcher.environment]
    fast: tuple[str, ...] = ()
    if can_reduce(unit):
        options.append(("-v", folder))
        options += [("-b", path) for path in host.clang.include]
        fast = tuple(f"{layout.reduced(output)}/{name}" for name in REDUCED)
    stripped = len(unit.files) == 1
    return Edge(
        outputs=(layout.object(unit) if stripped else output,),
        inputs=(source,),
        implicit=(layout.note("toolchain"),),
        order_only=(f"{folder}/vmlinux.h",) if folder else (),  # the depfile says whether it was read
        rule=CC,
        what=f"{source} for {unit.id}",
        action=Action((*_driver(host, layout, options), *flags, "-MD"), args),
        compiler=Action(flags, args),
        aside=((output,) if stripped else ()) + fast,
    )


def can_reduce(unit: Unit) -> bool:
    """Whether a unit's `vmlinux.h` may be reduced. Not that of several sources: when clang links them, it makes one
    type of those that are the same in each, or leaves two, by what they lead to (LLVM's ValueMapper, of cycles).
    """
    return unit.vmlinux is not None and unit.settings.fast and len(unit.files) == 1


def _link(unit: Unit, host: Host, layout: Layout, parts: list[str]) -> Edge:
    # The empty source makes clang 14 link too: it ignores the option when its input is bitcode.
    linked = os.path.join(host.package, "clang", "linked.c")
    words = [word for part in parts for word in ("-Xclang", "-mlink-bitcode-file", "-Xclang", part)]
    flags = (*_target(unit, host), *unit.settings.cflags, "-Wno-unused-command-line-argument", "-x", "c", "-c", linked)
    return Edge(
        outputs=(layout.object(unit),),
        inputs=tuple(parts),
        implicit=(layout.note("toolchain"), linked),
        rule=LINK,
        action=Action((*_driver(host, layout), *flags), (*words, "-o", layout.debug(unit))),
        aside=(layout.debug(unit),),
    )


# Without the site packages, Python starts in half the time.
DRIVER = "import sys; sys.path.insert(0, sys.argv.pop(1)); from bpfgen.cc.main import main; sys.exit(main())"


def _driver(host: Host, layout: Layout, options: Iterable[tuple[str, str]] = ()) -> tuple[str, ...]:
    """What runs clang in an edge, up to clang's own words (see `cc.main`)."""
    words = [("-o", layout.out), *options]
    return (host.python, "-I", "-S", "-c", DRIVER, os.path.dirname(host.package), *chain(*words), "--")


def _target(unit: Unit, host: Host) -> tuple[str, ...]:
    folders = ((host.root, "."), *host.labels)
    # clang splits the option at its first `=`; sources are named relative to the project, so little is lost.
    maps = (f"-ffile-prefix-map={folder}={label}" for folder, label in folders if "=" not in folder)
    return (*host.clang.command, "-target", unit.target.clang, f"-mcpu={unit.settings.mcpu}", *OWN_FLAGS, *maps)


def _flags(unit: Unit, host: Host, layout: Layout) -> tuple[str, ...]:
    """The flags of every source of a unit; units of equal flags share a variable of the Ninja file."""
    settings = unit.settings
    define = (f"-D__TARGET_ARCH_{unit.target.define}",) if unit.target.define else ()
    vmlinux: tuple[str, ...] = ()
    if unit.vmlinux:
        # Kernels from 6.19 on are written with -fms-extensions, and clang drops the members it doesn't know.
        vmlinux = ("-fms-extensions", "-isystem", layout.vmlinux(unit.vmlinux, unit.target.arches[0]))
    return (
        *_target(unit, host),
        *define,
        *settings.cflags,
        *(macro(name, value) for name, value in settings.define),
        *(word for folder in settings.include for word in ("-I", folder)),
        *vmlinux,
        *host.headers[unit.target.arches[0]],
    )


def macro(name: str, value: MacroValue) -> str:
    """The flag that defines a macro, or undefines it."""
    if value is True:
        return f"-D{name}"
    return f"-U{name}" if value is False else f"-D{name}={value}"


def _operand(path: str) -> str:
    """A path that no tool takes for an option."""
    return f"./{path}" if path.startswith(("-", "@")) else path


def vmlinux_edges(config: Config, units: Iterable[Unit], host: Host, layout: Layout) -> Iterator[Edge]:
    """One edge for each `vmlinux.h` that a unit can include."""
    wanted = dict.fromkeys((unit.vmlinux, unit.target.arches[0]) for unit in units if unit.vmlinux)
    for kernel, arch in wanted:
        btf = btf_path(config, str(kernel), arch)
        folder = layout.vmlinux(str(kernel), arch)
        files = tuple(f"{folder}/{name}" for name in ("vmlinux.h", "vmlinux.index"))
        tool = (host.bpftool,) if host.bpftool else ()
        yield step_edge(host, ("vmlinux", host.bpftool or "", btf, folder), files, (btf,), tool)


def btf_path(config: Config, kernel: str, arch: str) -> str:
    """The file of a kernel target's types for an architecture."""
    return str(config.kernel[kernel].btf).replace("{arch}", arch)


# `python -m` would put the project's folder first on the module path, where a file named json.py can wait.
BOOT = "import sys; sys.path[:] = filter(None, sys.path); from bpfgen.{module} import main; sys.exit(main())"


def step_edge(
    host: Host,
    words: tuple[str, ...],
    outputs: tuple[str, ...],
    inputs: tuple[str, ...],
    implicit: tuple[str, ...] = (),
) -> Edge:
    """An edge that runs one of bpfgen's own steps; `words` are the step's name and its arguments."""
    base = (host.python, "-c", BOOT.format(module="steps"))
    return Edge(outputs, inputs, implicit, rule=STEP, action=Action(base, words))
