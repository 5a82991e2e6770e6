"""podman, by its command: it needs no service, and ends with the process that holds its standard input."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence

from bpfgen.builders import NoImage, Unavailable, pinned
from bpfgen.builders.settings import LABEL, OPTIONS, SESSION, Settings, is_stray
from bpfgen.builders.stream import PipeStream


def find() -> str:
    """The command; raises Unavailable."""
    found = shutil.which("podman")
    if found is None:
        raise Unavailable("there is no podman\n  hint: install it from your system's packages")
    return found


def _run(words: Sequence[str]) -> str:
    try:
        done = subprocess.run(words, check=False, capture_output=True, text=True, errors="replace")
    except OSError as error:
        raise Unavailable(f"{words[0]}: {error.strerror}") from error
    if done.returncode:
        raise Unavailable((done.stderr.strip().splitlines() or ["podman says nothing"])[-1])
    return done.stdout.strip()


def resolve(engine: str, reference: str) -> str:
    """The id of an image, which is pulled where podman hasn't got it; raises Unavailable."""
    inspect = (engine, "image", "inspect", "--format={{.Id}}", reference)
    try:
        return f"sha256:{_run(inspect)}"
    except Unavailable:
        pass
    try:
        _run((engine, "pull", "-q", reference))
        return f"sha256:{_run(inspect)}"
    except Unavailable as error:
        raise Unavailable(f'there is no image "{reference}": {error}') from error


def pin(engine: str, reference: str) -> str:
    """What `bpfgen.lock` has of a reference; raises Unavailable."""
    found = resolve(engine, reference)
    return pinned(
        reference, json.loads(_run((engine, "image", "inspect", "--format={{json .RepoDigests}}", found))), found
    )


def build(engine: str, root: str, dockerfile: str, files: Iterable[str]) -> str:
    """The id of the image of a Dockerfile, built from `files` with their names relative to its context."""
    with tempfile.TemporaryDirectory(prefix="bpfgen-") as folder:
        context = os.path.join(folder, "context")
        os.mkdir(context)
        for name in files:
            base, _, inner = name.partition("\0")
            os.makedirs(os.path.dirname(os.path.join(context, inner)), exist_ok=True)
            shutil.copy2(os.path.join(root, base, inner), os.path.join(context, inner))
        note = os.path.join(folder, "id")
        words = (engine, "build", "--iidfile", note, "-f", os.path.join(root, dockerfile), context)
        if subprocess.run(words, check=False, stdout=sys.stderr).returncode:
            raise Unavailable(f"{dockerfile} can't be built")
        with open(note, encoding="utf-8") as file:
            return file.read().strip()


def is_rootless(engine: str) -> bool:
    """Whether podman runs without root."""
    return bool(json.loads(_run((engine, "info", "--format={{json .Host.Security.Rootless}}"))))


def _sweep(settings: Settings) -> None:
    """Removes what sessions of this project left that were killed together with podman."""
    # Not by the folder: podman takes a comma in a filter for the start of another.
    rows = json.loads(_run((settings.engine, "ps", "-a", f"--filter=label={LABEL}", "--format=json")) or "[]")
    ours = [row for row in rows if row["Labels"].get(LABEL) == settings.root]
    old = [row["Id"] for row in ours if is_stray(row["Labels"].get(SESSION, ""))]
    if old:
        _run((settings.engine, "rm", "-f", *old))


def mount(path: str, mode: str) -> str:
    """The option that mounts a path where it is; raises Unavailable for one that podman has no way to write."""
    if ":" not in path:
        return f"--volume={path}:{path}:{mode}"
    if "," in path:
        raise Unavailable(f"podman can't mount a path with a colon and a comma: {path}")
    return f"--mount=type=bind,src={path},dst={path},ro={'true' if mode == 'ro' else 'false'}"


def start(settings: Settings, script: str) -> PipeStream:
    """A container that runs the script; raises Unavailable."""
    name = f"bpfgen-{os.urandom(6).hex()}"
    options = [
        f"--name={name}",
        *OPTIONS,
        "--network=none",
        "--log-driver=none",
        f"--label={LABEL}={settings.root}",
        f"--label={SESSION}={os.getpid()}",
        f"--workdir={settings.root}",
        *(mount(path, "ro") for path in settings.readable),
        *(mount(path, "rw") for path in settings.writable),
        *([f"--user={settings.user}"] if settings.user else []),
    ]
    _sweep(settings)
    try:
        _run((settings.engine, "image", "exists", settings.image))
    except Unavailable as error:
        raise NoImage(settings.image) from error
    words = [settings.engine, "run", *options, "--entrypoint=/bin/sh", settings.image, "-c", script]
    try:
        stream = PipeStream(words, 2)
    except OSError as error:
        raise Unavailable(f"{settings.engine}: {error.strerror}") from error
    stream.container = name
    return stream
