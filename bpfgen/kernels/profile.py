"""What a machine says of its kernel: a JSON file of `bpfgen kernel capture`, with the types in a file beside it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from typing import Any, Optional

from bpfgen import __version__
from bpfgen.files import write_if_changed
from bpfgen.frozen import frozen
from bpfgen.kernels.extract import RUNNING, kernel_btf
from bpfgen.kernels.unusable import Unusable

FORMAT = 1
"""Of the file; another number is another layout."""
KEYS = {"format", "kernel", "tools", "features"}


@frozen
class Profile:
    """The file's contents."""

    kernel: dict[str, str]
    """`release`, `version` and `machine`, as uname(2) has them."""
    tools: dict[str, str]
    """Versions of what was asked: bpftool up to 7.1 says of each helper that every type of program may call it."""
    features: dict[str, Any]
    """`bpftool -j feature probe kernel` (bpftool-feature(8))."""
    btf: Optional[dict[str, str]]
    """`file`, beside this one, and its `sha256`; None of a kernel without BTF."""


def capture(bpftool: str, path: str) -> Profile:
    """Writes the profile of the running kernel to `path`, and its types beside it. Raises Unusable and `OSError`."""
    features = json.loads(_ask(bpftool, "-j", "feature", "probe", "kernel"))
    said = json.loads(_ask(bpftool, "-j", "version"))
    tools = {
        "bpfgen": __version__,
        "bpftool": str(said.get("version", "")),
        "libbpf": str(said.get("libbpf_version", "")),
    }
    system = os.uname()
    kernel = {"release": system.release, "version": system.version, "machine": system.machine}
    btf = None
    if os.path.exists(RUNNING):
        types, file = kernel_btf(RUNNING), f"{os.path.splitext(path)[0]}.btf"
        write_if_changed(file, types)
        btf = {"file": os.path.basename(file), "sha256": hashlib.sha256(types).hexdigest()}
    profile = Profile(kernel, tools, features, btf)
    write_if_changed(path, render(profile).encode())
    return profile


def render(profile: Profile) -> str:
    """The text of the file."""
    parts = {"format": FORMAT, "kernel": profile.kernel, "tools": profile.tools, "btf": profile.btf}
    return json.dumps({**parts, "features": profile.features}, indent=1) + "\n"


def read(data: bytes) -> Profile:
    """The profile in a file's bytes. Raises Unusable."""
    hint = "bpfgen kernel capture  makes one"
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise Unusable("is no profile: it isn't JSON", hint) from None
    if not isinstance(found, dict) or not found.keys() >= KEYS or found["format"] != FORMAT:
        raise Unusable("is no profile", hint)
    kernel, tools, features, btf = found["kernel"], found["tools"], found["features"], found.get("btf")
    texts = (kernel, tools, {} if btf is None else btf)
    if not all(isinstance(each, dict) and all(isinstance(text, str) for text in each.values()) for each in texts):
        raise Unusable("is damaged", hint)
    if not isinstance(features, dict) or not (btf is None or btf.keys() >= {"file", "sha256"}):
        raise Unusable("is damaged", hint)
    return Profile(kernel, tools, features, btf)


def _ask(bpftool: str, *words: str) -> bytes:
    done = subprocess.run((bpftool, *words), capture_output=True, check=False)
    try:
        json.loads(done.stdout)
    except ValueError:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        message = f"doesn't answer  {' '.join(words)}: {said[-1].removeprefix('Error: ')}"
        raise Unusable(message, "run it as root: probing loads programs") from None
    return done.stdout
