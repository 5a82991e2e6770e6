"""A script → the commands that it would start, and where: loops unrolled, plain conditions decided."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Optional

from bpfgen.frozen import frozen
from bpfgen.recipes.expand import UNKNOWN, State, arguments, text
from bpfgen.recipes.lexer import Unreadable
from bpfgen.recipes.syntax import Branch, Group, Listing, Loop, Node, Simple, parse

MOST = 100_000
"""Commands of one script."""
SHELLS = ("sh", "bash", "dash", "zsh", "ksh")
_RUNNERS = ("exec", "command", "time", "nice", "env", "@")
"""Commands whose arguments are a command."""


@frozen
class Command:
    """A command that a script would start."""

    words: tuple[str, ...]
    folder: str
    """Where, absolute."""
    output: str
    """The file that its standard output goes to; empty where it is none."""
    piped: bool
    """Whether another command reads its output."""


def commands(script: str, folder: str, environ: Mapping[str, str]) -> list[Command]:
    """All of them, in order; both ways of a condition that can't be decided. Raises Unreadable."""
    walk = _Walk(State(folder, environ))
    walk.listing(parse(script))
    return walk.found


class _Walk:
    """A script in progress."""

    def __init__(self, state: State, found: Optional[list[Command]] = None) -> None:
        self.state = state
        self.found: list[Command] = [] if found is None else found

    def listing(self, steps: Listing) -> Optional[bool]:
        """Whether it succeeds; None where only running it tells."""
        status: Optional[bool] = True
        for step in steps:
            if (step.operator == "&&" and status is False) or (step.operator == "||" and status is True):
                continue
            sure = step.operator == ";" or status is not None
            results = [self.node(node, node is not step.commands[-1]) for node in step.commands]
            said = results[-1]
            status = (not said if step.negated and said is not None else said) if sure else None
        return status

    def node(self, node: Node, piped: bool) -> Optional[bool]:
        if isinstance(node, Simple):
            return self.simple(node, piped)
        if isinstance(node, Group):
            inner = self.inner() if node.alone or piped else self
            return inner.listing(node.body)
        if isinstance(node, Loop):
            status: Optional[bool] = True
            for word in arguments(node.words, self.state):
                self.state.variables[node.name] = word
                status = self.listing(node.body)
            return status
        return self.branch(node)

    def branch(self, node: Branch) -> Optional[bool]:
        for condition, body in node.cases:
            holds = True if condition is None else self.listing(condition)
            if holds is False:
                continue
            status = self.listing(body)
            if holds:
                return status
        return None

    def inner(self, folder: str = "") -> _Walk:
        """A shell of its own: what it sets is gone with it."""
        state = State(folder or self.state.folder, self.state.environ, dict(self.state.variables))
        return _Walk(state, self.found)

    def simple(self, node: Simple, piped: bool) -> Optional[bool]:
        words = _without_runner(arguments(node.words, self.state))
        if not words:
            self.assign({name: text(word, self.state) for name, word in node.assigned})
            return True
        if words[0] in {"export", "readonly", "local"}:
            pairs = (word.partition("=") for word in words[1:] if "=" in word)
            self.assign({name: value for name, _, value in pairs})
            return True
        if words[0] == "cd":
            return self.go(words[1:])
        if words[0] == "read":
            self.assign(dict.fromkeys(words[1:], UNKNOWN))
            return None
        script = _script(words)
        if script is not None:
            if UNKNOWN in script:
                raise Unreadable("the script of a shell in it is not known")
            return self.inner().listing(parse(script))
        if words[0] in {"true", ":", "false", "test", "["}:
            return _holds(words)
        if len(self.found) >= MOST:
            raise Unreadable("it has too many commands")
        output = text(node.output, self.state) if node.output else ""
        self.found.append(Command(tuple(words), self.state.folder, output, piped))
        return None

    def assign(self, values: Mapping[str, str]) -> None:
        self.state.variables.update(values)

    def go(self, words: Sequence[str]) -> Optional[bool]:
        """`cd`; a folder that is made on the way need not be there yet."""
        where = [word for word in words if word not in {"--", "-P", "-L"}]
        if len(where) != 1 or UNKNOWN in where[0] or where[0] == "-":
            raise Unreadable("the folder of a `cd` is not known")
        self.state = State(
            os.path.normpath(os.path.join(self.state.folder, where[0])), self.state.environ, self.state.variables
        )
        return True


def _without_runner(words: list[str]) -> list[str]:
    """The command that `env`, `exec` and their like start."""
    while len(words) > 1 and words[0] in _RUNNERS:
        name, *words = words
        while words and name == "env" and "=" in words[0] and not words[0].startswith("-"):
            words = words[1:]
    return words


def _script(words: Sequence[str]) -> Optional[str]:
    """What `sh -c` is given; None where no script is."""
    if os.path.basename(words[0]) not in SHELLS:
        return None
    for index, word in enumerate(words[1:], 1):
        if not word.startswith("-"):
            return None
        if not word.startswith("--") and word.endswith("c"):
            return words[index + 1] if index + 1 < len(words) else None
    return None


def _holds(words: Sequence[str]) -> Optional[bool]:
    """Whether a test of text is true; None for those that ask the file system, and for combined ones."""
    if words[0] in {"true", ":", "false"}:
        return words[0] != "false"
    said = list(words[1:-1] if words[0] == "[" else words[1:])
    if any(UNKNOWN in word for word in said):
        return None
    if len(said) == 3 and said[1] in {"=", "==", "!="}:
        return (said[0] == said[2]) is (said[1] != "!=")
    if len(said) == 2 and said[0] in {"-n", "-z"}:
        return bool(said[1]) is (said[0] == "-n")
    return None
