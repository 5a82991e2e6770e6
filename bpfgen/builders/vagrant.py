"""Vagrant: a machine of the project's Vagrantfile, started if it is down, and then reached by ssh."""

from __future__ import annotations

from bpfgen.builders import Unavailable
from bpfgen.builders.preset import run, settings_file
from bpfgen.builders.ssh import Login
from bpfgen.config.schema import Config
from bpfgen.config.schemabuilder import Vagrant

HINT = "install Vagrant, and a provider for it"


def login(root: str, config: Config) -> Login:
    """How its machine is reached; raises Unavailable."""
    table = config.builder.vagrant or Vagrant()
    said = run(("vagrant", "status", "--machine-readable", table.machine), root, HINT)
    if _state(said, table.machine) != "running":
        run(("vagrant", "up", table.machine), root, HINT, shown=True)
    text = run(("vagrant", "ssh-config", table.machine), root, HINT)
    return Login(table.machine, ("-F", settings_file(root, config, text)), table.path or "")


def _state(said: str, name: str) -> str:
    """The state of a machine, of rows `TIME,MACHINE,KIND,VALUE…` (Vagrant's manual, "Machine Readable Output")."""
    for line in said.splitlines():
        row = line.split(",")
        if row[1:3] == [name, "state"] and len(row) > 3:
            return row[3]
    raise Unavailable(f'vagrant knows no machine "{name}"\n  hint: see  vagrant status')
