"""bpf2go's command line (`newB2G` of cmd/bpf2go/main.go, v0.22), with its defaults and its refusals."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Optional

from bpfgen.bpf2go.goflag import TRUE, Flag, Refused, defaults, parse, quoted
from bpfgen.catalog import arches
from bpfgen.config.check import OTHER_NAMES
from bpfgen.frozen import frozen

GENERIC = ("bpf", "bpfel", "bpfeb")
"""Targets of no one architecture."""


class NoSuchTarget(Refused):
    """A `-target` that bpf2go doesn't know."""


@frozen
class Options:
    """What one run of bpf2go is asked for."""

    ident: str
    source: str
    """As given: relative to the folder that bpf2go runs in."""
    package: str
    cc: tuple[str, ...]
    """The compiler's words; the first one is the program."""
    cflags: tuple[str, ...]
    target: str
    """As given."""
    targets: tuple[str, ...]
    """Without repeats: `bpf`, `bpfel`, `bpfeb`, or an architecture by Go's name."""
    tags: Optional[str]
    """Build tags, in the syntax of `// +build`."""
    types: tuple[str, ...]
    global_types: bool
    output_dir: str
    """Empty for the current folder."""
    output_stem: str
    """Empty for the identifier in lower case."""
    output_suffix: str
    strip: str
    """A command; empty where none was named."""
    no_strip: bool
    makebase: str
    verbose: bool
    ignored: tuple[str, ...]
    """Words behind the source, which bpf2go doesn't look at."""

    @property
    def stem(self) -> str:
        """What names of generated files start with."""
        return self.output_stem or self.ident.lower()


def flags(environ: Mapping[str, str]) -> dict[str, Flag]:
    """The options, with the defaults that an environment gives them."""
    suffix = "_test" if environ.get("GOFILE", "").endswith("_test.go") else ""
    return {
        "verbose": Flag("Enable verbose logging ($V)", environ.get("V", "") in TRUE),
        "cc": Flag("`binary` used to compile C to BPF ($BPF2GO_CC)", environ.get("BPF2GO_CC", "clang")),
        "strip": Flag(
            "`binary` used to strip DWARF from compiled BPF ($BPF2GO_STRIP)", environ.get("BPF2GO_STRIP", "")
        ),
        "no-strip": Flag("disable stripping of DWARF", False),
        "cflags": Flag(
            "flags passed to the compiler, may contain quoted arguments ($BPF2GO_CFLAGS)",
            environ.get("BPF2GO_CFLAGS", ""),
        ),
        "tags": Flag("Comma-separated list of Go build tags to include in generated files", takes="value"),
        "target": Flag("clang target(s) to compile for (comma separated)", "bpfel,bpfeb"),
        "makebase": Flag(
            "write make compatible depinfo files relative to `directory` ($BPF2GO_MAKEBASE)",
            environ.get("BPF2GO_MAKEBASE", ""),
        ),
        "type": Flag("`Name` of a type to generate a Go declaration for, may be repeated", check=_check_type),
        "no-global-types": Flag("Skip generating types for map keys and values, etc.", False),
        "output-stem": Flag("alternative stem for names of generated files (defaults to ident)"),
        "output-suffix": Flag("suffix in generated file names such as _test (default based on $GOFILE)", suffix),
        "output-dir": Flag("target directory of generated files (defaults to current directory)"),
        "go-package": Flag("package for output go file (default as ENV GOPACKAGE)"),
    }


def _check_type(given: Sequence[str]) -> Optional[str]:
    *before, name = given
    if not re.fullmatch(r"[A-Za-z0-9_]+", name):
        return f"{quoted(name)} contains characters outside of [a-z0-9_]"
    return f"duplicate type {quoted(name)}" if name in before else None


