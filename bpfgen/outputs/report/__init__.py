"""`report.html`: which kernels take which programs, why not, and how large they are. One file, without a network."""

from __future__ import annotations

from collections.abc import Iterator

from bpfgen.files import write_if_changed
from bpfgen.outputs import PLAN, Basis, Made, Plan, Tools, read_notes


def section(basis: Basis) -> str:
    """The report's path."""
    return f"{basis.out}/report.html"


def made(plan: Plan, tools: Tools) -> Iterator[Made]:
    """The report."""
    inputs = (plan["verdicts"]["path"], plan["manifest"])
    yield Made((tools.plan, plan["manifest"]), (plan["report"],), inputs, (tools.plan,))


def step(plan: str, manifest: str) -> None:
    """Writes the report, with the paths of `plan.json` and the manifest."""
    from bpfgen.findings.checked import of_plan
    from bpfgen.outputs.report.page import page
    from bpfgen.outputs.report.render import render

    notes = read_notes(plan, (*PLAN, "verdicts", "check", "report"))
    text = render(page(of_plan(notes), notes["check"]["kernels"], read_notes(manifest, ("objects", "toolchain"))))
    write_if_changed(notes["report"], text.encode("utf-8", "replace"))  # a lone surrogate has no UTF-8
