"""Lima: an instance, started if it is down, and then reached by ssh."""

from __future__ import annotations

import json

from bpfgen.builders import Unavailable
from bpfgen.builders.preset import run, settings_file
from bpfgen.builders.ssh import Login
from bpfgen.config.schema import Config
from bpfgen.config.schemabuilder import Lima

HINT = "install Lima"


def login(root: str, config: Config) -> Login:
    """How the instance is reached; raises Unavailable."""
    table = config.builder.lima or Lima()
    said = run(("limactl", "list", "--json"), root, HINT)
    if _state(said, table.instance) != "Running":
        run(("limactl", "start", "--tty=false", table.instance), root, HINT, shown=True)
    text = run(("limactl", "show-ssh", "--format=config", table.instance), root, HINT)
    return Login(f"lima-{table.instance}", ("-F", settings_file(root, config, text)), table.path or "")


def _state(said: str, name: str) -> str:
    """The state of an instance, of a JSON object on each line."""
    try:
        for row in map(json.loads, filter(None, said.splitlines())):
            if row["name"] == name:
                return str(row["status"])
    except (ValueError, KeyError, TypeError) as error:
        raise Unavailable(f"limactl list says what isn't understood: {error}") from error
    raise Unavailable(f'lima has no instance "{name}"\n  hint: limactl create --name={name} lima.yaml')
