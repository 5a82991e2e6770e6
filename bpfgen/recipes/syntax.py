"""Tokens of a shell → commands, loops and branches (POSIX.1-2024, Shell Command Language, 2.9). Pure."""

from __future__ import annotations

import re
from typing import Optional, Union

from bpfgen.frozen import frozen
from bpfgen.recipes.lexer import REDIRECTS, Part, Token, Unreadable, Word, tokens


@frozen
class Simple:
    """One command."""

    assigned: tuple[tuple[str, Word], ...]
    """Variables that it sets."""
    words: tuple[Word, ...]
    output: Optional[Word]
    """The file that its standard output goes to."""


@frozen
class Loop:
    """`for name in words; do body; done`."""

    name: str
    words: tuple[Word, ...]
    body: Listing


@frozen
class Branch:
    """`if`: conditions with what follows them; the last one may have none."""

    cases: tuple[tuple[Optional[Listing], Listing], ...]


@frozen
class Group:
    """`{ …; }`, or in parentheses, where nothing that it sets lasts."""

    body: Listing
    alone: bool


Node = Union[Simple, Loop, Branch, Group]


@frozen
class Step:
    """A pipeline of a list."""

    operator: str
    """What stands before it: `;`, `&&` or `||`."""
    commands: tuple[Node, ...]
    negated: bool


Listing = tuple[Step, ...]

_RESERVED = frozenset(["do", "done", "then", "elif", "else", "fi", "}", "esac"])
_UNKNOWN = frozenset(["case", "while", "until", "function", "select", "[["])
_ASSIGNED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)


def parse(text: str) -> Listing:
    """A script; raises Unreadable where it is none, or has what this reader doesn't take."""
    reader = _Reader(list(tokens(text)))
    listing = reader.listing()
    if reader.peek() is not None:
        raise Unreadable(f"{reader.shown()} is out of place")
    return listing


class _Reader:
    """The tokens that are left."""

    def __init__(self, left: list[Token]) -> None:
        self.left, self.at = left, 0

    def peek(self) -> Optional[Token]:
        return self.left[self.at] if self.at < len(self.left) else None

    def word(self) -> str:
        """The plain text of the next word; empty where it is none."""
        token = self.peek()
        return token.plain if isinstance(token, Word) else ""

    def shown(self) -> str:
        token = self.peek()
        return repr(self.word() or token) if token is not None else "the end"

    def take(self, *wanted: str) -> bool:
        """Whether the next token is one of these; it is taken then."""
        token = self.peek()
        found = token in wanted if isinstance(token, str) else bool(token and token.plain and token.plain in wanted)
        self.at += found
        return found

    def need(self, wanted: str) -> None:
        if not self.take(wanted):
            raise Unreadable(f"{wanted!r} is expected, and there is {self.shown()}")

    def listing(self) -> Listing:
        steps: list[Step] = []
        operator = ";"
        while True:
            while self.take("\n", ";", "&"):
                operator = ";"
            if self.peek() is None or self.peek() in (")", ";;") or self.word() in _RESERVED:
                return tuple(steps)
            steps.append(self.pipeline(operator))
            token = self.peek()
            operator = token if token in ("&&", "||") and isinstance(token, str) else ";"
            if self.take("&&", "||"):
                while self.take("\n"):
                    pass
            elif token is not None and not self.take(";", "\n", "&") and token not in (")", ";;"):
                raise Unreadable(f"{self.shown()} is out of place")

    def pipeline(self, operator: str) -> Step:
        negated = self.take("!")
        commands = [self.command()]
        while self.take("|"):
            while self.take("\n"):
                pass
            commands.append(self.command())
        return Step(operator, tuple(commands), negated)

    def command(self) -> Node:
        if self.word() in _UNKNOWN:
            raise Unreadable(f"`{self.word()}` is not followed")
        node: Node
        if self.take("("):
            node = Group(self.listing(), alone=True)
            self.need(")")
        elif self.take("{"):
            node = Group(self.listing(), alone=False)
            self.need("}")
        elif self.take("for"):
            node = self.loop()
        elif self.take("if"):
            node = self.branch()
        else:
            return self.simple()
        self.redirects()
        return node

    def loop(self) -> Loop:
        name = self.word()
        self.at += 1
        words: list[Word] = []
        if self.take("in"):
            while isinstance(token := self.peek(), Word):
                words.append(token)
                self.at += 1
        while self.take(";", "\n"):
            pass
        self.need("do")
        body = self.listing()
        self.need("done")
        return Loop(name, tuple(words), body)

    def branch(self) -> Branch:
        cases: list[tuple[Optional[Listing], Listing]] = []
        while True:
            condition = self.listing()
            self.need("then")
            cases.append((condition, self.listing()))
            if self.take("elif"):
                continue
            if self.take("else"):
                cases.append((None, self.listing()))
            self.need("fi")
            return Branch(tuple(cases))

    def simple(self) -> Simple:
        assigned: list[tuple[str, Word]] = []
        words: list[Word] = []
        output: Optional[Word] = None
        while True:
            output = self.redirects() or output
            token = self.peek()
            if not isinstance(token, Word):
                break
            self.at += 1
            value = None if words else _assignment(token)
            if value:
                assigned.append(value)
            else:
                words.append(token)
        if self.peek() == "(":
            raise Unreadable("functions are not followed")
        if not (assigned or words or output):
            raise Unreadable(f"{self.shown()} is out of place")
        return Simple(tuple(assigned), tuple(words), output)

    def redirects(self) -> Optional[Word]:
        """Takes redirections; the file of standard output. A number before them is gone: `2>` counts, too, and that
        does no harm where only `bpftool … > file` is asked for.
        """
        output = None
        while self.peek() in REDIRECTS:
            operator = self.peek()
            self.at += 1
            token = self.peek()
            if operator in ("<<", "<<-"):
                raise Unreadable("here-documents are not read")
            if not isinstance(token, Word):
                raise Unreadable(f"{self.shown()} is out of place")
            self.at += 1
            output = token if operator in (">", ">|") and output is None else output
        return output


def _assignment(word: Word) -> Optional[tuple[str, Word]]:
    """`NAME=value` as a name and a word."""
    first = word.parts[0]
    found = _ASSIGNED.fullmatch(first.text) if first.kind == "text" and not first.quoted else None
    return (found[1], Word((Part("text", found[2], quoted=True), *word.parts[1:]))) if found else None
