"""What objects are called in packages that embed them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bpfgen.errors import Failure, Problem
from bpfgen.outputs import Plan

# Module archives, and go:embed with them, refuse most punctuation and Windows' device names, and fold case
# (golang.org/x/mod/module, CheckFilePath; golang.org/x/mod/zip, CheckFiles).
_PLAIN = re.compile(r"[a-z0-9_][a-z0-9_.@-]*")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])\.", re.IGNORECASE)
_TARGET = re.compile(r"-(?:[a-z0-9]+_)?bpfe[lb](?=[-@]|$)")
"""In a program's name, it would leave open where the target begins."""
_LONGEST = 200
"""Bytes; file systems allow 255, and the hash comes on top."""


def file_name(entry: Plan) -> str:
    """The embedded copy's name: the object's id with `-` for `/`; where that could be refused or clash, in lower case,
    with `_` for what isn't plain, cut to fit, and with a hash of the id.
    """
    program, _, rest = entry["id"].rpartition("/")
    name = f"{program}-{rest}"
    if _PLAIN.fullmatch(name) and not _RESERVED.match(name) and not _TARGET.search(program) and len(name) <= _LONGEST:
        return f"{name}.o"
    from hashlib import sha256  # rarely needed, and slow to import

    slug = re.sub(r"[^a-z0-9_.@-]", "_", name.lower()).replace(".", "_", 1 if _RESERVED.match(name) else 0)
    return f"{slug.lstrip('.@-')[:_LONGEST]}-{sha256(entry['id'].encode()).hexdigest()[:8]}.o"


def key(entry: Plan) -> str:
    """What tells the objects of an architecture apart: `PROGRAM[/KERNEL][@VARIANT]`."""
    kernel = f"/{entry['kernel']}" if entry["kernel"] else ""
    variant = f"@{entry['variant']}" if entry["variant"] else ""
    return f"{entry['program']}{kernel}{variant}"


def refuse_clashes(objects: Sequence[Plan], what: str) -> None:
    """Raises `Failure` where two objects of an architecture share their `key`; `what` would have them."""
    # A program may be named "a@b", and another "a" have the variant "b".
    owners: dict[tuple[str, str], str] = {}
    problems = []
    for entry in objects:
        for arch in entry["arches"]:
            owner = owners.setdefault((arch, key(entry)), entry["id"])
            if owner != entry["id"]:
                message = f'{what} would have two objects named "{key(entry)}": {owner} and {entry["id"]}'
                problems.append(Problem(None, message, "rename the program or the variant"))
    if problems:
        raise Failure(problems)
