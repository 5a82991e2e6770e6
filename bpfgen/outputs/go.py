"""A Go package that embeds the objects and knows what is in them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bpfgen.files import write_if_changed

Plan = Mapping[str, Any]


def files(section: Plan, objects: Sequence[Plan]) -> list[str]:
    """The package's files, relative to the project; the first is the one that holds `LoadProgram`."""
    folder = section["dir"]
    code = ["programs.go", "objects_other.go", *(f"objects_{arch}.go" for arch in section["arches"])]
    return [f"{folder}/{name}" for name in (*code, *(f"objects/{file_name(o)}" for o in objects))]


def file_name(entry: Plan) -> str:
    """The embedded copy's name. go:embed and module archives refuse much of what a program's name may hold: so letters,
    digits, `_`, `-` and `.` stay, and a name that had others gets a hash of the whole.
    """
    from hashlib import sha256  # rarely needed, and slow to import

    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", entry["program"]).lstrip(".")
    suffix = "" if plain == entry["program"] else "-" + sha256(entry["program"].encode()).hexdigest()[:8]
    return f"{plain}{suffix}-{entry['id'].rpartition('/')[2].replace('@', '-at-')}.o"


def key(entry: Plan) -> str:
    """The name for `LoadProgram`: `PROGRAM[/KERNEL][@VARIANT]`."""
    kernel = f"/{entry['kernel']}" if entry["kernel"] else ""
    variant = f"@{entry['variant']}" if entry["variant"] else ""
    return f"{entry['program']}{kernel}{variant}"


def write(plan: Plan, manifest: Plan) -> None:
    """Writes the package."""
    section = plan["go"]
    folder = Path(section["dir"])
    objects = sorted(({**o, "key": key(o), "file": file_name(o)} for o in manifest["objects"]), key=lambda o: o["key"])
    for entry in objects:
        write_if_changed(str(folder / "objects" / entry["file"]), Path(entry["path"]).read_bytes())
    for name, text in _render(section, objects).items():
        write_if_changed(str(folder / name), text.encode())


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
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\x7f").replace("\ufeff", "\\ufeff")
