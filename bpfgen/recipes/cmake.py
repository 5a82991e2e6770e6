"""The lines that a CMake project would run: it is configured in a folder of its own, for Ninja, which is then asked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from bpfgen.errors import EXIT_FAILED, Failure, Location, Problem
from bpfgen.recipes import compdb
from bpfgen.recipes.gather import Line


def lines(root: str, words: Sequence[str]) -> list[Line]:
    """All commands of the project in the absolute folder `root`, configured with `words` (such as `-DX=ON`).

    CMake's own `compile_commands.json` lacks custom commands, which is what compiles for BPF: `ninja -t compdb` has
    them. Nothing is built; the folder is gone afterwards. Raises Failure: a tool is missing, or refuses.
    """
    beside = os.path.dirname(sys.executable)
    ninja = shutil.which("ninja", path=os.pathsep.join((beside, *os.get_exec_path())))
    cmake = shutil.which("cmake")
    missing = [name for name, path in (("cmake", cmake), ("ninja", ninja)) if not path]
    if missing:
        raise Failure([Problem(None, f"there is no {name}", f"install {name}") for name in missing], EXIT_FAILED)
    with tempfile.TemporaryDirectory(prefix="bpfgen-cmake-") as folder:
        build = os.path.realpath(folder)
        made = f"-DCMAKE_MAKE_PROGRAM={ninja}"
        _run([str(cmake), "-S", root, "-B", build, "-G", "Ninja", made, *words], root)
        return compdb.lines(_run([str(ninja), "-C", build, "-t", "compdb"], root, quiet=True), "ninja -t compdb", build)


def _run(argv: Sequence[str], folder: str, quiet: bool = False) -> str:
    """What a command prints; raises Failure with its complaint."""
    done = subprocess.run(
        argv,
        cwd=folder,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
    )
    if done.returncode:
        where = None if quiet else Location("CMakeLists.txt")
        message = done.stderr.strip() or f"{os.path.basename(argv[0])} failed with {done.returncode}"
        raise Failure([Problem(where, message)], EXIT_FAILED)
    return done.stdout
