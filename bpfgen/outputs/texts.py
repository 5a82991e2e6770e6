"""Generated source code: its templates, and its place among what people wrote."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable
from typing import Optional, Union

import jinja2

from bpfgen.errors import Failure, Location, Problem

TEMPLATES = os.path.join(os.path.dirname(__file__), "templates")
COMPILED = os.path.join(TEMPLATES, "__pycache__")
"""Templates as Python's bytecode, kept as Python keeps that of modules: compiling one takes 13 ms."""


def environment(html: bool = False) -> jinja2.Environment:
    """The templates of outputs; strings pass through a filter of the language that is written. With `html`, all of
    them are escaped.
    """
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        bytecode_cache=_compiled(),
        autoescape=html,  # noqa: S701 - source code of other languages has filters of its own
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )


def _compiled() -> Optional[jinja2.BytecodeCache]:
    """None where bpfgen is installed in a folder that isn't ours to write to."""
    with contextlib.suppress(OSError):
        os.makedirs(COMPILED, exist_ok=True)
        if os.access(COMPILED, os.W_OK) and not sys.dont_write_bytecode:
            return jinja2.FileSystemBytecodeCache(COMPILED)
    return None


def refuse_foreign(
    paths: Iterable[Union[str, os.PathLike[str]]],
    is_ours: Callable[[str], object],
    hint: str,
    message: str = "was not made by bpfgen",
) -> None:
    """A folder that the user names can have files of the user's own: raises `Failure` for those of `paths` that are
    there, unless `is_ours` is true of their first line.
    """
    problems = []
    for path in paths:
        with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
            if not is_ours(file.readline().rstrip("\n")):
                problems.append(Problem(Location(str(path)), message, hint))
    if problems:
        raise Failure(problems)
