"""What the values of `build.toml` must look like, beyond their types; `schema` says which key has which."""

from __future__ import annotations

from typing import Annotated, Literal, Union

from bpfgen.frozen import frozen


@frozen
class Rule:
    """What a string must look like, beyond being a string."""

    what: str
    """Completes "must be …"."""
    pattern: str
    """A regular expression that the whole string matches, in the subset that Python and ECMAScript share."""
    hint: str = ""


# Ninja can't escape `|` in a path, reads a line at a time, and splits a depfile's names at the others
# (ninja's depfile_parser.in.cc; tried with 1.11 and 1.13: the edge stays dirty for ever).
UNWRITABLE = r"\x00-\x1f\x7f|\\;<>^`"
_PATH = rf"[^{UNWRITABLE}]+"
_NOT = "without control characters or any of  | \\ ; < > ^ `"
Path = Annotated[
    str,
    Rule(
        f"a path {_NOT}",
        _PATH,
        "rename it; Ninja can't write such a path, and '/' separates folders everywhere",
    ),
]
RelativePath = Annotated[
    str,
    Rule(
        f"a path below the project, without '..', {_NOT}",
        r"(?!/)(?!(?:.*/)?\.\.?/*(?:/|$))" + _PATH,
        'name a folder inside the project, such as "out"',
    ),
]
ProjectName = Annotated[str, Rule("a name without control characters", r"[^\x00-\x1f\x7f]+")]
# A program's name becomes a folder name and a Ninja target.
ProgramName = Annotated[
    str,
    Rule(
        f"a program name without '/', a leading '.', '-' or space, a trailing space, {_NOT}",
        rf"(?![.\- ])(?!.* $)[^{UNWRITABLE}/]{{1,100}}",
        "the name becomes a folder below out/obj and a Ninja target",
    ),
]
# Kernel and variant names are parts of file names, joined by '-' and '@'.
Name = Annotated[
    str,
    Rule(
        "a name of letters, digits, '_', '.' and '-' that starts with a letter or digit",
        r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}",
    ),
]
Version = Annotated[
    str, Rule('a kernel version such as "5.10" or "6.1.90"', r"[1-9][0-9]{0,2}\.[0-9]{1,3}(?:\.[0-9]{1,3})?")
]
# What `path.Match` of Go takes for itself, but for `*` and `?`, is in no kernel's name.
_RELEASE = r"[A-Za-z0-9_.+~:*?-]+"
Release = Annotated[
    str,
    Rule(
        'a kernel\'s release such as "5.4.0-1009-aws"',
        rf"{_RELEASE}(?:/{_RELEASE}/{_RELEASE})?",
        'or a pattern of it:  "4.18.0-305*", "ubuntu/20.04/5.4.0-*"',
    ),
]
Requirement = Annotated[
    str,
    Rule(
        'a version requirement such as ">=14" or ">=16,<20"',
        r" *(?:>=|<=|==|<|>)? *[0-9]+(?:\.[0-9]+)*(?: *, *(?:>=|<=|==|<|>) *[0-9]+(?:\.[0-9]+)*)* *",
    ),
]
Clang = Annotated[
    str,
    Rule('"auto", "wheel", a command such as "clang-19", or the path of a clang', _PATH),
]
Bpftool = Annotated[str, Rule('"auto", "none", a command, or the path of a bpftool', _PATH)]
Feature = Annotated[
    str,
    Rule(
        'a feature such as "helper:bpf_loop" or "map_type:BPF_MAP_TYPE_RINGBUF"',
        r"(?:helper|map_type|program_type|attach_type):[A-Za-z0-9_]+",
    ),
]
Flag = Annotated[
    str,
    Rule("a compiler flag without control characters", r"[^\x00-\x1f\x7f]+", "write each flag as a string of its own"),
]
Macro = Annotated[
    str,
    Rule(
        "a macro name of letters, digits and '_'",
        r"[A-Za-z_][A-Za-z0-9_]*",
        "a function-like macro belongs into a header",
    ),
]
MacroText = Annotated[
    str, Rule("a macro's value without line breaks or control characters", r"[^\x00-\x08\x0a-\x1f\x7f]*")
]
MacroValue = Union[bool, int, MacroText]
Symbol = Annotated[
    str, Rule("a name of C", r"[A-Za-z_.][A-Za-z0-9_.]{0,127}", "of a map or of a program, as in the source")
]
KernelSymbol = Annotated[
    str,
    Rule("a name of a function, or of a module and a function", r"(?:[A-Za-z0-9_]+:)?[A-Za-z_][A-Za-z0-9_.]{0,127}"),
]
ModuleName = Annotated[
    str, Rule("a module's name of letters, digits, '_' and '-'", r"[A-Za-z0-9_-]{1,64}", 'such as "md_mod"')
]
GoPackage = Annotated[
    str, Rule("a Go package name of letters, digits and '_'", r"[A-Za-z][A-Za-z0-9_]*", 'such as "programs"')
]
GoFolder = Annotated[
    str,
    Rule(
        f"a path below the project, or '.', without '..', {_NOT}",
        r"\.|(?!/)(?!(?:.*/)?\.\.?/*(?:/|$))" + _PATH,
        'name a folder inside the project, such as "internal/probe"',
    ),
]
GoStem = Annotated[
    str, Rule("a Go identifier of letters, digits and '_'", r"[A-Za-z_][A-Za-z0-9_]*", 'such as "probe" or "Probe"')
]
# What `go build` would skip or take for a constraint is not looked for: bpf2go doesn't either.
GoFileStem = Annotated[
    str, Rule("the beginning of a file's name: letters, digits, '_', '.' and '-'", r"[A-Za-z0-9_.-]+")
]
GoFileSuffix = Annotated[
    str, Rule("the end of a file's name: letters, digits, '_', '.' and '-', or empty", r"[A-Za-z0-9_.-]*")
]
# Spaces mean "or", commas "and", as in bpf2go's -tags (go/build/constraint, lines of `// +build`).
GoTag = Annotated[
    str,
    Rule(
        'a build tag such as "linux" or "!race"',
        r"!?[A-Za-z0-9_.]+(?:[ ,]!?[A-Za-z0-9_.]+)*",
        "all strings of the list must hold; within one, a space means or, a comma and",
    ),
]
CType = Annotated[
    str, Rule("the name of a C type, without struct or union", r"[A-Za-z0-9_]+", 'such as "event", for struct event')
]
GoApi = Literal["0.17", "0.18", "0.19", "0.20", "0.21", "0.22"]
Mcpu = Literal["v1", "v2", "v3", "v4"]
LauncherName = Annotated[
    str,
    Rule(
        '"auto", "none", "ccache", "sccache", or another command', r"[^\x00-\x1f\x7f]+", "write words as a list of them"
    ),
]
Word = Annotated[str, Rule("a word without control characters", r"[^\x00-\x1f\x7f]+")]
Address = Annotated[
    str,
    Rule(
        'an address such as "redis://cache.example:6379" or "https://cache.example/bpf"',
        r"(?:redis|rediss|redis\+unix|http|https|file|s3)://[^\x00-\x20\x7f]+",
        "what stands before :// says which back end it is: redis, rediss, redis+unix, http, https, file or s3",
    ),
]
ImageName = Annotated[
    str,
    Rule('the name of an image, such as "registry.example/bpf:19" or "bpf@sha256:…"', r"[A-Za-z0-9][A-Za-z0-9_.:/@-]*"),
]
HostName = Annotated[
    str, Rule('a host, such as "build.example" or a name of ~/.ssh/config', r"(?!-)[^\x00-\x20\x7f@/:]+|[0-9A-Fa-f:]+")
]
UserName = Annotated[str, Rule("a user's name", r"(?!-)[^\x00-\x20\x7f@/:]+")]
RemotePath = Annotated[str, Rule("a path without control characters", r"(?!-)[^\x00-\x1f\x7f]+")]
ArchName = Annotated[str, Rule("an architecture", r"[^\x00-\x1f\x7f]+")]
Glob = Annotated[
    str,
    Rule("a name or a glob without control characters", r"[^\x00-\x1f\x7f]+", "* stands for any letters, ? for one"),
]
Sentence = Annotated[str, Rule("a sentence without line breaks or control characters", r"[^\x00-\x1f\x7f]+")]
