"""A Go package with the types of kernels that have none of their own, and what finds those of the running one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bpfgen.outputs import PLAN, Basis, Made, Plan, Tools, read_notes
from bpfgen.outputs.names import file_name

PACKAGE = "minbtf"
"""Its name, and that of its folder in `go.dir`."""


def section(basis: Basis) -> Plan:
    """Where the package is, whether it may use cilium/ebpf, and its kernels in the order in which they are tried."""
    from bpfgen.config.checkminbtf import releases

    config, table = basis.config, basis.config.go
    assert table is not None
    kernels = {name: releases(kernel) for name, kernel in config.kernel.items() if kernel.min_btf}
    folder = f"{(table.dir or f'{basis.out}/go').rstrip('/')}/{PACKAGE}".removeprefix("./")
    return {"dir": folder, "cilium": table.bindings == "bpf2go", "kernels": kernels}


def made(plan: Plan, tools: Tools) -> Iterator[Made]:
    """The package, all of it by one run."""
    sources = tuple(each["file"] for each in plan["minbtf"])
    yield Made((tools.plan,), tuple(files(plan)), sources, (tools.plan,))


def step(plan: str) -> None:
    """`write`, with the path of `plan.json`."""
    write(read_notes(plan, (*PLAN, "minbtf", "gominbtf")))


def files(plan: Plan) -> list[str]:
    """The package's files, relative to the project."""
    part, cells = plan["gominbtf"], plan["minbtf"]
    code = ["minbtf.go", *(["spec.go"] if part["cilium"] else []), "kernels_other.go"]
    code += [f"kernels_{arch}.go" for arch in _arches(cells)]
    return [f"{part['dir']}/{name}" for name in (*code, *map(_embedded, cells))]


def write(plan: Plan) -> None:
    """Writes the package, where its bytes change; raises `Failure` where another's file is in its place."""
    from pathlib import Path

    from bpfgen.files import write_if_changed
    from bpfgen.outputs.go import GENERATED
    from bpfgen.outputs.texts import refuse_foreign

    folder = Path(plan["gominbtf"]["dir"])
    texts = _render(plan["gominbtf"], plan["minbtf"])
    refuse_foreign([folder / name for name in texts], GENERATED.__eq__, "move it away, or choose another go.dir")
    for each in plan["minbtf"]:
        write_if_changed(str(folder / _embedded(each)), Path(each["file"]).read_bytes())
    for name, text in texts.items():
        write_if_changed(str(folder / name), text.encode())


def _render(part: Plan, cells: Sequence[Plan]) -> dict[str, str]:
    from bpfgen.outputs.go import quote
    from bpfgen.outputs.texts import environment

    templates = environment()
    templates.filters["go"] = quote
    one = templates.get_template("minbtf.kernels.go.j2")
    texts = {"minbtf.go": templates.get_template("minbtf.go.j2").render(package=PACKAGE)}
    if part["cilium"]:
        texts["spec.go"] = templates.get_template("minbtf.spec.go.j2").render(package=PACKAGE)
    arches = _arches(cells)
    found = {(each["arch"], each["kernel"]): _embedded(each) for each in cells}
    for arch in arches:
        kernels = [
            {"name": name, "releases": patterns, "file": found[arch, name]}
            for name, patterns in part["kernels"].items()
            if (arch, name) in found
        ]
        texts[f"kernels_{arch}.go"] = one.render(package=PACKAGE, constraint=arch, kernels=kernels)
    others = " && ".join(f"!{arch}" for arch in arches)
    texts["kernels_other.go"] = one.render(package=PACKAGE, constraint=others, kernels=[])
    return texts


def _arches(cells: Sequence[Plan]) -> list[str]:
    return sorted({each["arch"] for each in cells})


def _embedded(cell: Plan) -> str:
    """The embedded copy's name; `go:embed` refuses odd ones, as it does for objects."""
    name = file_name({"id": f"{cell['kernel']}/{cell['arch']}"})
    return f"btf/{name[: -len('.o')]}.btf"
