"""The command line: arguments, printing, exit codes. The only place, with `steps`, that prints and exits."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from bpfgen import __version__
from bpfgen.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, Failure, describe

COMMANDS = (
    "generate",
    "init",
    "import",
    "bpf2go",
    "matrix",
    "explain",
    "check",
    "lint",
    "lock",
    "verify",
    "doctor",
    "inspect",
    "size",
    "diff",
    "kernel",
    "shell",
    "run",
    "builder",
    "cache",
    "stats",
    "schema",
    "clean",
    "completion",
)
"""Modules of `bpfgen.commands`; each is imported only when it is named."""
MODULES = {"import": "importing"}
"""Those that have another name than their command."""

EPILOG = """examples:
  bpfgen init hello && cd hello   start a project that builds at once
  bpfgen && ninja                 generate, then build everything
  ninja arm64                     build for one architecture (or program, or kernel)
  bpfgen check                    which kernels take which programs, and why not
  bpfgen doctor                   what would be used, and what is missing
  bpfgen explain xdp_blocklist    where each setting comes from
  bpfgen inspect out/obj/*/*.o    what is in an object
  bpfgen kernel list              the kernels, and where their types come from

exit codes: 0 done, 1 a tool or the file system failed, 2 wrong command line, 3 wrong input, 130 interrupted"""


class _Parser(argparse.ArgumentParser):
    """Errors in the tool's own form, with a way on."""

    def error(self, message: str) -> NoReturn:
        print(f"bpfgen: error: {message}\n  hint: {self.prog} --help", file=sys.stderr)
        raise SystemExit(EXIT_USAGE)


def run(argv: Sequence[str]) -> int:
    """Runs one command; returns the exit code. Every problem is printed here, once, and no traceback ever."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a locale may lack a name's letters
    try:
        args = parse(argv)
        code = int(args.run(args, sys.stdout) or EXIT_OK)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where a full disk or a reader that has gone is still reported
        return code
    except Failure as failure:
        _print_problems(failure, argv)
        return failure.code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader has gone (`bpfgen matrix | head`); the interpreter would complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except OSError as error:
        print(f"bpfgen: error: {describe(error)}", file=sys.stderr)
        return EXIT_FAILED


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments, with `run` set to the command's function. Options may stand before or after the command."""
    named = next((word for word in _positionals(argv)), "generate")
    parser = make_parser(named)
    words = list(argv) if named in argv or named == "help" else ["generate", *argv]
    return parser.parse_args(words)


def _positionals(argv: Sequence[str]) -> list[str]:
    """Words that are no options and no options' values, up to the first command's name."""
    takes_value = {"-C", "-f", "--directory", "--file", "--only", "--skip", "--color"}
    words: list[str] = []
    skip = False
    for word in argv:
        if skip:
            skip = False
        elif word in takes_value:
            skip = True
        elif word in {"-h", "--help", "--version"}:
            return [*words, "help"]
        elif not word.startswith("-"):
            return [word]
    return words


def make_parser(named: str = "") -> argparse.ArgumentParser:
    """The parser, with the arguments of the command `named`; of every command when it is none of them (for help and
    completion).
    """
    common = common_options()
    parser = _Parser(
        prog="bpfgen",
        description="Builds eBPF programs for many kernels and architectures: reads build.toml, writes build.ninja.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
    )
    parser.add_argument("--version", action="version", version=f"bpfgen {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS if named not in COMMANDS else (named,):
        module: Any = importlib.import_module(f"bpfgen.commands.{MODULES.get(name, name)}")
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.HELP[0].upper() + module.HELP[1:] + ".",
            epilog=module.EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            parents=[common_options(suppress=True)],
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def common_options(suppress: bool = False) -> _Parser:
    """Options of every command. Given after the command, they must not undo those before it: so their defaults are
    left out there.
    """

    def default(value: object) -> Any:
        return argparse.SUPPRESS if suppress else value

    parser = _Parser(add_help=False)
    group = parser.add_argument_group("common options")
    add = group.add_argument
    add("-C", "--directory", metavar="DIR", default=default("."), help="run in DIR")
    add(
        "-f",
        "--file",
        metavar="FILE",
        default=default("build.toml"),
        help="read FILE; its folder is the project (default: build.toml)",
    )
    add(
        "--only",
        metavar="GLOB",
        action="append",
        default=default([]),
        help="only units whose id, program, architecture or kernel matches",
    )
    add("--skip", metavar="GLOB", action="append", default=default([]), help="all but those that match")
    add("-n", "--dry-run", action="store_true", default=default(False), help="say what would be done, and do nothing")
    add("-v", "--verbose", action="store_true", default=default(False), help="say more")
    add("-q", "--quiet", action="store_true", default=default(False), help="say nothing but errors")
    add(
        "--color",
        choices=("auto", "always", "never"),
        default=default("auto"),
        help="colour the output (default: on a terminal)",
    )
    return parser


def _print_problems(failure: Failure, argv: Sequence[str]) -> None:
    from bpfgen.text import paint

    mode = next((argv[i + 1] for i, w in enumerate(argv[:-1]) if w == "--color"), "auto")
    for problem in failure.problems:
        text = str(problem).replace(": error: ", paint(": error: ", "red", mode, sys.stderr), 1)
        print(text, file=sys.stderr)
    if len(failure.problems) > 1:
        print(f"bpfgen: {len(failure.problems)} errors", file=sys.stderr)
