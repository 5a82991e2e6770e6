"""Config, units and host facts → Graph, and the plan that the steps read. Pure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bpfgen import __version__
from bpfgen.compile import BOOT, Layout, layout_of, macro, step_edge, unit_edges, vmlinux_edges
from bpfgen.config.schema import Config
from bpfgen.frozen import frozen
from bpfgen.graph import CLEAN, GENERATE, Action, Edge, Graph, build_graph
from bpfgen.host import Host
from bpfgen.matrix import Unit
from bpfgen.outputs import go

NINJA_FILE = "build.ninja"
EDITOR_FILE = "compile_commands.json"
MARK = "# Written by bpfgen"
"""How every Ninja file of bpfgen's starts."""


@frozen
class Inputs:
    """What the Ninja file itself is made from."""

    file: str
    """The project's `build.toml`."""
    folders: tuple[str, ...]
    """Folders that globs list."""
    package: tuple[str, ...]
    """bpfgen's own files."""
    selection: tuple[str, ...]
    """The options that chose the units, as on the command line."""


def make_graph(plan: dict[str, Any], config: Config, units: Sequence[Unit], host: Host, inputs: Inputs) -> Graph:
    """The whole build; `plan` is what `make_plan` made of the same."""
    layout = layout_of(config)
    edges = [*_generate(host, inputs, layout), *vmlinux_edges(config, units, host, layout)]
    editor: dict[str, Action] = {}
    for unit in units:
        made = list(unit_edges(unit, host, layout))
        edges += made
        for edge in made:
            if edge.compiler:
                editor.setdefault(edge.inputs[0], editor_action(edge.compiler, host))
    outputs = list(_outputs(plan, host, inputs, layout))
    edges += outputs
    final = tuple(name for edge in outputs for name in edge.outputs)
    edges += _phony(units, layout, final)
    edges += _clean(host, inputs, layout)
    comment = f"{MARK} {__version__} from {inputs.file}; notes in {layout.note('')}"
    return build_graph(edges, ("all",), layout.out, comment, editor)


def _generate(host: Host, inputs: Inputs, layout: Layout) -> Iterator[Edge]:
    """Ninja remakes its own file first when anything that it came from changed (Ninja manual, "Generating Ninja
    files").
    """
    watched = (*inputs.folders, *inputs.package, *host.watch)
    words = (host.python, "-c", BOOT.format(module="__main__"), "-f", inputs.file, *inputs.selection)
    yield Edge((NINJA_FILE, EDITOR_FILE), (inputs.file,), watched, rule=GENERATE, action=Action(words, ()))
    # Without inputs, Ninja runs it only where they are missing: after `rm -rf out`, plain Ninja works.
    wrapper = (host.launcher.wrapper,) if host.launcher.wrapper else ()
    notes = (layout.note("toolchain"), layout.note("plan.json"), *wrapper)
    yield Edge(notes, rule=GENERATE, action=Action(words, ()))
    # Something watched that is gone makes its users dirty instead of stopping Ninja, as CMake's generator does it.
    yield Edge(tuple(dict.fromkeys((inputs.file, *watched))))


def _clean(host: Host, inputs: Inputs, layout: Layout) -> Iterator[Edge]:
    words = (host.python, "-c", BOOT.format(module="__main__"), "-f", inputs.file, "clean", "--outputs")
    # What no edge makes is never up to date: so a file named `clean` doesn't stop this one.
    yield Edge(("clean",), (layout.note("always"),), rule=CLEAN, action=Action(words, ()))
    yield Edge((layout.note("always"),))


def editor_action(action: Action, host: Host) -> Action:
    """The command as clangd wants it: a compiler's name first, because `zig clang` would be taken for a compiler and
    a file, and no launcher's script.
    """
    words = action.argv[len(host.compiler) :]
    driver = host.clang.command[0] if host.clang.kind == "system" else "clang"
    return Action((driver,), words)


def make_plan(config: Config, units: Sequence[Unit], host: Host) -> dict[str, Any]:
    """What the steps need to know, ready for JSON; `outputs` documents it."""
    layout = layout_of(config)
    folder = config.go and (config.go.dir or f"{layout.out}/go").rstrip("/")
    arches = list(dict.fromkeys(arch for unit in units for arch in unit.target.arches))
    return {
        "bpfgen": __version__,
        "project": config.project.name,
        "toolchain": {"clang": host.clang.text, "kind": host.clang.kind, "version": host.clang.version},
        "objects": [_object(unit, layout) for unit in units],
        "go": {"package": config.go.package, "dir": folder, "arches": arches} if config.go else None,
    }


def _object(unit: Unit, layout: Layout) -> dict[str, Any]:
    settings = unit.settings
    return {
        "id": unit.id,
        "program": unit.program,
        "target": unit.target.name,
        "arches": list(unit.target.arches),
        "kernel": unit.kernel,
        "kernels": list(unit.kernels),
        "variant": unit.variant,
        "sources": list(unit.files),
        "flags": [f"-mcpu={settings.mcpu}", *settings.cflags, *(macro(name, value) for name, value in settings.define)],
        "path": layout.object(unit),
    }


def _outputs(plan: dict[str, Any], host: Host, inputs: Inputs, layout: Layout) -> Iterator[Edge]:
    objects = tuple(entry["path"] for entry in plan["objects"])
    manifest, notes = f"{layout.out}/manifest.json", layout.note("plan.json")
    code = _code(host, inputs, "steps.py", "files.py", "bpf", "catalog", "outputs")
    yield step_edge(host, ("manifest", notes, manifest), (manifest,), objects, (notes, *code))
    if plan["go"]:
        files = tuple(go.files(plan["go"], plan["objects"]))
        yield step_edge(host, ("go", notes, manifest), files, (manifest,), (notes, *code))


def _code(host: Host, inputs: Inputs, *names: str) -> tuple[str, ...]:
    """bpfgen's own files that a step is made of, so that a new bpfgen makes its outputs again."""
    places = tuple(os.path.join(host.package, name) for name in names)
    return tuple(path for path in inputs.package if path in places or path.startswith(tuple(f"{p}/" for p in places)))


def _phony(units: Iterable[Unit], layout: Layout, final: tuple[str, ...]) -> Iterator[Edge]:
    groups: dict[str, list[str]] = {}
    for unit in units:
        for name in (unit.program, *unit.target.arches, *unit.kernels):
            groups.setdefault(name, []).append(layout.object(unit))
    for name, objects in groups.items():
        yield Edge((name,), tuple(objects))
    yield Edge(("objects",), tuple(layout.object(unit) for unit in units))
    yield Edge(("all",), ("objects", *final))
    yield Edge(("check",), (f"{layout.out}/manifest.json",))
