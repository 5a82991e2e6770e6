"""The commands that the benchmarks run, and the facts about this machine that belong to a result."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from benchmarks.measure import Missing

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Tools:
    """What every part gets."""

    bpfgen: tuple[str, ...]
    work: Path
    """An empty folder."""
    quick: bool
    """A few programs only: to try the benchmarks, not to measure."""
    ninja: str
    features: frozenset[str]
    """Words of bpfgen's schema, by which a part sees whether this bpfgen has a setting."""
    clang: str = "clang-19"
    strip: str = "llvm-strip-19"
    jobs: int = os.cpu_count() or 1

    def need(self, *names: str) -> None:
        """Raises `Missing` unless these commands are there."""
        missing = [name for name in names if shutil.which(name) is None]
        if missing:
            raise Missing(f"not installed: {', '.join(missing)}")

    def environment(self, ccache: Optional[Path] = None) -> dict[str, str]:
        """The variables of a contestant: ccache works in the given folder, or not at all, and no user's cache is
        found.
        """
        kept = {name: value for name, value in os.environ.items() if not re.match("CCACHE|SCCACHE|MAKE|NINJA", name)}
        kept["XDG_CACHE_HOME"] = str(self.work / "home-cache")
        kept["CCACHE_CONFIGPATH"] = os.devnull
        kept.update({"CCACHE_DIR": str(ccache)} if ccache else {"CCACHE_DISABLE": "1"})
        return kept

    def forget(self) -> None:
        """Removes what a contestant keeps in the user's cache."""
        shutil.rmtree(self.work / "home-cache", ignore_errors=True)


def find(bpfgen: tuple[str, ...], work: Path, quick: bool) -> Tools:
    """The tools of this machine. Every contestant uses the same Ninja, since 1.11 and 1.13 discard each other's log."""
    beside = Path(sys.executable).with_name("ninja")
    ninja = str(beside) if beside.exists() else shutil.which("ninja")
    if ninja is None:
        raise Missing("not installed: ninja")
    # Not where this repository is: `python -m bpfgen` would find the one beside it.
    schema = subprocess.run((*bpfgen, "schema"), cwd=work, check=True, capture_output=True, text=True).stdout
    return Tools(bpfgen, work, quick, ninja, frozenset(re.findall(r'"(\w+)": \{', schema)))


def wheel() -> Path:
    """The folder of the `ziglang` wheel."""
    spec = importlib.util.find_spec("ziglang")
    if spec is None or not spec.origin:
        raise Missing("not installed: the ziglang wheel")
    return Path(spec.origin).parent


def machine(tools: Tools) -> dict[str, str]:
    """What a reader must know of this machine; no paths and no names of hosts."""
    asked = {
        "clang": (tools.clang, "--version"),
        "ninja": (tools.ninja, "--version"),
        "make": ("make", "--version"),
        "ccache": ("ccache", "--version"),
        "go": ("go", "env", "GOVERSION"),
        "bpfgen": (*tools.bpfgen, "--version"),
    }
    facts = {
        "processor": f"{os.cpu_count()} cores of {_line(Path('/proc/cpuinfo'), r'model name.*: (.*)')}",
        "system": _line(Path("/etc/os-release"), r'PRETTY_NAME="?([^"]*)'),
        "kernel": platform.release().split("-")[0],
        "python": platform.python_version(),
        **{name: _version(argv) for name, argv in asked.items()},
    }
    try:
        facts["wheel's clang"] = _version((str(wheel() / "zig"), "clang", "--version"))
    except Missing:
        facts["wheel's clang"] = ""
    return {name: value for name, value in facts.items() if value}


def _version(argv: tuple[str, ...]) -> str:
    if shutil.which(argv[0]) is None:
        return ""
    text = subprocess.run(argv, check=False, capture_output=True, text=True, cwd="/").stdout
    found = re.search(r"\d+(\.\d+)+", text)
    return found[0] if found else ""


def _line(file: Path, pattern: str) -> str:
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    found = re.search(f"^{pattern}", text, re.MULTILINE)
    return found[1].strip() if found else platform.machine()
