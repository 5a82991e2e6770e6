"""Golden projects: what `build.toml` becomes, to the letter, on a machine that is data; `--update` remakes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bpfgen import compdb, ninja
from bpfgen.builders.settings import Settings
from bpfgen.catalog import arches
from bpfgen.cli import parse
from bpfgen.compile import layout_of
from bpfgen.headers import vmlinux_edges
from bpfgen.host import Host
from bpfgen.launcher import Launcher
from bpfgen.plan import Inputs, make_graph, make_plan
from bpfgen.project import load
from bpfgen.toolchain import Clang

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
NAMES = sorted(path.name for path in GOLDEN.iterdir() if path.is_dir())

CLANG = Clang(
    kind="system",
    command=("clang-19",),
    version="19.1.7",
    text="clang version 19.1.7",
    bpf=True,
    resources="/clang",
    include=("/clang/include", "/usr/include"),
    lean=True,
    programs=("/bin/clang-19",),
    identity="clang 1 2",
    watch=("/bin/clang-19",),
)
HOST = Host(
    root="/project",
    python="/bin/python3",
    package="/bpfgen",
    libraries=("/libraries", "/"),
    clang=CLANG,
    headers={name: ("-idirafter", f"/include/{arch.triple}") for name, arch in arches().items()},
    labels=(("/bpfgen", "bpfgen"), ("/clang", "clang")),
    bpftool="/bin/bpftool",
    launcher=Launcher("none"),
    driver="0123456789abcdef",
    watch=("/bin/clang-19", "/bin/bpftool"),
)


PACKAGE = ("/bpfgen/__init__.py", "/bpfgen/bpf/elf.py", "/bpfgen/outputs/go.py", "/bpfgen/steps.py")


def rendered(name: str) -> dict[str, str]:
    """Both files of a golden project."""
    project = load(parse(["-C", str(GOLDEN / name)]))
    inputs = Inputs(project.file, project.sources.folders, PACKAGE, ())
    graph = make_graph(make_plan(project.config, project.units, HOST), project.config, project.units, HOST, inputs)
    return {"build.ninja": ninja.render(graph), "compile_commands.json": compdb.render(graph, HOST.root)}


@pytest.mark.parametrize("name", NAMES)
def test_golden(name: str, update: bool) -> None:
    for file, text in rendered(name).items():
        path = GOLDEN / name / "expected" / file
        if update:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text


def test_a_builder_is_woken_while_vmlinux_is_written() -> None:
    """Natively there is none, and with a cache there may be nothing to compile."""
    project = load(parse(["-C", str(GOLDEN / "kernels")]))

    def woken(host: Host) -> set[str]:
        edges = vmlinux_edges(project.config, project.units, host, layout_of(project.config), project.file, ())
        return {edge.action.args[-1] for edge in edges if edge.action and "vmlinux" in edge.action.args}

    elsewhere = replace(HOST, builder=Settings("docker", "", "sha256:1", "/project", ("/project",), (), "", "out/s"))
    assert woken(HOST) == {""}
    assert woken(elsewhere) == {"out/.bpfgen/session.sock"}
    assert woken(replace(elsewhere, launcher=Launcher("ccache", words=("ccache",), outside=True))) == {""}


def test_nothing_of_this_machine_is_in_them() -> None:
    for path in GOLDEN.glob("*/expected/*"):
        assert str(GOLDEN.parents[1]) not in path.read_text(encoding="utf-8")
