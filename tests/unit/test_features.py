"""What is known of kernels: complete by id, in order, and with names that linux/bpf.h has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bpfgen.catalog import features, version

KINDS = {"helper": 211, "map_type": 35, "program_type": 32, "attach_type": 62}
HEADER = Path("/usr/include/linux/bpf.h")
PREFIXES = {
    "map_type": "enum bpf_map_type {",
    "program_type": "enum bpf_prog_type {",
    "attach_type": "enum bpf_attach_type {",
}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_whole(kind: str) -> None:
    """No id is left out, and no version falls as ids rise: an older thing isn't newer than the one after it."""
    rows = list(features(kind).values())
    first = rows[0]["id"]
    assert [row["id"] for row in rows] == list(range(first, first + KINDS[kind]))
    versions = [version(row["since"]) for row in rows]
    assert versions == sorted(versions)


@pytest.mark.parametrize("kind", KINDS)
def test_versions_follow_from_their_sources(kind: str) -> None:
    """Each says what its source says, but for those that were looked up since the sources were wrong."""
    for name, row in features(kind).items():
        said = {"ebpf-docs": row.get("ebpf_docs"), "date-rule": row.get("dates")}
        assert row["source"] == "fix" or said[row["source"]] == row["since"], name


@pytest.mark.real
@pytest.mark.parametrize("kind", PREFIXES)
def test_names_are_the_kernels(kind: str) -> None:
    """As far as this machine's headers go, each id has the name that linux/bpf.h gives it."""
    body = HEADER.read_text(encoding="utf-8").partition(PREFIXES[kind])[2].partition("}")[0]
    names = re.findall(r"^\s*(\w+)\s*(=[^,]*)?,", re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL), re.MULTILINE)
    numbered = [name for name, value in names if not value.strip("= \t").startswith(("BPF_", "__"))]
    known = {row["id"]: name for name, row in features(kind).items()}
    for number, name in enumerate(numbered):
        if number in known and not name.startswith("__"):
            assert known[number] in (name, f"{name}_DEPRECATED", name.removesuffix("_DEPRECATED"))
