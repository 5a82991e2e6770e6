"""What `build.toml` says of verdicts, as data. Plain `bpfgen` imports it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bpfgen.config.schema import Config
from bpfgen.config.schemacheck import Allow
from bpfgen.frozen import field, frozen
from bpfgen.matrix import Unit


@frozen
class Rules:
    """What is accepted, and what is required."""

    allow: tuple[Allow, ...] = ()
    required: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Programs and the kernel targets that they must be `ok` on; programs without any are left out."""


def rules_of(config: Config, units: Iterable[Unit]) -> Rules:
    """The rules for the units' programs."""
    required = {}
    for unit in units:
        own = config.program[unit.key].requires
        names = own if own is not None else config.check.requires or ()
        if names:
            required[unit.program] = tuple(names)
    return Rules(config.check.allow, required)


def to_json(rules: Rules) -> dict[str, Any]:
    """Rules as JSON's values."""
    return {"allow": [dataclasses.asdict(allow) for allow in rules.allow], "required": rules.required}


def from_json(value: Mapping[str, Any]) -> Rules:
    """Rules out of what `to_json` gave."""
    return Rules(tuple(Allow(**each) for each in value["allow"]), value["required"])
