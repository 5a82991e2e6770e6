"""A kernel anywhere → files of the project that have its types, named by what is in them."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Mapping, Sequence

from bpfgen.errors import Failure, Location, Problem
from bpfgen.frozen import frozen
from bpfgen.kernels.extract import kernel_btf
from bpfgen.kernels.profile import read, render
from bpfgen.kernels.unusable import Unusable

DIGITS = 12
"""Hexadecimal digits of a hash in a file's name."""


@frozen
class Taken:
    """What was found."""

    entry: Mapping[str, str]
    """Keys of the kernel's table."""
    files: Mapping[str, bytes]
    """Contents by path, relative to the project."""


def take(name: str, path: str, folder: str, arches: Sequence[str], to: str) -> Taken:
    """Reads the kernel in `path`, relative to `folder`, or one for each architecture where `{arch}` is in it.

    The files get names below `to`. Raises `Failure` with each file that is none, and `OSError`.
    """
    several = "{arch}" in path
    contents: dict[str, dict[str, bytes]] = {}
    problems = []
    for arch in arches if several else ("",):
        each = path.replace("{arch}", arch)
        try:
            for key, data in _contents(os.path.join(folder, each)).items():
                contents.setdefault(key, {})[arch] = data
        except Unusable as error:
            problems.append(Problem(Location(each), error.message, error.hint))
        except FileNotFoundError:
            hint = "the file of each architecture must be there" if several else ""
            problems.append(Problem(Location(each), "there is no such file", hint))
    if problems:
        raise Failure(problems)
    entry: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for key, found in sorted(contents.items()):  # a profile names its types, which come first
        types = entry.get("btf", "")
        by_arch = {arch: _renamed(data, arch, types) if key == "profile" else data for arch, data in found.items()}
        entry[key] = f"{to}/{name}{'-{arch}' if several else ''}-{_hash(by_arch)}{_ending(key, path)}"
        files.update({entry[key].replace("{arch}", arch): data for arch, data in by_arch.items()})
    return Taken(entry, files)


def _renamed(data: bytes, arch: str, types: str) -> bytes:
    """A profile that has its types in another file."""
    profile = read(data)
    if not profile.btf:
        return data
    btf = {**profile.btf, "file": os.path.basename(types.replace("{arch}", arch))}
    return render(dataclasses.replace(profile, btf=btf)).encode()


def _contents(path: str) -> dict[str, bytes]:
    """Keys of a kernel's table → what is in the file that they name."""
    if path.endswith(".json"):
        with open(path, "rb") as file:
            profile = read(file.read())
        types = {}
        if profile.btf:
            types["btf"] = kernel_btf(os.path.join(os.path.dirname(path), os.path.basename(profile.btf["file"])))
            if hashlib.sha256(types["btf"]).hexdigest() != profile.btf["sha256"]:
                raise Unusable(f"was captured with other types than {profile.btf['file']} has", "capture it again")
        return {"profile": render(profile).encode(), **types}
    if path.endswith(".h"):
        with open(path, "rb") as file:
            return {"btf": file.read()}
    return {"btf": kernel_btf(path)}


def _ending(key: str, path: str) -> str:
    if key == "profile":
        return ".json"
    return ".h" if path.endswith(".h") else ".btf"


def _hash(by_arch: Mapping[str, bytes]) -> str:
    """Of one file its own; of several, that of theirs in the order of the architectures' names."""
    hashes = [hashlib.sha256(data).hexdigest() for _, data in sorted(by_arch.items())]
    whole = hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()
    return whole[:DIGITS]
