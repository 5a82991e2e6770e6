"""The pure parts of `bpfgen lock`: the record as JSON, names of files, and what is said of a difference."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpfgen import lockfile
from bpfgen.committed import drift
from bpfgen.committed.built import Built, Entry, Recipe, parse, render
from bpfgen.committed.places import Places

TEXT = st.text(max_size=5)
WORDS = st.lists(TEXT, max_size=3).map(tuple)
TEXTS = st.dictionaries(TEXT, TEXT, max_size=3)
RECIPE = st.builds(Recipe, WORDS, WORDS, st.booleans(), st.none() | st.text(min_size=1, max_size=3))
ENTRY = st.builds(Entry, RECIPE, WORDS, TEXT)
BUILT = st.builds(Built, TEXTS, st.dictionaries(TEXT, ENTRY, max_size=2), TEXTS, TEXTS)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
)
KEYS = st.sampled_from(["toolchain", "objects", "inputs", "files", "a"])


@given(BUILT)
def test_record_is_read_back(built: Built) -> None:
    assert parse(json.loads(json.dumps(render(built)))) == built


@given(JSON | st.dictionaries(KEYS, JSON, min_size=3))
def test_other_json_is_no_record(value: Any) -> None:
    """Or happens to be one; nothing else is raised."""
    with contextlib.suppress(ValueError):
        assert isinstance(parse(value), Built)


@given(st.dictionaries(TEXT, JSON, max_size=3))
def test_lock_is_sorted_and_written_once(tmp_path_factory: pytest.TempPathFactory, value: dict[str, Any]) -> None:
    root = str(tmp_path_factory.mktemp("lock"))
    assert lockfile.write(root, value)
    assert not lockfile.write(root, dict(reversed(value.items())))
    assert lockfile.read(root) == value


def test_no_lock(tmp_path: Path) -> None:
    assert lockfile.read(str(tmp_path)) == {}


NATIVE = Places("/p", "", {"include": "/usr/include", "clang": "/llvm/19", "bpfgen": "/b"}, {"out/vmlinux.h": "k.btf"})
IMAGE = Places("/p", "out/sysroot/1", {"include": "/usr/include"}, {})


@pytest.mark.parametrize(
    ("places", "path", "name"),
    [
        (NATIVE, "bpf/../bpf/a.c", "bpf/a.c"),
        (NATIVE, "/p/bpf/a.c", "bpf/a.c"),
        (NATIVE, "../common/a.h", "../common/a.h"),
        (NATIVE, "out/vmlinux.h", "k.btf"),
        (NATIVE, "/b/clang/license.h", None),
        (NATIVE, "/llvm/19/include/stddef.h", "<clang>/include/stddef.h"),
        (NATIVE, "/usr/include/bpf/x.h", "<include>/bpf/x.h"),
        (NATIVE, "/usr/include/x86_64-linux-gnu/asm/types.h", "<include>/x86_64-linux-gnu/asm/types.h"),
        (NATIVE, "/usr/x86_64-linux-gnu/include/asm/types.h", "<include>/x86_64-linux-gnu/asm/types.h"),
        (NATIVE, "/usr/includes/x.h", "/usr/includes/x.h"),
        (IMAGE, "out/sysroot/1/usr/include/bpf/x.h", "<include>/bpf/x.h"),
        (IMAGE, "/opt/x.h", "/opt/x.h"),
    ],
)
def test_names(places: Places, path: str, name: str | None) -> None:
    assert places.name(path) == name


def test_paths(tmp_path: Path) -> None:
    """A name leads to the file, in the image's folder where there is one, in either place of an architecture's."""
    for path in ("usr/aarch64-linux-gnu/include/asm/types.h", "usr/include/bpf/x.h"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).touch()
    places = Places("/p", str(tmp_path), {"include": "/usr/include"}, {})
    assert places.path("<include>/bpf/x.h") == f"{tmp_path}/usr/include/bpf/x.h"
    found = places.path("<include>/aarch64-linux-gnu/asm/types.h")
    assert found == f"{tmp_path}/usr/aarch64-linux-gnu/include/asm/types.h"
    assert places.path("bpf/a.c") == "bpf/a.c"
    assert places.path("<nosuch>/a.h") == "<nosuch>/a.h"


def entry(*names: str) -> Entry:
    return Entry(Recipe((), ("a.c",), True, None), names, "0")


def test_toolchains() -> None:
    """Of another compiler one thing is said, not its build and its headers as well."""
    built = Built({"clang": "A", "build": "1", "bpfgen": "1"}, {"a/x": entry("<clang>/a.h")}, {"<clang>/a.h": "0"}, {})
    places = Places("/p", "", {}, {})

    def said(**now: str) -> list[str]:
        return [each.problem.message for each in drift.of_toolchain(built, now, places)]

    assert said(clang="B", build="2", bpfgen="1") == ["was made by A, and here it would be by B"]
    assert said(clang="A", build="2", bpfgen="1") == ["was made by build 1, and here it would be by build 2"]
    assert said(clang="A", image="i", bpfgen="1") == [
        "was made by build 1, and here it would be without build",
        "was made without image, and here it would be by image i",
    ]
    header = "isn't there, and bpfgen.lock has it; it is read by a/x"
    assert said(clang="A", build="1", bpfgen="2") == ["was made by bpfgen 1, and here it would be by bpfgen 2", header]


def test_results() -> None:
    built = Built({}, {"a/x": entry(), "b/x": entry()}, {}, {"a.o": "0", "b.o": "0", "c.o": "0"})
    drifts = drift.of_results(built, {"a/x": "0", "b/x": "1"}, {"a.o": "0", "b.o": "1"}, {"b.o": "a symbol"})
    assert [str(each.problem).splitlines()[0] for each in drifts] == [
        "bpfgen.lock: error: building b/x again gives another object",
        "b.o: error: building it again gives another file: a symbol",
        "c.o: error: is not made any more",
    ]
