"""Graph → the text of `build.ninja`, in the words of the Ninja manual's "Ninja file reference".

Not by `ninja_syntax`: it leaves `$` in paths alone, which then name another file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Optional, Union

from bpfgen.graph import FOLDER, RULES, Ahead, Alone, Edge, Graph, Rule
from bpfgen.quote import command, path, value

AHEAD, MADE = "--bpfgen-ahead=", "--bpfgen-made="
"""Words that tell an action which process is ahead of it, or what is made already (see `cc.main`)."""
REQUIRED = "1.10"
"""The oldest Ninja that the tests build with; implicit outputs, `restat` with depfiles and dynamic regeneration need
less.
"""


First = Optional[Union[Ahead, Alone]]
Shared = tuple[str, tuple[str, ...], First]
"""A rule of the graph, and what its edges have in common."""
Names = dict[Shared, str]
"""The name of a rule of the file for each."""


def render(graph: Graph) -> str:
    """The whole file. The first line tells `bpfgen` where its notes on this file are (see `memo`)."""
    lines = [graph.comment, f"ninja_required_version = {REQUIRED}", f"builddir = {value(graph.builddir)}", ""]
    names = _names(graph.edges)
    for (rule, base, first), name in names.items():
        lines += _rule(RULES[rule], _command(base, first), name)
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


def _command(base: tuple[str, ...], first: First) -> str:
    words = f"{command(base)} $args"
    if isinstance(first, Alone):
        return _alone(words, first)
    return _ahead(words, first) if first else words


def _ahead(action: str, ahead: Ahead) -> str:
    words = " ".join("$folder" if word == FOLDER else command((word,)) for word in ahead.base)
    # A process that `exec` replaces keeps its children: the action's can wait for it. Without one, `$!` is empty.
    first = f"{words} $args {command(ahead.last)} -o $out.tmp 2>$out.said"
    return f"if [ -f $folder/{ahead.file} ]; then {first} & fi; exec {action} {AHEAD}$$!"


def _alone(action: str, alone: Alone) -> str:
    # The shell keeps the messages: where the action runs, they are its own matter. An output that is there is left
    # alone where nothing changes; one that isn't is made by clang, which renames a temporary file of its own. A `grep`
    # without -P fails: then all is unfinished.
    made = f'{command(alone.base)} $args {command(alone.last)} -o "$$made" 2>&1'
    search = f'LC_ALL=C grep -qaP {command((alone.unfinished,))} "$$made" 2>/dev/null'
    keep = 'if cmp -s "$$made" $out; then rm -f "$$made"; else mv -f "$$made" $out; fi'
    return (
        f'action() {{ exec {action} "$$@"; }}; made=$out; [ ! -e $out ] || made=$out.tmp; '
        f'said=$$({made}) || action; [ -z "$$said" ] || printf \'%s\\n\' "$$said" >&2; '
        f'{search}; [ $$? = 1 ] || action {MADE}"$$made"; '
        f'[ "$$made" = $out ] || {keep}'
    )


def _shared(edge: Edge) -> Optional[Shared]:
    return (edge.rule.name, edge.action.base, edge.first) if edge.rule and edge.action else None


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
    if edge.folder:
        text += f"\n  folder = {command((edge.folder,))}"
    return f"{text}\n  what = {value(edge.what or edge.outputs[0])}" if action else text


def _paths(texts: Iterable[str]) -> str:
    return " ".join(map(path, texts))
