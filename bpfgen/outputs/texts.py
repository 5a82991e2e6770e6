"""Generated source code: its templates, and its place among what people wrote."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from typing import Union

import jinja2

from bpfgen.errors import Failure, Location, Problem

TEMPLATES = os.path.join(os.path.dirname(__file__), "templates")


def environment(html: bool = False) -> jinja2.Environment:
    """The templates of outputs; strings pass through a filter of the language that is written. With `html`, all of
    them are escaped.
    """
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=html,  # noqa: S701 - source code of other languages has filters of its own
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )


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
