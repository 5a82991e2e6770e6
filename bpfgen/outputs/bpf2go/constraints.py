"""Build constraints, as bpf2go writes them (cmd/bpf2go/gen/target.go, flags.go, and Go's go/build/constraint)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from bpfgen.catalog import arches
from bpfgen.outputs.bpf2go.levels import Level

_OR, _AND = " || ", " && "


def serves(clang: str, define: Optional[str], level: Level) -> tuple[str, ...]:
    """Every architecture that an object of this clang target is for, and with `define`, those of that
    `__TARGET_ARCH_…` alone; whichever of them were asked for.
    """
    rows = [arch for arch in arches().values() if arch.target == clang and define in (None, arch.define)]
    more = ("wasm",) if define is None and clang == "bpfel" and level.host_layout else ()
    return tuple(sorted((*(arch.name for arch in rows), *more)))


def constraint(names: Sequence[str], tags: Sequence[str]) -> str:
    """The expression of `//go:build`: one of the architectures, if any are named, and all of `tags`."""
    terms = [term for term in (_OR.join(names), *map(_tag, tags)) if term]
    return _AND.join(f"({term})" if _OR in term and len(terms) > 1 else term for term in terms)


def _tag(words: str) -> str:
    """One string of `tags`: a space means or, a comma and."""
    terms = [_AND.join(term.split(",")) for term in words.split(" ")]
    return _OR.join(f"({term})" if _AND in term and len(terms) > 1 else term for term in terms)
