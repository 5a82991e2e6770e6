"""Findings as commands of a GitHub workflow, which shows them beside the lines that they are about. Pure.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands; how it escapes is in
actions/toolkit, packages/core/src/command.ts.
"""

from __future__ import annotations

from bpfgen.errors import Location

COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def command(level: str, place: Location, title: str, message: str) -> str:
    """One line; `level` is `error`, `warning` or `note`. The place's file is relative to the repository."""
    values = {"file": place.file, "line": str(place.line or ""), "col": str(place.column or ""), "title": title}
    properties = ",".join(f"{name}={_property(value)}" for name, value in values.items() if value)
    return f"::{COMMANDS[level]} {properties}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
