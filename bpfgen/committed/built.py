"""The part `built` of `bpfgen.lock`, as data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Optional

from bpfgen.frozen import frozen
from bpfgen.matrix import Unit
from bpfgen.plan import plan_flags

KEY = "built"
"""Its name in the lock."""


@frozen
class Recipe:
    """What `build.toml` says of an object."""

    flags: tuple[str, ...]
    sources: tuple[str, ...]
    strip: bool
    """Whether DWARF is dropped."""
    vmlinux: Optional[str]
    """The kernel target whose `vmlinux.h` it is compiled with."""


@frozen
class Entry:
    """One object."""

    recipe: Recipe
    headers: tuple[str, ...]
    """Names of what was read besides the sources (see `places`)."""
    sha256: str


@frozen
class Built:
    """One build of everything."""

    toolchain: Mapping[str, str]
    """`bpfgen`, its version; `clang`, what it says of itself; `build`, a word for its build (see `buildid`), or
    `image`, what stands for the image that it is in (see `builders.image.digest`).
    """
    objects: Mapping[str, Entry]
    """By the id of the unit."""
    inputs: Mapping[str, str]
    """SHA-256 of each source and header, by its name."""
    files: Mapping[str, str]
    """SHA-256 of each file that was made and that Git doesn't ignore, by its path."""


def recipe(unit: Unit) -> Recipe:
    """Everything of a unit that decides what is in its object, in words that are the same on every machine."""
    settings, target = unit.settings, unit.target
    define = (f"-D__TARGET_ARCH_{target.define}",) if target.define else ()
    include = tuple(word for folder in settings.include for word in ("-I", folder))
    flags = ("-target", target.clang, *plan_flags(settings), *define, *include)
    return Recipe(flags, unit.files, settings.strip, unit.vmlinux)


def render(built: Built) -> dict[str, Any]:
    """Ready for JSON."""
    objects = {
        name: {**dataclasses.asdict(entry.recipe), "headers": entry.headers, "sha256": entry.sha256}
        for name, entry in built.objects.items()
    }
    return {
        "toolchain": dict(built.toolchain),
        "objects": objects,
        "inputs": dict(built.inputs),
        "files": dict(built.files),
    }


def parse(value: Any) -> Built:
    """What `render` made; raises ValueError for what somebody else did."""
    try:
        objects = {str(name): _entry(entry) for name, entry in value["objects"].items()}
        return Built(_texts(value["toolchain"]), objects, _texts(value["inputs"]), _texts(value["files"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{error} is missing, or something else") from error


def _entry(value: Mapping[str, Any]) -> Entry:
    kernel = value["vmlinux"]
    own = Recipe(_list(value["flags"]), _list(value["sources"]), bool(value["strip"]), kernel and str(kernel))
    return Entry(own, _list(value["headers"]), str(value["sha256"]))


def _list(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value))


def _texts(value: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(text) for name, text in value.items()}
