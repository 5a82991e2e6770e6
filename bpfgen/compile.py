"""Unit → edges: clang, link, strip. Pure."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from itertools import chain
from typing import Optional, Union

from bpfgen.builders.settings import SOCKET
from bpfgen.cc import HOW, VMLINUX
from bpfgen.cc.job import TARGET
from bpfgen.cc.lean import unfinished, without_dwarf
from bpfgen.config.schema import Config
from bpfgen.config.values import MacroValue
from bpfgen.frozen import frozen
from bpfgen.graph import CC, FOLDER, LINK, STEP, Action, Ahead, Alone, Edge
from bpfgen.host import Host
from bpfgen.launcher import COMPILER, LAUNCHER, prefix_maps, quoted
from bpfgen.matrix import Settings, Target, Unit

OWN_FLAGS = ("-O2", "-g", "-fno-ident", "-ffile-compilation-dir=.")
"""Flags of every compile; `-g` makes the BTF, the rest keeps the machine out of the object."""


REDUCED = (VMLINUX, HOW)
"""What the compile keeps of a reduced header (see `cc.index`, `cc.main`)."""


@frozen
class Layout:
    """Names of files below the output folder."""

    out: str

    def object(self, unit: Unit) -> str:
        """The object."""
        return f"{self.out}/obj/{unit.id}.bpf.o"

    def parts(self, unit: Unit) -> list[str]:
        """What each source is compiled to: the object, or bitcode where there are several to link."""
        if len(unit.files) == 1:
            return [self.object(unit)]
        stems = (os.path.basename(file)[: -len(".c")] for file in unit.files)
        return [f"{self.out}/parts/{unit.id}/{index}-{stem}.bc" for index, stem in enumerate(stems)]

    def reduced(self, output: str) -> str:
        """The folder of the reduced `vmlinux.h` of one of `parts` (see `cc.job`)."""
        return f"{self.out}/fast/{output[len(self.out) + 1 :]}"

    def vmlinux(self, kernel: str, arch: str) -> str:
        """The folder of a kernel target's `vmlinux.h`."""
        return f"{self.out}/vmlinux/{kernel}/{arch}"

    def types(self, kernel: str, arch: str) -> str:
        """A kernel target's types, as raw BTF."""
        return f"{self.vmlinux(kernel, arch)}/vmlinux.btf"

    def note(self, name: str) -> str:
        """A file that bpfgen keeps for itself."""
        return f"{self.out}/.bpfgen/{name}"


def layout_of(config: Config) -> Layout:
    """Where this project's files go."""
    return Layout(config.project.out.rstrip("/"))


@frozen
class Words:
    """What the compiles of many units have in common."""

    clang: tuple[str, ...]
    """The compiler and its flags, as an editor shall see them."""
    base: tuple[str, ...]
    """The same in an edge: behind what runs them, and with what that is told."""
    first: Optional[Union[Ahead, Alone]] = None
    """What the shell does of a compile: that with the reduced header that was there before, which is nearly always the
    right one; or all of it, where there is no `vmlinux.h`."""


Known = dict[tuple[Target, Optional[str], Settings], Words]
"""`Words` by what they follow from where a unit has one source: its target, `vmlinux` and settings."""


def unit_edges(unit: Unit, host: Host, layout: Layout, known: Optional[Known] = None) -> Iterator[Edge]:
    """The edges that make one object. The first ones are the compiles, one for each source, in order.

    `known` keeps words from one call to the next, for the same host and layout: 10,000 units may share ten `Words`.
    """
    parts = layout.parts(unit)
    if len(parts) == 1:
        known = {} if known is None else known
        kind = (unit.target, unit.vmlinux, unit.settings)
        if kind not in known:
            how = "--bpfgen-lean=script" if host.launcher.scripted else "--bpfgen-lean"
            lean = (how,) if is_lean(unit, host) else ()
            words = _words(unit, host, layout, (), (*_strip(unit), *lean))
            known[kind] = dataclasses.replace(words, first=_first(unit, host, layout, words.clang))
        yield _compile(unit, layout, unit.files[0], parts[0], known[kind])
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
    for file, part in zip(unit.files, parts):
        yield _compile(unit, layout, file, part, _words(unit, host, layout, extra, ()))
    yield _link(unit, host, layout, parts)


def can_reduce(unit: Unit) -> bool:
    """Whether a unit's `vmlinux.h` may be reduced. Not that of several sources: when clang links them, it makes one
    type of those that are the same in each, or leaves two, by what they lead to (LLVM's ValueMapper, of cycles).
    """
    return unit.vmlinux is not None and unit.settings.fast and len(unit.files) == 1


def is_lean(unit: Unit, host: Host) -> bool:
    """Whether no DWARF is made where the whole `vmlinux.h` isn't read, since it would be stripped."""
    return host.clang.lean and unit.settings.strip and unit.settings.fast and len(unit.files) == 1


def _words(unit: Unit, host: Host, layout: Layout, extra: tuple[str, ...], own: tuple[str, ...]) -> Words:
    """`extra` are more words of clang's, `own` are the driver's (see `cc.main`)."""
    flags = (*_flags(unit, host, layout), *extra)
    reduce = (f"--bpfgen-reduce={_vmlinux(unit, layout)}",) if can_reduce(unit) else ()
    return Words((*host.clang.command, *flags), (*compiler(host, layout), *flags, *own, *reduce))


