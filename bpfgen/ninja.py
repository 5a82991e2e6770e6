"""Graph → the text of `build.ninja`, in the words of the Ninja manual's "Ninja file reference".

Not by `ninja_syntax`: it leaves `$` in paths alone, which then name another file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bpfgen.graph import RULES, Edge, Graph, Rule
from bpfgen.quote import command, path, value

REQUIRED = "1.10"
"""The oldest Ninja that the tests build with; implicit outputs, `restat` with depfiles and dynamic regeneration need
less.
"""


Names = dict[tuple[str, tuple[str, ...]], str]
"""A rule of the graph and the words that its edges share → the name of a rule of the file."""


def render(graph: Graph) -> str:
    """The whole file. The first line tells `bpfgen` where its notes on this file are (see `memo`)."""
    lines = [graph.comment, f"ninja_required_version = {REQUIRED}", f"builddir = {value(graph.builddir)}", ""]
    names = _names(graph.edges)
    for (rule, base), name in names.items():
        lines += _rule(RULES[rule], base, name)
    lines += [_edge(edge, names) for edge in graph.edges]
    lines.append("default " + _paths(graph.defaults))
    return "\n".join(lines) + "\n"


def _rule(rule: Rule, base: tuple[str, ...], name: str) -> Iterator[str]:
    yield f"rule {name}"
    yield f"  command = {command(base)} $args"
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


def _names(edges: Iterable[Edge]) -> Names:
    """A rule of the file for each distinct run of shared words, numbered within the graph's rule in the order of the
    file. Ninja reads the words once then: as a variable, it would copy them to each edge that names it.
    """
    names: Names = {}
    counts: dict[str, int] = {}
    for edge in edges:
        if edge.rule and edge.action and (edge.rule.name, edge.action.base) not in names:
            rule = edge.rule.name
            counts[rule] = counts.get(rule, 0) + 1
            names[rule, edge.action.base] = f"{rule}.{counts[rule]}"
    return names


def _edge(edge: Edge, names: Names) -> str:
    action = edge.action
    rule = names[edge.rule.name, action.base] if edge.rule and action else "phony"
    text = f"build {_paths(edge.outputs)}: {rule}"
    if edge.inputs:
        text += f" {_paths(edge.inputs)}"
    if edge.implicit:
        text += f" | {_paths(edge.implicit)}"
    if edge.order_only:
        text += f" || {_paths(edge.order_only)}"
    if action and action.args:
        text += f"\n  args = {command(action.args)}"
    return f"{text}\n  what = {value(edge.what or edge.outputs[0])}" if action else text


def _paths(texts: Iterable[str]) -> str:
    return " ".join(map(path, texts))
