"""Writes a Ninja file as a script of a few lines would: no checks, no config, only joined strings.

`python handwritten.py CLANG STRIP PROGRAMS ARCHES KERNELS` writes `build.ninja`, the peer of the synthetic project.
"""

from __future__ import annotations

import sys
from pathlib import Path

HEAD = """\
ninja_required_version = 1.10
rule bpf
  command = {clang} -O2 -g -Wall -Iinclude $flags -MD -MF $out.d -c $in -o $out && {strip} -g $out
  depfile = $out.d
  deps = gcc
"""


def main(clang: str, strip: str, programs: str, arches: str, kernels: str) -> None:
    """Joins the strings."""
    text = [HEAD.format(clang=clang, strip=strip)]
    cells = []
    for kernel in kernels.split(","):
        name, minor = kernel.split("=")
        for arch in arches.split(","):
            target, define = arch.split("=")
            label = f"{name}_{target}_{define}"
            version = f"-DLINUX_VERSION_CODE={int(minor) * 256 + (5 << 16)}"
            text.append(f"{label} = -target {target} -mcpu=v2 -D__TARGET_ARCH_{define} {version}\n")
            cells.append(label)
    for number in range(int(programs)):
        for label in cells:
            output = f".output/p{number:05}/{label}.bpf.o"
            text.append(f"build {output}: bpf bpf/p{number:05}.c\n  flags = ${label}\n")
    Path("build.ninja").write_text("".join(text), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
