"""The build files that people write by hand: make with the rule of libbpf-tools, and Ninja with depfiles."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Command
from benchmarks.tools import Tools, wheel


@dataclass(frozen=True)
class Arch:
    """An architecture, by everyone's name of it."""

    go: str
    kernel: str
    target: str
    """clang's."""

    @property
    def name(self) -> str:
        """bpfgen's and bpf2go's name of its objects."""
        return f"{self.kernel}_{'bpfeb' if self.target == 'bpfeb' else 'bpfel'}"


X86 = Arch("amd64", "x86", "bpf")
ARM64 = Arch("arm64", "arm64", "bpf")
S390 = Arch("s390x", "s390", "bpfeb")


@dataclass(frozen=True)
class Compiler:
    """A clang, the strip beside it, and where its headers are."""

    command: tuple[str, ...]
    strip: str
    headers: tuple[str, ...] = ()


def system(tools: Tools) -> Compiler:
    """The system's clang."""
    return Compiler((tools.clang,), tools.strip)


def from_wheel(tools: Tools) -> Compiler:
    """The wheel's clang. It must not look into /usr/include, and doesn't find its own headers (see bpfgen/host.py)."""
    folder = wheel()
    places = [folder / "lib" / "include", *(folder / f"lib/libc/include/{arch}-linux-any" for arch in ("x86", "any"))]
    words = ("-nostdinc", *(word for place in places for word in ("-isystem", str(place))))
    return Compiler((str(folder / "zig"), "clang"), tools.strip, words)


@dataclass(frozen=True)
class Compile:
    """One object for a hand-written Ninja file."""

    output: str
    sources: tuple[str, ...]
    target: tuple[str, ...]
    """Flags that a link needs too."""
    flags: tuple[str, ...]


NINJA_RULES = """\
ninja_required_version = 1.10
clang = {clang}
strip = {strip}

rule bpf
  command = $clang -O2 -g $flags -MD -MF $out.d -c $in -o $out && $strip -g $out
  depfile = $out.d
  deps = gcc

rule bitcode
  command = $clang -O2 -g $flags -emit-llvm -MD -MF $out.d -c $in -o $out
  depfile = $out.d
  deps = gcc

rule link
  command = {link} $in -o $out.bc && $clang -O2 $flags -c $out.bc -o $out && $strip -g $out

"""


def ninja_file(compiler: Compiler, compiles: Iterable[Compile], link: str = "llvm-link", prefix: str = "") -> str:
    """A `build.ninja`. Several sources are linked as bitcode, which knows both byte orders; `prefix` is a header that
    each of them includes first.
    """
    clang = shlex.join((*compiler.command, *compiler.headers))
    lines = [NINJA_RULES.format(clang=clang, strip=compiler.strip, link=link)]
    for one in compiles:
        target, flags = shlex.join(one.target), shlex.join((*one.target, *one.flags))
        if len(one.sources) == 1:
            lines.append(f"build {one.output}: bpf {one.sources[0]}\n  flags = {flags}\n")
            continue
        parts = [f"{one.output}.{number}.bc" for number in range(len(one.sources))]
        for source, part in zip(one.sources, parts):
            lines.append(f"build {part}: bitcode {source}\n  flags = {flags} -include {shlex.quote(prefix)}\n")
        lines.append(f"build {one.output}: link {' '.join(parts)}\n  flags = {target}\n")
    return "".join(lines)


MAKE_HEAD = """\
CLANG := {clang}
LLVM_STRIP := {strip}
BPFCFLAGS := -g -O2 -Wall -mcpu=v3
OUTPUT := .output
INCLUDES := -I../libbpf
TOOLS := {programs}

.PHONY: all
all: {all}
"""

# libbpf-tools/Makefile, with the architecture's name written out. Its own prerequisite is $(wildcard %.h), which make
# expands to nothing: an edited header would rebuild nothing. Here it is what is meant.
MAKE_RULE = """
$(OUTPUT)/{name}:
	mkdir -p $@

$(OUTPUT)/{name}/%.bpf.o: %.bpf.c $(wildcard *.h) {kernel}/vmlinux.h | $(OUTPUT)/{name}
	$(CLANG) $(BPFCFLAGS) -target {target} -D__TARGET_ARCH_{kernel} \\
		-I{kernel}/ $(INCLUDES) -c $(filter %.c,$^) -o $@ && \\
	$(LLVM_STRIP) -g $@
"""

MAKE_TAIL = """
.DELETE_ON_ERROR:
.SECONDARY:
"""


def makefile(compiler: Compiler, programs: Sequence[str], arches: Sequence[Arch]) -> str:
    """A Makefile with the rule of libbpf-tools, for the programs named."""
    wanted = " ".join(f"$(TOOLS:%=$(OUTPUT)/{arch.name}/%.bpf.o)" for arch in arches)
    clang = shlex.join((*compiler.command, *compiler.headers))
    head = MAKE_HEAD.format(clang=clang, strip=compiler.strip, programs=" ".join(programs), all=wanted)
    rules = [MAKE_RULE.format(name=arch.name, kernel=arch.kernel, target=arch.target) for arch in arches]
    return "".join((head, *rules, MAKE_TAIL))


def ninja_command(tools: Tools, folder: Path, *words: str) -> Command:
    """Ninja, with as many jobs as there are processors: by itself it would start one or two more than make."""
    return Command((tools.ninja, f"-j{tools.jobs}", *words), folder, tools.environment())


def make_command(tools: Tools, folder: Path, ccache: bool = False) -> Command:
    """make."""
    env = tools.environment(folder / ".ccache" if ccache else None)
    return Command(("make", f"-j{tools.jobs}"), folder, env)