def read(words: Sequence[str], environ: Mapping[str, str], native: str, compiler: str = "") -> Options:
    """The options that `words` and an environment give; `native` is this host's architecture, by Go's name, and
    `compiler` what an empty `-cc` stands for.

    Raises `Refused` with bpf2go's own message, and `HelpAsked`.
    """
    known = flags(environ)
    given, rest = parse(known, words)
    # The last one counts. Booleans are `true` or `false`, or their default's `True` or `False`.
    last = {name: given[name][-1] if name in given else str(flag.default) for name, flag in known.items()}
    package = last["go-package"] or environ.get("GOPACKAGE", "")
    if not package:
        raise Refused("missing package, you should either set the go-package flag or the GOPACKAGE env")
    cc = tuple(last["cc"].split() or compiler.split())
    if not cc:
        raise Refused("no compiler specified")
    positional, cflags = _words(last["cflags"], rest)
    for name in ("output-stem", "output-suffix"):
        if "/" in last[name]:
            raise Refused(f"-{name} {quoted(last[name])} must not contain path separation characters")
    return Options(
        ident=positional[0],
        source=positional[1],
        package=package,
        cc=cc,
        cflags=cflags,
        target=last["target"],
        targets=_targets(last["target"], native),
        tags=last["tags"] if "tags" in given else None,
        types=tuple(sorted(given.get("type", ()))),
        global_types=last["no-global-types"] not in TRUE,
        output_dir=last["output-dir"],
        output_stem=last["output-stem"],
        output_suffix=last["output-suffix"],
        strip=last["strip"],
        no_strip=last["no-strip"] in TRUE,
        makebase=last["makebase"],
        verbose=last["verbose"] in TRUE,
        ignored=positional[2:],
    )


def _words(flag: str, rest: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The identifier, the source and what else there is, and the C flags: those of `-cflags` first."""
    at = rest.index("--") if "--" in rest else len(rest)
    cflags = (*split_cflags(flag), *rest[at + 1 :])
    for word in cflags:
        if word.startswith("-M"):
            raise Refused(f"use -makebase instead of {quoted(word)}")
    if at < 2:
        raise Refused("expected at least two arguments")
    return rest[:at], cflags


def native() -> str:
    """This host's architecture, by Go's name; amd64 where bpfgen doesn't know it."""
    machine = os.uname().machine
    name = OTHER_NAMES.get(machine, machine)
    return name if name in arches() else "amd64"


def _targets(text: str, native: str) -> tuple[str, ...]:
    names = []
    for word in text.split(","):
        name = native if word == "native" else word
        if name not in GENERIC and (name not in arches() or not arches()[name].define):
            raise NoSuchTarget(f"{quoted(name)}: unsupported target")
        names.append(name)
    return tuple(dict.fromkeys(names))


def supported_targets() -> str:
    """What bpf2go says of targets, behind its options."""
    names = (*GENERIC, *sorted(name for name, arch in arches().items() if arch.define))
    return "Supported targets:\n" + "".join(f"\t{name}\n" for name in names)


def split_cflags(text: str) -> tuple[str, ...]:
    """The words of `-cflags` (`splitArguments` of cmd/bpf2go/tools.go): quotes of either kind hold a word together,
    and also end the word before; a backslash takes the next letter as it is. Raises `Refused`.
    """
    words: list[str] = []
    word, escaped, end = "", False, " "
    for letter in text.strip():
        if escaped:
            word, escaped = word + letter, False
        elif letter == "\\":
            escaped = True
        elif letter == end:
            # Only words between spaces vanish where they are empty.
            words += [word] if word or end != " " else []
            word, end = "", " "
        elif letter in "\"' " and end == " ":
            end = letter
        else:
            word += letter
    if end != " ":
        raise Refused(f"missing `{end}`")
    if escaped:
        raise Refused("unfinished escape")
    return (*words, *([word] if word else []))


USAGE = """Usage: bpf2go [options] <ident> <source file> [-- <C flags>]

ident is used as the stem of all generated Go types and functions, and
must be a valid Go identifier.

source is a single C file that is compiled using the specified compiler
(usually some version of clang).

You can pass options to the compiler by appending them after a '--' argument
or by supplying -cflags. Flags passed as arguments take precedence
over flags passed via -cflags. Additionally, the program expands quotation
marks in -cflags. This means that -cflags 'foo "bar baz"' is passed to the
compiler as two arguments "foo" and "bar baz".

The program expects GOPACKAGE to be set in the environment, and should be invoked
via go generate. The generated files are written to the current directory.

Some options take defaults from the environment. Variable name is mentioned
next to the respective option.

Options:

"""


def usage(environ: Mapping[str, str]) -> str:
    """What `bpf2go -help` prints."""
    return f"{USAGE}{defaults(flags(environ))}\n{supported_targets()}"