def _first(unit: Unit, host: Host, layout: Layout, clang: tuple[str, ...]) -> Optional[Union[Ahead, Alone]]:
    """Not with a launcher, which may have no need of clang, nor where clang is elsewhere."""
    if host.launcher.words or host.builder:
        return None
    lean = without_dwarf(unit.target.clang, host.package) if is_lean(unit, host) else ()
    if lean and unit.vmlinux is None:
        return Alone((*clang, *lean), TARGET, unfinished(unit.target.clang))
    if not can_reduce(unit):
        return None
    folder = _vmlinux(unit, layout)
    return Ahead((*(FOLDER if word == folder else word for word in clang), *lean), VMLINUX, TARGET)


def _vmlinux(unit: Unit, layout: Layout) -> str:
    """The folder of the unit's `vmlinux.h`; empty where it has none."""
    return layout.vmlinux(unit.vmlinux, unit.target.arches[0]) if unit.vmlinux else ""


def _compile(unit: Unit, layout: Layout, source: str, output: str, words: Words) -> Edge:
    folder = _vmlinux(unit, layout)
    args = ("-c", _operand(source), "-o", output)
    return Edge(
        outputs=(output,),
        inputs=(source,),
        implicit=(layout.note("toolchain"),),
        order_only=(f"{folder}/vmlinux.h",) if folder else (),  # the depfile says whether it was read
        rule=CC,
        what=f"{source} for {unit.id}",
        action=Action(words.base, ("-MD", "-MF", f"{output}.d", *args)),
        compiler=Action(words.clang, args),
        first=words.first,
        folder=layout.reduced(output) if isinstance(words.first, Ahead) else "",
        aside=tuple(f"{layout.reduced(output)}/{name}" for name in REDUCED) if can_reduce(unit) else (),
    )


def _link(unit: Unit, host: Host, layout: Layout, parts: list[str]) -> Edge:
    # The empty source makes clang 14 link too: it ignores the option when its input is bitcode.
    linked = os.path.join(host.package, "clang", "linked.c")
    words = [word for part in parts for word in ("-Xclang", "-mlink-bitcode-file", "-Xclang", part)]
    flags = (*_target(unit, host), *unit.settings.cflags, "-Wno-unused-command-line-argument", *_strip(unit))
    return Edge(
        outputs=(layout.object(unit),),
        inputs=tuple(parts),
        implicit=(layout.note("toolchain"), linked),
        rule=LINK,
        action=Action(
            (*driver(host, layout, launched=False), *flags, "-x", "c", "-c", linked),
            (*words, "-o", layout.object(unit)),
        ),
    )


def _strip(unit: Unit) -> tuple[str, ...]:
    return ("--bpfgen-strip",) if unit.settings.strip else ()


# Without the site packages, Python starts in half the time.
DRIVER = "import sys; sys.path.insert(0, sys.argv.pop(1)); from bpfgen.cc.main import start; start()"


def driver(host: Host, layout: Layout, launched: bool = True) -> tuple[str, ...]:
    """The words that run clang by way of `cc.main`, up to those that every compile has of its own; `launched` is
    whether the launcher runs it where that is within.
    """
    launcher = host.launcher.words if launched and not host.launcher.outside else ()
    options = [("-o", layout.out), *(("-b", path) for path in host.clang.include), *(("-l", word) for word in launcher)]
    if host.builder:
        options += [("-r", layout.note(SOCKET)), ("-s", host.builder.sysroot)]
        options += [("-k", path) for path in host.builder.readable]
    python = (host.python, "-I", "-S", "-c", DRIVER, os.path.dirname(host.package))
    wrapped = (layout.note(COMPILER),) if launcher and host.launcher.script else host.clang.command
    return (*python, *chain.from_iterable(options), "--", *wrapped)


def compiler(host: Host, layout: Layout) -> tuple[str, ...]:
    """The same for an edge that may be answered by a cache: then the cache's words, which know what the driver is."""
    return host.launcher.words if host.launcher.outside else driver(host, layout)


def compiler_scripts(host: Host, layout: Layout) -> dict[str, str]:
    """The scripts that stand between a launcher and the compiler, by their paths."""
    scripts = {layout.note(LAUNCHER): host.launcher.setup, layout.note(COMPILER): host.launcher.script}
    if host.launcher.outside:
        scripts[layout.note(COMPILER)] = f'#!/bin/sh\nexec {quoted(driver(host, layout))} "$@"\n'
    return {name: text for name, text in scripts.items() if text}


def _target(unit: Unit, host: Host) -> tuple[str, ...]:
    maps = () if host.launcher.scripted else prefix_maps(host.root, host.labels)
    return ("-target", unit.target.clang, f"-mcpu={unit.settings.mcpu}", *OWN_FLAGS, *maps)


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


# `python -m` would put the project's folder first on the module path, where a file named json.py can wait.
BOOT = "import sys; sys.path[:] = filter(None, sys.path); from bpfgen.{module} import main; sys.exit(main())"


# Finding the libraries by itself takes Python a third of its start.
STEP_BOOT = "import sys; sys.path += [sys.argv.pop(1) for _ in range({count})]; from bpfgen.steps import start; start()"


def step_edge(
    host: Host,
    words: tuple[str, ...],
    outputs: tuple[str, ...],
    inputs: tuple[str, ...],
    implicit: tuple[str, ...] = (),
) -> Edge:
    """An edge that runs one of bpfgen's own steps; `words` are the step's name and its arguments."""
    boot = STEP_BOOT.format(count=len(host.libraries))
    base = (host.python, "-I", "-S", "-c", boot, *host.libraries)
    return Edge(outputs, inputs, implicit, rule=STEP, action=Action(base, words))
