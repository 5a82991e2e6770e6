"""A builder that is a container: its engine, its image, and whether it sees the project."""

from __future__ import annotations

import os
import sys
from typing import Optional

from bpfgen.builders.settings import FILE, parse
from bpfgen.compile import layout_of
from bpfgen.config.schemabuilder import Image
from bpfgen.doctor import Finding, inside
from bpfgen.doctor.engines import Engine, Silent
from bpfgen.doctor.mend import as_root, install
from bpfgen.doctor.reason import silent
from bpfgen.doctor.subject import Subject
from bpfgen.quote import shell_word

INIT = "run  bpfgen init --docker"
_UNSHARED = ("mounts denied", "is not shared", "bind source path does not exist", "no such file or directory")


def check(subject: Subject, kind: str, engine: Optional[Engine], image: Image) -> list[Finding]:
    """Everything of one engine, and of the image that the container is made of; that may say nothing."""
    if engine is None:
        return [Finding(kind, "failure", f"{kind} isn't installed", install(kind))]
    try:
        arch = _arch(engine.architecture())
        rows = [Finding(kind, "ok", f"the engine{f' at {engine.where}' if engine.where else ''} answers ({arch})")]
        if image.image:
            return rows + _image(subject, engine, image.image, arch)
        return rows + _dockerfile(subject, engine, image.dockerfile or "", arch)
    except Silent as refusal:
        return [silent(kind, str(refusal), engine.where)]


def _arch(name: str) -> str:
    """Go's name of an architecture."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(name, name)


def _dockerfile(subject: Subject, engine: Engine, dockerfile: str, arch: str) -> list[Finding]:
    if not dockerfile:
        return [Finding("image", "warning", "nothing says which image is meant", f"{INIT}  or add  --image NAME")]
    if not os.path.isfile(os.path.join(subject.root, dockerfile)):
        return [Finding("image", "failure", f'there is no file "{dockerfile}"', INIT)]
    built = _built(subject, engine.kind)
    if not built or engine.image(built) is None:
        return [Finding("image", "ok", f"is built from {dockerfile} by the next bpfgen")]
    return _image(subject, engine, built, arch)


def _built(subject: Subject, kind: str) -> str:
    """The id of the image that the last bpfgen built with; empty where it did without."""
    note = os.path.join(subject.root, layout_of(subject.config).note(FILE))
    try:
        with open(note, encoding="utf-8") as file:
            settings = parse(file.read())
    except (OSError, ValueError):
        return ""
    return settings.image if settings.kind == kind else ""


def _image(subject: Subject, engine: Engine, image: str, arch: str) -> list[Finding]:
    of = engine.image(image)
    if of is None:
        hint = f"run  {engine.kind} pull {image}"
        return [Finding("image", "failure", f'{engine.kind} has no image "{image}"', hint)]
    if _arch(of) != arch:
        hint = f"run  {engine.kind} pull --platform linux/{arch} {image}"
        return [Finding("image", "failure", f"{image} is for {_arch(of)}, and the engine runs on {arch}", hint)]
    return [Finding("image", "ok", f"{image} ({arch})"), *_sharing(subject, engine, image)]


def _sharing(subject: Subject, engine: Engine, image: str) -> list[Finding]:
    """One container that looks at the project and at what the image has."""
    marker = os.path.join(subject.root, subject.file) if subject.file else None
    said = engine.run(image, subject.root, inside.script(subject.config.toolchain, subject.root, marker))
    lines = said.text.splitlines()
    if lines[-1:] != ["end"]:
        unshared = any(sign in said.text.lower() for sign in _UNSHARED) and subject.root in said.text
        if unshared:
            return [_hidden(subject, engine)]
        found = f"{image} runs no shell script: {said.last[:300]}"
        return [Finding("image", "failure", found, f"{INIT}  and name its Dockerfile in build.toml")]
    if marker and "visible" not in lines:
        return [_hidden(subject, engine)]
    shared = Finding("sharing", "ok", f"the container sees {subject.root}")
    rows = inside.findings(subject.config.toolchain, f"the image {image}", said.text, INIT)
    return [shared, *rows] if marker else rows


def _hidden(subject: Subject, engine: Engine) -> Finding:
    root = subject.root
    if engine.kind == "podman":
        volume = shell_word(f"{root}:{root}")
        hint = f"run  podman machine init --now --volume {volume}  after removing the machine of before"
        if sys.platform.startswith("linux"):
            hint = "run podman on this host, not on a remote one: unset CONTAINER_HOST"
    elif sys.platform == "darwin":
        hint = f"add {root} in Docker Desktop, Settings, Resources, File sharing"
    else:
        hint = f"use an engine that runs on this host (run  {as_root()}systemctl restart docker), or move the project"
    found = f"the engine doesn't see {root}: it runs elsewhere, or isn't allowed to share that folder"
    return Finding("sharing", "failure", found, hint)
