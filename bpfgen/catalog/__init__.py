"""Facts as data: one TOML file for each kind, read when it is asked for."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from bpfgen.frozen import frozen


@frozen
class Arch:
    """One row of `arches.toml`."""

    name: str
    """Go's name."""
    target: str
    """`bpfel` or `bpfeb`."""
    define: str
    """`X` of `__TARGET_ARCH_X`; empty where libbpf has none."""
    triple: str
    headers: str
    rust: str


@cache
def table(name: str) -> dict[str, Any]:
    """The parsed contents of `catalog/NAME.toml`."""
    import tomli

    with open(os.path.join(os.path.dirname(__file__), f"{name}.toml"), "rb") as file:
        return tomli.load(file)


@cache
def arches() -> dict[str, Arch]:
    """Every architecture, by name."""
    return {name: Arch(name, **row) for name, row in table("arches").items()}


@cache
def features(kind: str) -> dict[str, dict[str, Any]]:
    """What kernels can have of a kind (`helper`, `map_type`, `program_type`, `attach_type`), by its name in
    linux/bpf.h; `features.toml` says what is known of each.
    """
    rows: dict[str, dict[str, Any]] = table("features")[kind]
    return rows


@cache
def feature_names(kind: str, prefix: str) -> dict[int, str]:
    """Number → name of what `features` has, in lower case and without a prefix: `1` → `hash` of `BPF_MAP_TYPE_`."""
    return {row["id"]: name[len(prefix) :].lower() for name, row in features(kind).items()}


def mcpu_of(versions: tuple[tuple[int, ...], ...]) -> str:
    """The default instruction set for kernels of these upstream versions: what the oldest of them has."""
    facts = table("mcpu")
    if not versions:
        return str(facts["default"])
    oldest = min(versions)
    rows = [row for row in facts["since"] if version(row["version"]) <= oldest]
    return str(rows[-1]["mcpu"])


def version(text: str) -> tuple[int, ...]:
    """`"5.10"` → `(5, 10)`."""
    return tuple(map(int, text.split(".")))
