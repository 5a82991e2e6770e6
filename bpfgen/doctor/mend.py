"""Hints that name a package by the package manager of this machine (`catalog/packages.toml`)."""

from __future__ import annotations

import os
import shutil
from typing import Optional

from bpfgen.catalog import table


def manager(path: Optional[str] = None) -> str:
    """What installs packages here, such as `apt-get`; empty where none is known. `path` stands for PATH."""
    # Where PATH is what is broken, the package manager still lies where it always does.
    search = os.pathsep.join((path or os.environ.get("PATH", os.defpath), "/usr/bin", "/sbin", "/opt/homebrew/bin"))
    return next((name for name in table("packages")["install"] if shutil.which(name, path=search)), "")


def install(what: str, **names: str) -> str:
    """`run  COMMAND` that installs a row of the catalogue, or what to look for where the package has no known name."""
    by = manager()
    package = table("packages")["package"][what].get(by, "")
    if not package:
        return f"install {what.format(**names)} from your system's packages"
    return f"run  {as_root()}{table('packages')['install'][by]} {package.format(**names)}"


def as_root() -> str:
    """The word before a command that needs root: none where we are root, or where Homebrew refuses it."""
    return "" if manager() == "brew" or os.geteuid() == 0 else "sudo "


def debian_arch(arch: str) -> str:
    """Debian's name of one of Go's architectures."""
    return str(table("packages")["debian"].get(arch, arch))
