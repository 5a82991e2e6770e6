"""Config, units and host facts → Graph, and the plan that the steps read. Pure."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from bpfgen import __version__, outputs
from bpfgen.compile import BOOT, Known, Layout, compiler_scripts, layout_of, macro, step_edge, unit_edges
from bpfgen.config.schema import Config
from bpfgen.frozen import frozen
from bpfgen.graph import CLEAN, GENERATE, Action, Edge, Graph, build_graph
from bpfgen.headers import MADE_OF, kernel_edges
from bpfgen.host import Host
from bpfgen.matrix import Settings, Unit

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
    edges = list(_generate(host, inputs, layout))
    edges += kernel_edges(config, units, host, layout, inputs.file, _code(host, inputs, MADE_OF))
    editor: dict[str, Action] = {}
    known: Known = {}
    for unit in units:
        for edge in unit_edges(unit, host, layout, known):
            edges.append(edge)
            if edge.compiler and edge.inputs[0] not in editor:
                editor[edge.inputs[0]] = editor_action(edge.compiler, host)
    if config.kernel:
        from bpfgen import verifying

        code = _code(host, inputs, verifying.MADE_OF)
        edges += verifying.verify_edges(config, units, host, layout, inputs.file, code)
    final: dict[bool, list[str]] = {False: [], True: []}
    for output in outputs.asked(config):
        for edge in _output(output, plan, host, inputs, layout):
            edges.append(edge)
            final[output.check] += edge.outputs
    # Without kernel targets, what `check` says is what is in the objects.
    checked = final[True] or [plan["manifest"]]
    edges += _phony(units, [entry["path"] for entry in plan["objects"]], checked, final[False])
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
    notes = (layout.note("toolchain"), layout.note("plan.json"), *compiler_scripts(host, layout))
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
    a file.
    """
    words = action.argv[len(host.clang.command) :]
    if host.builder:
        from bpfgen.builders.sysroot import editor_words

        return Action(("clang",), editor_words(words, host.clang, host.builder))
    driver = host.clang.command[0] if host.clang.kind == "system" else "clang"
    return Action((driver,), words)


def make_plan(config: Config, units: Sequence[Unit], host: Host) -> dict[str, Any]:
    """What the steps need to know, ready for JSON; `outputs` documents it."""
    layout = layout_of(config)
    objects = [_object(unit, layout) for unit in units]
    basis = outputs.Basis(config, units, objects, layout.out, host.clang.version)
    parts = {output.name: outputs.module(output.name).section(basis) for output in outputs.asked(config)}
    if config.kernel:
        from bpfgen import verifying

        parts["verify"] = verifying.section(config, units)
    return {
        "bpfgen": __version__,
        "project": config.project.name,
        "toolchain": {"clang": host.clang.text, "kind": host.clang.kind, "version": host.clang.version},
        "objects": objects,
        **parts,
    }


def _object(unit: Unit, layout: Layout) -> dict[str, Any]:
    return {
        "id": unit.id,
        "program": unit.program,
        "target": unit.target.name,
        "arches": unit.target.arches,
        "kernel": unit.kernel,
        "kernels": unit.kernels,
        "variant": unit.variant,
        "sources": unit.files,
        "flags": plan_flags(unit.settings),
        "path": layout.object(unit),
    }


@cache
def plan_flags(settings: Settings) -> tuple[str, ...]:
    """What `build.toml` says to clang, but for folders of headers."""
    return (f"-mcpu={settings.mcpu}", *settings.cflags, *(macro(name, value) for name, value in settings.define))


def render_plan(plan: Mapping[str, Any]) -> str:
    """The text of `plan.json`, an object a line: with `indent`, json takes its encoder in Python, ten times slower."""
    encode = json.JSONEncoder(ensure_ascii=False).encode
    head = encode({name: value for name, value in plan.items() if name != "objects"})
    objects = ",\n".join(map(encode, plan["objects"]))
    return f'{head[:-1]}, "objects": [\n{objects}\n]}}\n'


def planned_ids(text: str) -> set[str]:
    """The objects that `render_plan` wrote, without reading all of it as JSON."""
    return set(map(json.loads, re.findall(r'^\{"id": ("(?:[^"\\\n]|\\.)*")', text, re.MULTILINE)))


def _output(output: outputs.Output, plan: dict[str, Any], host: Host, inputs: Inputs, layout: Layout) -> Iterator[Edge]:
    tools = outputs.Tools(layout.note("plan.json"), host.bpftool or "")
    code = _code(host, inputs, output.code)
    for made in outputs.module(output.name).made(plan, tools):
        words = (output.name, *made.words)
        yield step_edge(host, words, made.outputs, made.inputs, (*made.implicit, *code))


def _code(host: Host, inputs: Inputs, names: Iterable[str]) -> tuple[str, ...]:
    """bpfgen's own files that a step is made of, so that a new bpfgen makes its outputs again."""
    places = tuple(os.path.join(host.package, name) for name in names)
    return tuple(path for path in inputs.package if path in places or path.startswith(tuple(f"{p}/" for p in places)))


def _phony(
    units: Iterable[Unit], objects: Sequence[str], checked: Sequence[str], final: Sequence[str]
) -> Iterator[Edge]:
    groups: dict[str, list[str]] = {}
    for unit, path in zip(units, objects):
        for name in (unit.program, *unit.target.arches, *unit.kernels):
            groups.setdefault(name, []).append(path)
    for name, members in groups.items():
        yield Edge((name,), tuple(members))
    yield Edge(("objects",), tuple(objects))
    yield Edge(("all",), ("objects", *final))
    yield Edge(("check",), tuple(checked))
