"""Files of machines that have what a build needs: a Dockerfile, a Vagrantfile, a lima.yaml.

The packages are those of `catalog/packages.toml`, `[machine.…]`, for all three.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

from bpfgen.catalog import table
from bpfgen.doctor.mend import debian_arch
from bpfgen.errors import Failure, Problem

TEMPLATES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates", "machine")
FILES = {"docker": "bpf/Dockerfile", "vagrant": "Vagrantfile", "lima": "lima.yaml"}
"""Kind of machine → its file, relative to the project."""
BASES = ("debian", "ubuntu")
DEFAULT_ARCHES = ("amd64", "arm64")

BUILDER = """\
[builder]
kind = "docker"

[builder.docker]
dockerfile = "bpf/Dockerfile"
"""
"""What build.toml says then."""


def packages(base: str, arches: Iterable[str], clang: str = "") -> list[str]:
    """Packages of a base, sorted; with the kernel's headers for Go's `arches`. `clang` stands for its major version."""
    row = table("packages")["machine"][base]
    # Those of Debian's list alone: for others there is no package.
    wanted = [debian_arch(arch) for arch in arches if debian_arch(arch) in table("packages")["cross"]["arches"]]
    cross = [row["cross"].format(arch=arch) for arch in wanted]
    return sorted({*(name.format(clang=clang or row["clang"]) for name in row["packages"]), *cross})


def render(kind: str, base: str, arches: Iterable[str], root: str) -> str:
    """The text of the file of a kind of machine; `base` is the Dockerfile's, the others have Debian. `root` is the
    project's absolute folder, which lima.yaml names.

    Raises Failure: YAML can't name it.
    """
    if kind == "lima" and not root.isprintable():
        raise Failure([Problem(None, f"lima.yaml can't name the folder {root!r}", "move the project")])
    with open(os.path.join(TEMPLATES, os.path.basename(FILES[kind])), encoding="utf-8") as file:
        text = file.read()
    row = table("packages")["machine"][base]
    if kind == "docker":
        link = f"RUN {row['link']}\n" if "link" in row else ""
        text = text.replace("@IMAGE@", row["image"]).replace("@CLANG@", str(row["clang"])).replace("@LINK@\n", link)
        return text.replace("@PACKAGES@", _lines(packages(base, arches, "${CLANG}"), 6, " \\\n"))
    names = _lines(packages("debian", arches), 6 if kind == "vagrant" else 8, " \\\n").rstrip("\\ \n")
    return text.replace("@PACKAGES@\n" if kind == "lima" else "@PACKAGES@", f"{names}\n").replace(
        "@PROJECT@", json.dumps(_shared(root), ensure_ascii=False)
    )


def _lines(names: list[str], indent: int, end: str) -> str:
    return "".join(f"{' ' * indent}{name}{end}" for name in names)


def _shared(root: str) -> str:
    """The project's folder, by the home folder where it is below that: then others can use the file, too."""
    home = os.path.expanduser("~")
    return f"~{root[len(home) :]}" if home != "/" and root.startswith(f"{home}/") else root
