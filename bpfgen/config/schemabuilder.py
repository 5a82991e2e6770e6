"""The part of the schema that is `[builder]` (see `schema`)."""

from __future__ import annotations

from typing import Literal, Optional

from bpfgen.config.values import (
    HostName,
    ImageName,
    Name,
    RelativePath,
    RemotePath,
    UserName,
)
from bpfgen.frozen import frozen


@frozen
class Image:
    """An image that has clang and the headers of libbpf: one that is there, or a Dockerfile to build it from."""

    image: Optional[ImageName] = None
    """The image. The digest that a tag means is recorded in `bpfgen.lock`, which belongs into version control; removing
    its line there asks anew."""
    dockerfile: Optional[RelativePath] = None
    """A Dockerfile; the image is built again when it or `context` changes."""
    context: Optional[RelativePath] = None
    """The folder whose files the Dockerfile can copy. Not given: none."""


@frozen
class Ssh:
    """A machine that ssh reaches without a question, and that has clang and the headers of libbpf."""

    host: HostName
    """The machine, or what ~/.ssh/config calls it."""
    port: Optional[int] = None
    """The port of its ssh server. Not given: as ssh knows it, as with `user`, `key` and `config`."""
    user: Optional[UserName] = None
    """Who to be there."""
    key: Optional[RemotePath] = None
    """The file of the private key, relative to the project; `~` is your home."""
    config: Optional[RemotePath] = None
    """A file to take the place of ~/.ssh/config."""
    path: Optional[RemotePath] = None
    """Where that machine has the project, if it shares the folder. Not given: bpfgen copies the project there."""


@frozen
class Vagrant:
    """A machine of the project's Vagrantfile."""

    machine: Name = "default"
    """Its name there."""
    path: Optional[RemotePath] = None
    """Where the machine has the project, such as `/vagrant`. Not given: bpfgen copies the project there."""


@frozen
class Lima:
    """An instance of Lima."""

    instance: Name = "default"
    """Its name."""
    path: Optional[RemotePath] = None
    """Where the instance has the project, if it mounts it. Not given: bpfgen copies the project there."""


@frozen
class Builder:
    """Where the commands run."""

    kind: Literal["auto", "native", "docker", "podman", "ssh", "vagrant", "lima"] = "auto"
    """`native` runs clang on this host, `docker` and `podman` in a container, `ssh`, `vagrant` and `lima` on another
    machine. `auto` is `native` where this host has a clang that may build the project, else the engine that has a table
    here."""
    docker: Optional[Image] = None
    """What docker's container is made of."""
    podman: Optional[Image] = None
    """What podman's container is made of. Not given: the same as docker's."""
    ssh: Optional[Ssh] = None
    """The machine of `ssh`."""
    vagrant: Optional[Vagrant] = None
    """The machine of `vagrant`."""
    lima: Optional[Lima] = None
    """The machine of `lima`."""
