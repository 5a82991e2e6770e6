"""Options as Go's package flag reads them (`go doc flag`, "Command line flag syntax")."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Optional, Union

from bpfgen.frozen import frozen


class Refused(Exception):
    """A command line that the tool refuses, in its own words; `usage` where it prints its options too."""

    def __init__(self, message: str, usage: bool = False) -> None:
        super().__init__(message)
        self.usage = usage


class HelpAsked(Exception):
    """`-h` or `-help`: the options are to be printed, and nothing is to be done."""


Setter = Callable[[str], Optional[str]]
"""Takes a value; says what is wrong with it."""


@frozen
class Flag:
    """One option."""

    help: str
    """What it does; a word in backquotes names its value."""
    default: Union[str, bool] = ""
    takes: str = "string"
    """What its value is called where `help` doesn't say it."""
    check: Optional[Callable[[Sequence[str]], Optional[str]]] = None
    """Given all values of it so far, says what is wrong with the last one."""


TRUE = frozenset(["1", "t", "T", "true", "TRUE", "True"])
FALSE = frozenset(["0", "f", "F", "false", "FALSE", "False"])
"""`strconv.ParseBool`"""


def parse(flags: Mapping[str, Flag], words: Sequence[str]) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """The values of each option that was given, in order, and the words behind the options.

    Booleans have `true` or `false`. Raises `Refused` and `HelpAsked`.
    """
    values: dict[str, list[str]] = {}
    rest = list(words)
    while rest and len(rest[0]) >= 2 and rest[0].startswith("-"):
        word = rest.pop(0)
        if word == "--":
            break
        name = word[2:] if word.startswith("--") else word[1:]
        if name[0] in "-=":
            raise Refused(f"bad flag syntax: {word}", usage=True)
        # An equals sign can't be first.
        name, equals, value = name.partition("=")
        flag = flags.get(name)
        if flag is None and name in {"h", "help"}:
            raise HelpAsked
        if flag is None:
            raise Refused(f"flag provided but not defined: -{name}", usage=True)
        if isinstance(flag.default, bool):
            value = _boolean(name, value) if equals else "true"
        elif not equals:
            if not rest:
                raise Refused(f"flag needs an argument: -{name}", usage=True)
            value = rest.pop(0)
        given = values.setdefault(name, [])
        given.append(value)
        wrong = flag.check(given) if flag.check else None
        if wrong:
            raise Refused(f"invalid value {quoted(value)} for flag -{name}: {wrong}", usage=True)
    return values, tuple(rest)


def _boolean(name: str, value: str) -> str:
    if value not in TRUE | FALSE:
        raise Refused(f"invalid boolean value {quoted(value)} for -{name}: parse error", usage=True)
    return "true" if value in TRUE else "false"


def quoted(text: str) -> str:
    """Go's `%q`, for what people type."""
    return json.dumps(text, ensure_ascii=False)


def defaults(flags: Mapping[str, Flag]) -> str:
    """What `PrintDefaults` prints: the options in the order of their names."""
    return "".join(f"  -{name}{_described(flag)}\n" for name, flag in sorted(flags.items()))


def _described(flag: Flag) -> str:
    before, _, rest = flag.help.partition("`")
    value, _, after = rest.partition("`")
    shown = value or ("" if isinstance(flag.default, bool) else flag.takes)
    default = quoted(flag.default) if isinstance(flag.default, str) else "true"
    more = f" (default {default})" if flag.default else ""
    return f"{' ' if shown else ''}{shown}\n    \t{before}{value}{after}{more}"
