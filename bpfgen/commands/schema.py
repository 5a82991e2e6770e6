"""`bpfgen schema`: the JSON Schema of `build.toml`, for editors."""

from __future__ import annotations

import argparse
from typing import TextIO

from bpfgen.config.jsonschema import render

HELP = "print the JSON Schema of build.toml"
EPILOG = """examples:
  bpfgen schema > build.schema.json   then write  #:schema ./build.schema.json  as the first line of build.toml"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing beyond the common options."""


def run(args: argparse.Namespace, out: TextIO) -> int:  # noqa: ARG001 - every command takes them
    """Prints the schema."""
    out.write(render())
    return 0
