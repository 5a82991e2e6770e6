"""Where the compiler runs when it isn't on this host. Another kind is one module and one row, here.

The module of a kind of remote machine has

  login(root, config) -> ssh.Login            how ssh reaches it, after it was started if need be; raises Unavailable

The module of an engine, which has containers, has

  find(context) -> str                        how the engine is reached; raises Unavailable
  resolve(engine, reference) -> str           the id of an image, pulled if it must be; raises Unavailable
  pin(engine, reference) -> str               a reference that means this image on every machine (see `pinned`)
  build(engine, folder, dockerfile, files)    the id of an image that is built, with progress in sight
  is_rootless(engine) -> bool                 whether the container's uid 0 is the caller
  start(settings, script) -> Stream           a container that runs a shell script, bound to its standard input; raises
                                              Unavailable, and Gone where the image is no longer there
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import Any

ENGINES: Mapping[str, str] = {"docker": "bpfgen.builders.docker", "podman": "bpfgen.builders.podman"}
MACHINES: Mapping[str, str] = {
    "ssh": "bpfgen.builders.ssh",
    "vagrant": "bpfgen.builders.vagrant",
    "lima": "bpfgen.builders.lima",
}


class Unavailable(Exception):
    """What a builder needs isn't there; one line that says what, and perhaps a hint after a line break."""


class Gone(Unavailable):
    """What bpfgen knew of the builder isn't so any more; the next run asks again."""


class NoImage(Gone):
    """The image isn't there any more; whoever knows how makes it again."""

    def __init__(self, image: str) -> None:
        super().__init__(f"the image {image} is gone; the next ninja makes it again")


def pinned(reference: str, digests: Iterable[str], identifier: str) -> str:
    """What a lock file has of a reference: the digest of its repository, `NAME@sha256:…`, which any machine can pull,
    also one of another architecture; the id of an image that comes from no repository.
    """
    name, _, tag = reference.rpartition(":")
    repository = name if name and "/" not in tag else reference
    for digest in digests:
        # One of the two may have the default registry before it.
        short, long = sorted((repository, digest.partition("@")[0]), key=len)
        if f"/{long}".endswith(f"/{short}"):
            return digest
    return identifier


def engine(kind: str) -> Any:
    """The module of an engine (see above)."""
    return importlib.import_module(ENGINES[kind])


def machine(kind: str) -> Any:
    """The module of a kind of remote machine (see above)."""
    return importlib.import_module(MACHINES[kind])
