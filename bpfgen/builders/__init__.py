"""Where the compiler runs when it isn't on this host. Another kind is one module and one row of `ENGINES`.

The module of an engine has

  find(context) -> str                        how the engine is reached; raises Unavailable
  resolve(engine, reference) -> str           the id of an image, pulled if it must be
  build(engine, folder, dockerfile, files)    the id of an image that is built, with progress in sight
  is_rootless(engine) -> bool                 whether the container's uid 0 is the caller
  start(settings, script) -> Stream           a container that runs a shell script, bound to its standard input
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

ENGINES: Mapping[str, str] = {"docker": "bpfgen.builders.docker", "podman": "bpfgen.builders.podman"}


class Unavailable(Exception):
    """What a builder needs isn't there; one line that says what, and perhaps a hint after a line break."""


def engine(kind: str) -> Any:
    """The module of an engine (see above)."""
    return importlib.import_module(ENGINES[kind])
