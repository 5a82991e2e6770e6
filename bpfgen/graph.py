"""The build as data: actions, edges, a graph that refuses two producers of one output. Text comes later, at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Optional, Union

from bpfgen.errors import Failure, Problem
from bpfgen.frozen import field, frozen


@frozen
class Action:
    """One command, host-side and unquoted; quoting happens once, when the Ninja file is written."""

    base: tuple[str, ...]
    """The words that many actions share: the tool and its common flags. Written once, in a rule of the Ninja file."""
    args: tuple[str, ...]
    """The words of this action alone."""

    @property
    def argv(self) -> tuple[str, ...]:
        """The whole command."""
        return self.base + self.args


FOLDER = "\0folder"
"""Stands for `Ahead.folder` in its words."""


@frozen
class Ahead:
    """A command that the shell starts first, where its folder has a file, so that it runs while the action's starts.

    It gets the action's own words too, and another output: `$out.tmp`, with its messages in `$out.said`. The action
    gets the number of its process, and waits for it.
    """

    base: tuple[str, ...]
    """Its words, which many actions share; one can be `FOLDER`."""
    file: str
    """Without this file in the folder, it isn't started."""
    last: tuple[str, ...]
    """Words behind the action's own."""


@frozen
class Alone:
    """A command that the shell runs first, and which the action is only started for where it fails, or where what it
    made is unfinished.

    It gets the action's own words too, and another output. The action gets the name of that, where it is to finish it.
    """

    base: tuple[str, ...]
    """Its words, which many actions share."""
    last: tuple[str, ...]
    """Words behind the action's own."""
    unfinished: str
    """A Perl expression for lines of what it made."""


@frozen
class Rule:
    """How Ninja treats the edges of one kind (Ninja manual, "Rule variables")."""

    name: str
    label: str
    """What Ninja prints before the edge's `what`."""
    depfile: bool = False
    """The command writes `$out.d`, in GCC's format."""
    restat: bool = False
    """The command leaves an output alone that would not change."""
    generator: bool = False
    pool: str = ""


CC = Rule("cc", "cc", depfile=True, restat=True)
LINK = Rule("link", "link", restat=True)
STEP = Rule("step", "make", restat=True)
CLEAN = Rule("clean", "clean", pool="console")
GENERATE = Rule("generate", "bpfgen", restat=True, generator=True, pool="console")
RULES = {rule.name: rule for rule in (CC, LINK, STEP, CLEAN, GENERATE)}
_UNRECORDED = {GENERATE.name, CLEAN.name}


@frozen
class Edge:
    """An action with what it reads and writes; without an action, a phony target. Paths are relative to the project,
    or absolute.
    """

    outputs: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    implicit: tuple[str, ...] = ()
    order_only: tuple[str, ...] = ()
    rule: Optional[Rule] = None
    action: Optional[Action] = None
    what: str = ""
    """What Ninja says is made; the first output, if it is empty."""
    compiler: Optional[Action] = None
    """The bare command of a compile, as an editor shall see it."""
    first: Optional[Union[Ahead, Alone]] = None
    """What the shell does before it becomes the action."""
    folder: str = ""
    """Of `Ahead`."""
    aside: tuple[str, ...] = ()
    """Files that the action leaves beside its outputs; nothing waits for them."""


@frozen
class Graph:
    """Edges in the order they are written."""

    edges: tuple[Edge, ...]
    defaults: tuple[str, ...]
    builddir: str
    """Where Ninja keeps its log."""
    comment: str = ""
    editor: Mapping[str, Action] = field(default_factory=dict)
    """Source → the action that an editor shall believe, one for each source."""


def build_graph(
    edges: Iterable[Edge], defaults: Sequence[str], builddir: str, comment: str, editor: Mapping[str, Action]
) -> Graph:
    """A `Graph`; raises `Failure` when two edges make the same output."""
    edges = tuple(edges)
    made: set[str] = set()
    problems = []
    hint = "rename the program, or the folder or file of that name"
    for edge in edges:
        for output in edge.outputs:
            if output in made:
                problems.append(Problem(None, f'two Ninja edges would make "{output}"', hint))
            made.add(output)
    read: set[str] = set()
    for edge in edges:
        if edge.action:
            read.update(edge.inputs, edge.implicit)
    targets = (name for edge in edges if edge.action is None and edge.inputs for name in edge.outputs)
    problems += [
        Problem(None, f'the target "{name}" has the name of a file that is read', hint)
        for name in targets
        if name in read
    ]
    if problems:
        raise Failure(problems)
    return Graph(edges, tuple(defaults), builddir, comment, editor)


def outputs(graph: Graph) -> tuple[str, ...]:
    """Every file that an action of the graph writes, but for the Ninja file's own."""
    made = (edge for edge in graph.edges if edge.action and edge.rule and edge.rule.name not in _UNRECORDED)
    return tuple(name for edge in made for name in (*edge.outputs, *edge.aside))
