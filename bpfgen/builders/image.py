"""`[builder.docker]` → the id of an image. An engine is asked only for what isn't known from earlier runs."""

from __future__ import annotations

import hashlib
import os
from typing import Any

from bpfgen import lockfile
from bpfgen.builders import Unavailable, engine
from bpfgen.config.schemabuilder import Image
from bpfgen.frozen import frozen
from bpfgen.toolchain import Cache


@frozen
class Found:
    """An image."""

    id: str
    watch: tuple[str, ...]
    """Files and folders that say that it must be asked for again."""


def find(root: str, kind: str, address: str, wanted: Image, cache: Cache) -> Found:
    """The image, which is pulled or built if it must be; raises Unavailable, OSError."""
    if wanted.dockerfile:
        return _built(root, kind, address, wanted, cache)
    reference = str(wanted.image)
    named = reference if "@sha256:" in reference else _locked(root, kind, address, reference)
    key = f"{kind} image {named}"
    try:
        if key not in cache:
            cache[key] = engine(kind).resolve(address, named)
    except Unavailable as error:
        if named == reference:
            raise
        hint = f"remove its line from {lockfile.FILE} to ask what it means now"
        raise Unavailable(f'{error}, which {lockfile.FILE} has for "{reference}"\n  hint: {hint}') from error
    return Found(cache[key], (os.path.join(root, lockfile.FILE),))


def digest(root: str, kind: str, wanted: Image) -> str:
    """What stands for an image that was found, on every machine: its digest, or a hash of what it is built from. Raises
    Unavailable, OSError.
    """
    if wanted.dockerfile:
        return f"built:{_files(root, wanted)[0]}"
    reference = str(wanted.image)
    return reference if "@sha256:" in reference else str(_images(root)[1].get(kind, {}).get(reference, reference))


def forget(kind: str, cache: Cache) -> None:
    """What is known of an engine's images: the engine is asked for them again."""
    for key in [key for key in cache if key.startswith((f"{kind} image ", f"{kind} built "))]:
        del cache[key]


def _locked(root: str, kind: str, address: str, reference: str) -> str:
    """What a tag means: on the machine where it was asked first, and from then on everywhere."""
    lock, images = _images(root)
    known = images.setdefault(kind, {})
    if reference not in known:
        known[reference] = engine(kind).pin(address, reference)
        lockfile.write(root, lock)
    return str(known[reference])


def _images(root: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The lock, and the part of it that has images; raises Unavailable, OSError."""
    try:
        lock = lockfile.read(root)
    except ValueError as error:
        hint = "restore it, or delete it to ask for images anew"
        raise Unavailable(f"{lockfile.FILE} is damaged: {error}\n  hint: {hint}") from error
    return lock, lock.setdefault("images", {})


def _built(root: str, kind: str, address: str, wanted: Image, cache: Cache) -> Found:
    dockerfile = str(wanted.dockerfile)
    content, names, folders = _files(root, wanted)
    key = f"{kind} built {content}"
    if key not in cache:
        cache[key] = engine(kind).build(address, root, dockerfile, names)
    files = [dockerfile, *(name.replace("\0", "/") for name in names), *folders]
    return Found(cache[key], tuple(os.path.join(root, name) for name in files))


def _files(root: str, wanted: Image) -> tuple[str, list[str], list[str]]:
    """A hash of a Dockerfile and its context, and what `_context` lists of that."""
    names, folders = _context(root, wanted.context) if wanted.context else ([], [])
    content = hashlib.sha256()
    for name in (str(wanted.dockerfile), *(name.replace("\0", "/") for name in names)):
        with open(os.path.join(root, name), "rb") as file:
            content.update(f"{name} {os.fstat(file.fileno()).st_mode & 0o777}\0".encode() + file.read())
    return content.hexdigest(), names, folders


def _context(root: str, context: str) -> tuple[list[str], list[str]]:
    """`CONTEXT\\0NAME` of each file of a context, and its folders; without what tools keep for themselves."""
    base = context.rstrip("/")
    names, folders = [], []
    for folder, below, files in os.walk(os.path.join(root, base)):
        below[:] = sorted(name for name in below if name not in {".git", "out"})
        folders.append(os.path.relpath(folder, root))
        inner = os.path.relpath(folder, os.path.join(root, base))
        names += [f"{base}\0{os.path.normpath(os.path.join(inner, name))}" for name in sorted(files)]
    return names, folders
