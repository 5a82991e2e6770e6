"""Docker, by its SDK, which takes a tenth of a second to import: only the session and images need it."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tarfile
from collections.abc import Iterable
from typing import Any

from bpfgen.builders import NoImage, Unavailable, pinned
from bpfgen.builders.settings import LABEL, SESSION, Settings, is_stray
from bpfgen.builders.stream import FramedStream

DEFAULT = "unix:///var/run/docker.sock"
START_SECONDS = 60


def find() -> str:
    """The engine's address: of `DOCKER_HOST`, else of the docker command's current context."""
    address = os.environ.get("DOCKER_HOST", "")
    if address:
        return address
    folder = os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")
    if not os.path.exists(os.path.join(folder, "config.json")):  # which names the context
        return DEFAULT
    sdk = _sdk()
    try:
        context = sdk.ContextAPI.get_current_context()
        return str(context.Host or DEFAULT)
    except Exception:  # a damaged context file is docker's matter
        return DEFAULT


def _sdk() -> Any:
    try:
        import docker
    except ImportError as error:
        raise Unavailable("the docker package isn't installed\n  hint: pip install 'bpfgen[docker]'") from error
    return docker


def client(engine: str) -> Any:
    """A client of the engine, which answers; raises Unavailable."""
    sdk = _sdk()
    try:
        made = sdk.DockerClient(base_url=engine, timeout=START_SECONDS)
        made.ping()
    except sdk.errors.DockerException as error:
        raise Unavailable(_reason(engine, str(error))) from error
    return made


def _reason(engine: str, text: str) -> str:
    """As the doctor says it."""
    from bpfgen.doctor.reason import silent

    finding = silent("docker", text, engine)
    return f"{finding.found}\n  hint: {finding.hint}"


def resolve(engine: str, reference: str) -> str:
    """The id of an image, which is pulled where the engine hasn't got it; raises Unavailable."""
    api, errors = client(engine).api, _sdk().errors
    try:
        return str(api.inspect_image(reference)["Id"])
    except errors.ImageNotFound:
        pass
    try:
        name, _, tag = reference.rpartition(":") if "@" not in reference else (reference, "", "")
        known = bool(tag) and "/" not in tag and bool(name)
        for line in api.pull(name if known else reference, tag=tag if known else None, stream=True, decode=True):
            if "error" in line:
                raise Unavailable(f'there is no image "{reference}": {line["error"]}')
        return str(api.inspect_image(reference)["Id"])
    except errors.DockerException as error:
        raise Unavailable(f'there is no image "{reference}": {_explanation(error)}') from error


def pin(engine: str, reference: str) -> str:
    """What `bpfgen.lock` has of a reference; raises Unavailable."""
    found = resolve(engine, reference)
    return pinned(reference, client(engine).api.inspect_image(found).get("RepoDigests") or (), found)


def _explanation(error: Any) -> str:
    return str(getattr(error, "explanation", None) or error)


def build(engine: str, root: str, dockerfile: str, files: Iterable[str]) -> str:
    """The id of the image of a Dockerfile, built from `files` with their names relative to its context."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(os.path.join(root, dockerfile), "Dockerfile")
        for name in files:
            context, _, inner = name.partition("\0")
            tar.add(os.path.join(root, context, inner), inner, recursive=False)
    archive.seek(0)
    api, last = client(engine).api, ""
    for line in api.build(fileobj=archive, custom_context=True, rm=True, decode=True):
        sys.stderr.write(line.get("stream", ""))
        sys.stderr.flush()
        if "error" in line:
            raise Unavailable(f"{dockerfile} can't be built: {line['error']}")
        last = line.get("aux", {}).get("ID", last)
    return last


def is_rootless(engine: str) -> bool:
    """Whether the engine runs without root."""
    return any("rootless" in option for option in client(engine).info().get("SecurityOptions") or ())


class Attached(FramedStream):
    """A container's shell."""

    def __init__(self, connection: Any, owner: tuple[Any, Any], container: str) -> None:
        super().__init__(connection, owner)
        self.container = container[:12]
        self._api = owner[0].api

    def gone(self) -> None:
        with contextlib.suppress(_sdk().errors.DockerException, OSError):  # it is gone, or the engine is
            self._api.wait(self.container, timeout=START_SECONDS, condition="removed")


def _sweep(api: Any, settings: Settings) -> None:
    """Removes what sessions of this project left when the engine was killed."""
    for container in api.containers(all=True, filters={"label": f"{LABEL}={settings.root}"}):
        if is_stray(container["Labels"].get(SESSION, "")):
            with contextlib.suppress(_sdk().errors.DockerException):  # it is being removed
                api.remove_container(container["Id"], force=True)


def start(settings: Settings, script: str) -> Attached:
    """A container that runs the script; raises Unavailable."""
    made, errors = client(settings.engine), _sdk().errors
    api = made.api
    _sweep(api, settings)
    try:
        config = api.create_host_config(
            auto_remove=True,
            network_mode="none",
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            read_only=True,
            log_config=_sdk().types.LogConfig(type="none"),  # what it says is for the session alone
            tmpfs={"/tmp": ""},  # noqa: S108 - the container's own
            # Not `binds`, which a colon in a path breaks.
            mounts=[
                *(_sdk().types.Mount(path, path, "bind", read_only=True) for path in settings.readable),
                *(_sdk().types.Mount(path, path, "bind") for path in settings.writable),
            ],
        )
        container = api.create_container(
            settings.image,
            command=["-c", script],
            entrypoint=["/bin/sh"],
            stdin_open=True,  # with an attached one, docker closes it when whoever attached goes away
            user=settings.user or None,
            working_dir=settings.root,
            labels={LABEL: settings.root, SESSION: str(os.getpid())},
            host_config=config,
        )["Id"]
        socket = api.attach_socket(container, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
        connection = getattr(socket, "_sock", socket)
        connection.settimeout(None)
        try:
            api.start(container)
        except errors.DockerException:
            api.remove_container(container, force=True)
            raise
        return Attached(connection, (made, socket), container)
    except errors.ImageNotFound as error:
        raise NoImage(settings.image) from error
    except errors.DockerException as error:
        raise Unavailable(f"docker can't start the container: {_explanation(error)}") from error
