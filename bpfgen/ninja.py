"""Graph → the text of `build.ninja`, in the words of the Ninja manual's "Ninja file reference".

Not by `ninja_syntax`: it leaves `$` in paths alone, which then name another file.
"""

from __future__ import annotations

from collections.abc import Iterator

from bpfgen.graph import RULES, Action, Edge, Graph, Rule
from bpfgen.quote import command, path, value

REQUIRED = "1.10"
"""The oldest Ninja that the tests build with; implicit outputs, `restat` with depfiles and dynamic regeneration need
less.
"""


def render(graph: Graph) -> str:
    """The whole file. The first line tells `bpfgen` where its notes on this file are (see `memo`)."""
    lines = [graph.comment, f"ninja_required_version = {REQUIRED}", f"builddir = {value(graph.builddir)}", ""]
    used = {edge.rule.name for edge in graph.edges if edge.rule}
    for rule in RULES:
        if rule.name in used:
            lines += _rule(rule)
    bases = _bases(graph)
    lines += [f"{name} = {command(words, environment)}" for (environment, words), name in bases.items()]
    lines.append("")
    for edge in graph.edges:
        lines += _edge(edge, bases)
    lines.append("default " + " ".join(map(path, graph.defaults)))
    return "\n".join(lines) + "\n"


def _rule(rule: Rule) -> Iterator[str]:
    yield f"rule {rule.name}"
    yield "  command = $cmd"
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


Base = tuple[tuple[tuple[str, str], ...], tuple[str, ...]]
"""Environment and words that many actions share."""


def _base(action: Action) -> Base:
    return (action.environment, action.base)


def _bases(graph: Graph) -> dict[Base, str]:
    """A variable for each distinct run of shared words, numbered within its rule in the order of the file."""
    names: dict[Base, str] = {}
    counts: dict[str, int] = {}
    for edge in graph.edges:
        if edge.rule and edge.action and _base(edge.action) not in names:
            counts[edge.rule.name] = counts.get(edge.rule.name, 0) + 1
            names[_base(edge.action)] = f"{edge.rule.name}{counts[edge.rule.name]}"
    return names


def _edge(edge: Edge, bases: dict[Base, str]) -> Iterator[str]:
    rule = edge.rule.name if edge.rule else "phony"
    line = f"build {' '.join(map(path, edge.outputs))}: {rule}"
    for separator, paths in (("", edge.inputs), (" |", edge.implicit), (" ||", edge.order_only)):
        if paths:
            line += f"{separator} {' '.join(map(path, paths))}"
    yield line
    if edge.action:
        words = (f"${bases[_base(edge.action)]}", command(edge.action.args))
        yield f"  cmd = {' '.join(filter(None, words))}"
        yield f"  what = {value(edge.what or edge.outputs[0])}"
