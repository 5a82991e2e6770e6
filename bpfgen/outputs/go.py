"""A Go package that embeds the objects and knows what is in them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bpfgen.errors import Failure, Problem
from bpfgen.files import write_if_changed

Plan = Mapping[str, Any]

# Module archives, and go:embed with them, refuse most punctuation and Windows' device names, and fold case
# (golang.org/x/mod/module, CheckFilePath; golang.org/x/mod/zip, CheckFiles).
_PLAIN = re.compile(r"[a-z0-9_][a-z0-9_.@-]*")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])\.", re.IGNORECASE)
_TARGET = re.compile(r"-(?:[a-z0-9]+_)?bpfe[lb](?=[-@]|$)")
"""In a program's name, it would leave open where the target begins."""
_LONGEST = 200
"""Bytes; file systems allow 255, and the hash comes on top."""


def files(section: Plan, objects: Sequence[Plan]) -> list[str]:
    """The package's files, relative to the project; the first is the one that holds `LoadProgram`."""
    folder = section["dir"]
    code = ["programs.go", "objects_other.go", *(f"objects_{arch}.go" for arch in section["arches"])]
    return [f"{folder}/{name}" for name in (*code, *(f"objects/{file_name(o)}" for o in objects))]


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
    """The name for `LoadProgram`: `PROGRAM[/KERNEL][@VARIANT]`."""
    kernel = f"/{entry['kernel']}" if entry["kernel"] else ""
    variant = f"@{entry['variant']}" if entry["variant"] else ""
    return f"{entry['program']}{kernel}{variant}"


def write(plan: Plan, manifest: Plan) -> None:
    """Writes the package; raises `Failure` when two objects of an architecture share the name for `LoadProgram`."""
    section = plan["go"]
    folder = Path(section["dir"])
    objects = sorted(({**o, "key": key(o), "file": file_name(o)} for o in manifest["objects"]), key=lambda o: o["key"])
    _refuse_clashes(objects)
    for entry in objects:
        write_if_changed(str(folder / "objects" / entry["file"]), Path(entry["path"]).read_bytes())
    for name, text in _render(section, objects).items():
        write_if_changed(str(folder / name), text.encode())


def _refuse_clashes(objects: Sequence[Plan]) -> None:
    # A program may be named "a@b", and another "a" have the variant "b".
    owners: dict[tuple[str, str], str] = {}
    problems = []
    for entry in objects:
        for arch in entry["arches"]:
            owner = owners.setdefault((arch, entry["key"]), entry["id"])
            if owner != entry["id"]:
                message = f'the Go package would have two objects named "{entry["key"]}": {owner} and {entry["id"]}'
                problems.append(Problem(None, message, "rename the program or the variant"))
    if problems:
        raise Failure(problems)


def _render(section: Plan, objects: Sequence[Plan]) -> dict[str, str]:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,  # noqa: S701 - Go, not HTML; strings pass through the filter `go`
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["go"] = quote
    package, arches = section["package"], section["arches"]
    main, part = environment.get_template("programs.go.j2"), environment.get_template("objects.go.j2")
    texts = {"programs.go": main.render(package=package)}
    for arch in arches:
        of_arch = [o for o in objects if arch in o["arches"]]
        texts[f"objects_{arch}.go"] = part.render(package=package, constraint=arch, objects=of_arch)
    others = " && ".join(f"!{arch}" for arch in arches)
    texts["objects_other.go"] = part.render(package=package, constraint=others, objects=[])
    return texts


def quote(text: str) -> str:
    """A Go string literal; JSON's escapes are Go's too, but for surrogate pairs, which `ensure_ascii` would make."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f").replace("\ufeff", "\\ufeff")
