"""The container of `[builder.docker]` and `[builder.podman]`: its settings, and what the image's compilers say."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from bpfgen.builders import engine, image
from bpfgen.builders.compiler import Place, ask, shared
from bpfgen.builders.session import begin
from bpfgen.builders.settings import Settings
from bpfgen.config.checkbuilder import image_of
from bpfgen.config.schema import Config
from bpfgen.toolchain import Cache


def find(root: str, config: Config, cache: Cache) -> Place:
    """The image, pulled or built and asked if it must be; raises Unavailable, Gone, OSError."""
    kind, wanted = image_of(config)
    assert wanted is not None  # config.checkbuilder has seen to it
    out = config.project.out.rstrip("/")
    os.makedirs(os.path.join(root, out), exist_ok=True)  # what is mounted must be there
    if kind == "docker" or f"{kind} address" not in cache:  # podman's is a program, which stays where it is
        cache[f"{kind} address"] = engine(kind).find()
    address = cache[f"{kind} address"]
    found = image.find(root, kind, address, wanted, cache)
    key = f"{kind} {found.id} {config.toolchain.clang}"
    settings = _settings(root, config, kind, address, found.id)
    answers = cache.get(key)
    if answers is None or set(answers) != {"user", "headers", "clangs"}:
        answers = cache[key] = _ask(settings, config.toolchain.clang)
    settings = dataclasses.replace(settings, user=answers["user"])
    return Place(settings, found.id, found.watch, answers, lambda script: output(settings, script))


def _settings(root: str, config: Config, kind: str, address: str, image_id: str) -> Settings:
    out = config.project.out.rstrip("/")
    name = image_id.rpartition(":")[2][:12]
    return Settings(
        kind=kind,
        engine=address,
        image=image_id,
        root=root,
        readable=shared(root, config),
        writable=(os.path.join(root, out),),
        user="",
        sysroot=f"{out}/sysroot/{name}",
    )


def _ask(settings: Settings, wanted: str) -> dict[str, Any]:
    rootless = engine(settings.kind).is_rootless(settings.engine)
    user = "" if rootless else f"{os.getuid()}:{os.getgid()}"
    settings = dataclasses.replace(settings, user=user)
    return {"user": user, **ask(lambda script: output(settings, script), settings.root, wanted, "the image")}


def output(settings: Settings, script: str) -> bytes:
    """What a script writes in a container that is there for it alone."""
    stream = begin(settings, script)
    data = bytearray()
    try:
        while more := stream.receive():
            data += more
    finally:
        stream.close()
    return bytes(data)
