"""Which commands of `go generate` run bpf2go, and with which words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Optional

from bpfgen.bpf2go.directives import Directive
from bpfgen.frozen import frozen

MODULE = "github.com/cilium/ebpf"
_NAME = re.compile(r"bpf2go(?:\.exe)?")
# `go help build`: options that are words of their own; all others have a value.
_ALONE = frozenset(
    "-a -asan -buildvcs -cover -linkshared -modcacherw -msan -n -race -trimpath -v -work -x".split()  # noqa: SIM905
)


@frozen
class Call:
    """bpf2go, as one line runs it."""

    words: tuple[str, ...]
    """Its arguments."""
    environ: Mapping[str, str]
    version: Optional[str]
    """The version that `go run …@VERSION` names."""


@frozen
class Hidden:
    """bpf2go, run in a way that only running tells the words of."""

    reason: str


def find_call(directive: Directive) -> Optional[object]:
    """The `Call` that a directive is, a `Hidden` one, or None where it has nothing to do with bpf2go."""
    words, environ = directive.words, dict(directive.environ)
    if _base(words[0]) == "env":
        words = _after_env(words[1:], environ)
    program = _base(words[0]) if words else ""
    if _NAME.fullmatch(program) or _is_variable(directive, words):
        return Call(words[1:], environ, None)
    if program == "go" and words[1:2] in {("run",), ("tool",)}:
        rest = _after_go_options(words[2:])
        package, _, version = (rest[0] if rest else "").partition("@")
        if _NAME.fullmatch(_base(package)):
            return Call(rest[1:], environ, version or None)
    if re.search(r"bpf2go", directive.text, re.IGNORECASE):
        return Hidden(f'"{program}" may run bpf2go here; what with, only running it tells')
    return None


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _is_variable(directive: Directive, words: Sequence[str]) -> bool:
    """Whether the command is a variable such as `$BPF2GO` that isn't set here."""
    return words[:1] == ("",) and bool(re.match(r"\s*\$\{?\w*BPF2GO", directive.text, re.IGNORECASE))


def _after_env(words: Sequence[str], environ: dict[str, str]) -> tuple[str, ...]:
    """What env(1) runs; what it sets goes into `environ`. Its options are left before the command."""
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if not equals or not name or name.startswith("-"):
            return tuple(words[index:])
        environ[name] = value
    return ()


def _after_go_options(words: Sequence[str]) -> tuple[str, ...]:
    rest = list(words)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0).replace("--", "-", 1)
        if "=" not in option and option not in _ALONE and rest:
            rest.pop(0)
    return tuple(rest)
