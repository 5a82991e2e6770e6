"""Graph → the text of `build.ninja`, in the words of the Ninja manual's "Ninja file reference".

Not by `ninja_syntax`: it leaves `$` in paths alone, which then name another file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Optional

from bpfgen.graph import FOLDER, RULES, Ahead, Edge, Graph, Rule
from bpfgen.quote import command, path, value

AHEAD = "--bpfgen-ahead="
"""The word that tells an action which process is ahead of it (see `cc.main`)."""
REQUIRED = "1.10"
"""The oldest Ninja that the tests build with; implicit outputs, `restat` with depfiles and dynamic regeneration need
less.
"""


Shared = tuple[str, tuple[str, ...], Optional[Ahead]]
"""A rule of the graph, and what its edges have in common."""
Names = dict[Shared, str]
"""The name of a rule of the file for each."""


def render(graph: Graph) -> str:
    """The whole file. The first line tells `bpfgen` where its notes on this file are (see `memo`)."""
    lines = [graph.comment, f"ninja_required_version = {REQUIRED}", f"builddir = {value(graph.builddir)}", ""]
    names = _names(graph.edges)
    for (rule, base, ahead), name in names.items():
        lines += _rule(RULES[rule], _command(base, ahead), name)
    lines += [_edge(edge, names) for edge in graph.edges]
    lines.append("default " + _paths(graph.defaults))
    return "\n".join(lines) + "\n"


def _rule(rule: Rule, text: str, name: str) -> Iterator[str]:
    yield f"rule {name}"
    yield f"  command = {text}"
    yield f"  description = {rule.label} $what"
    if rule.depfile:
        yield "  depfile = $out.d"
        yield "  deps = gcc"
    if rule.restat:
        yield "  restat = 1"
    if rule.generator:
        yield "  generator = 1"
    if rule.pool:
        yield f"  pool = {rule.pool}"
    yield ""


def _command(base: tuple[str, ...], ahead: Optional[Ahead]) -> str:
    if ahead is None:
        return f"{command(base)} $args"
    words = " ".join("$folder" if word == FOLDER else command((word,)) for word in ahead.base)
    # A process that `exec` replaces keeps its children: the action's can wait for it. Without one, `$!` is empty.
    first = f"{words} $args {command(ahead.last)} -o $out.tmp 2>$out.said"
    return f"if [ -f $folder/{ahead.file} ]; then {first} & fi; exec {command(base)} $args {AHEAD}$$!"


def _shared(edge: Edge) -> Optional[Shared]:
    return (edge.rule.name, edge.action.base, edge.ahead) if edge.rule and edge.action else None


def _names(edges: Iterable[Edge]) -> Names:
    """A rule of the file for each distinct run of shared words, numbered within the graph's rule in the order of the
    file. Ninja reads the words once then: as a variable, it would copy them to each edge that names it.
    """
    names: Names = {}
    counts: dict[str, int] = {}
    for edge in edges:
        shared = _shared(edge)
        if shared and shared not in names:
            rule = shared[0]
            counts[rule] = counts.get(rule, 0) + 1
            names[shared] = f"{rule}.{counts[rule]}"
    return names


def _edge(edge: Edge, names: Names) -> str:
    action = edge.action
    shared = _shared(edge)
    rule = names[shared] if shared else "phony"
    text = f"build {_paths(edge.outputs)}: {rule}"
    if edge.inputs:
        text += f" {_paths(edge.inputs)}"
    if edge.implicit:
        text += f" | {_paths(edge.implicit)}"
    if edge.order_only:
        text += f" || {_paths(edge.order_only)}"
    if action and action.args:
        text += f"\n  args = {command(action.args)}"
    if edge.ahead:
        text += f"\n  folder = {command((edge.folder,))}"
    return f"{text}\n  what = {value(edge.what or edge.outputs[0])}" if action else text


def _paths(texts: Iterable[str]) -> str:
    return " ".join(map(path, texts))
