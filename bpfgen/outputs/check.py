"""The target `check`: fails where a verdict is an error; what it prints, `bpfgen check` prints with more around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bpfgen.errors import EXIT_FAILED, Failure, Location, Problem
from bpfgen.files import write_if_changed
from bpfgen.findings.rules import rules_of, to_json
from bpfgen.outputs import PLAN, Basis, Made, Plan, Tools, read_notes


def section(basis: Basis) -> dict[str, Any]:
    """What `build.toml` says of verdicts, and versions of kernel targets. The file only says that all is well."""
    config = basis.config
    upstream = {name: kernel.upstream for name, kernel in config.kernel.items()}
    rules = to_json(rules_of(config, basis.units))
    return {"path": f"{basis.out}/.bpfgen/checked", "kernels": upstream, "rules": rules}


def made(plan: Plan, tools: Tools) -> Iterator[Made]:
    """The file, where there is no error."""
    yield Made((tools.plan,), (plan["check"]["path"],), (plan["verdicts"]["path"],), (tools.plan,))


def step(plan: str) -> None:
    """Raises `Failure` with every error."""
    from bpfgen.findings.checked import of_plan
    from bpfgen.findings.listing import message
    from bpfgen.findings.policy import ERROR

    notes = read_notes(plan, (*PLAN, "verdicts", "check"))
    errors = [finding for finding in of_plan(notes).findings if finding.level == ERROR]
    problems = [Problem(each.place or Location(each.path), message(each)) for each in errors]
    if problems:
        raise Failure(problems, EXIT_FAILED)
    write_if_changed(notes["check"]["path"], b"")
