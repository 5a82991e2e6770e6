"""A kernel target's files → what is known of it, and a key of all that its verdicts rest on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from bpfgen.bpf.malformed import Malformed
from bpfgen.errors import Failure, Location, Problem
from bpfgen.kernels.unusable import Unusable

if TYPE_CHECKING:
    from bpfgen.kernels.profile import Profile
    from bpfgen.verdicts.target import Target

DIGITS = 16
"""Hexadecimal digits of a key."""


class Evidence:
    """One kernel of one architecture, by its row in `plan.json`."""

    def __init__(self, row: Mapping[str, Any], loader: str) -> None:
        """Raises `OSError` where a file of it is gone."""
        self.row = row
        self._btf = Path(row["btf"]).read_bytes() if row["btf"] else None
        self._profile = Path(row["profile"]).read_bytes() if row["profile"] else None
        words = [
            row["arch"],
            row["upstream"],
            row["assume"],
            row["min_btf"],
            loader,
            code(),
            *map(_hash, (self._btf, self._profile)),
        ]
        self.key = _hash(json.dumps(words).encode())[:DIGITS]

    @cached_property
    def target(self) -> Target:
        """What is known of it. Raises `Failure` where a file of it is damaged."""
        from bpfgen.bpf.kernel import KernelTypes
        from bpfgen.verdicts.target import Known, Target

        row, profile = self.row, self.profile
        features, tools = (profile.features, profile.tools) if profile is not None else (None, {})
        assumed, shipped = tuple(row["assume"]), row["min_btf"]
        known = Known(row["name"], row["arch"], row["upstream"] or "", assumed, features, tools, shipped)
        try:
            return Target(known, KernelTypes(self._btf) if self._btf is not None else None)
        except Malformed as error:
            raise Failure([Problem(Location(row["btf"]), f"no sound types of a kernel: {error}")]) from error

    @cached_property
    def profile(self) -> Optional[Profile]:
        """What a machine said of it. Raises `Failure`."""
        from bpfgen.kernels.profile import read

        try:
            return read(self._profile) if self._profile is not None else None
        except Unusable as error:
            raise Failure([Problem(Location(self.row["profile"]), f"this file {error.message}", error.hint)]) from error

    def summary(self) -> dict[str, Any]:
        """Where it is from, ready for JSON."""
        release = self.profile.kernel.get("release") if self.profile is not None else None
        return {**self.row, "types": _hash(self._btf) or None, "release": release, "key": self.key}


@cache
def code() -> str:
    """A hash of the code and the facts that verdicts come from: what others said is not reused."""
    package = Path(__file__).parent.parent
    files = sorted((*package.glob("verdicts/**/*.py"), *package.glob("bpf/*.py"), *package.glob("catalog/*.toml")))
    found = hashlib.sha256()
    for file in files:
        found.update(file.read_bytes())
    return found.hexdigest()[:DIGITS]


def _hash(data: Optional[bytes]) -> str:
    return hashlib.sha256(data).hexdigest() if data is not None else ""
