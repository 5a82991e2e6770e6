"""Paths of this host and of a remote machine; which folders a command names; the settings of both."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpfgen.builders.mirror import Mirror
from bpfgen.builders.paths import Paths
from bpfgen.builders.settings import Remote, Settings, parse, render

REMOTE = Remote("box", ("ssh",), "box", "/c", "/home/me/b", "/home/me/b/x/code/p", True, "out", ("/lib/wheel",), "", "")
SETTINGS = Settings("ssh", "", "", "/code/p", ("/code/p", "/pkg/clang", "/code/other"), (), "", "out/sysroot/1", REMOTE)
SHARED = dataclasses.replace(SETTINGS, remote=dataclasses.replace(REMOTE, copied=False, project="/host"))


def test_settings_are_read_back() -> None:
    assert parse(render(SETTINGS)) == SETTINGS


@pytest.mark.parametrize(
    ("word", "there"),
    [
        ("bpf/a.c", "bpf/a.c"),
        ("../other", "../other"),
        ("/code/p/bpf/a.c", "/home/me/b/x/code/p/bpf/a.c"),
        ("-I/code/other", "-I/home/me/b/x/code/other"),
        ("-ffile-prefix-map=/code/p=.", "-ffile-prefix-map=/home/me/b/x/code/p=."),
        ("-ffile-prefix-map=/lib/wheel=zig", "-ffile-prefix-map=/home/me/b/x/lib/wheel=zig"),
        ("-ffile-prefix-map=/usr/include=include", "-ffile-prefix-map=/usr/include=include"),
        ("-DFOLDER=/code/p", "-DFOLDER=/code/p"),
        ("/code/pp/a.c", "/code/pp/a.c"),
        ("/usr/include", "/usr/include"),
    ],
)
def test_words(word: str, there: str) -> None:
    assert Paths(SETTINGS).there(word) == there


def test_a_shared_folder() -> None:
    """What is beside it isn't shared."""
    paths = Paths(SHARED)
    assert paths.there("/code/p/bpf/a.c") == "/host/bpf/a.c"
    assert paths.there("../other/h") == "/home/me/b/x/code/other/h"
    assert paths.here("/host/bpf/a.c") == "/code/p/bpf/a.c"
    assert paths.text(b"/host/a.c:1: error") == b"/code/p/a.c:1: error"


@given(st.sampled_from(["/code/p", "/code/other", "/pkg/clang"]), st.text("ab/ .$'", max_size=8), st.booleans())
def test_there_and_back(folder: str, name: str, shared: bool) -> None:
    paths = Paths(SHARED if shared else SETTINGS)
    assert paths.here(paths.there(f"{folder}/{name}")) == f"{folder}/{name}"


def test_folders_that_a_command_names(tmp_path: Path) -> None:
    """Those that aren't copied with the project: outside, hidden, or below the output folder."""
    root, outside = tmp_path / "p", tmp_path / "outside"
    for name in ("bpf", ".hidden", "out/made", "out/fast/x", "out/vmlinux/k"):
        (root / name).mkdir(parents=True)
    outside.mkdir()
    (outside / "a.c").touch()
    (root / "out/part.bc").touch()
    settings = dataclasses.replace(SETTINGS, root=str(root), readable=(str(root), "/pkg/clang", str(outside)))

    def named(word: str) -> list[str]:
        return list(Mirror(settings, Paths(settings), {})._folder(word))

    assert named("../outside") == named("../outside/a.c") == named(f"-I{outside}") == [str(outside)]
    assert named("./.hidden") == [str(root / ".hidden")]
    for folder in ("out/made", "out/vmlinux/k"):
        assert named(folder) == [str(root / folder)]
    for word in ("bpf", "./bpf", "out/fast/x", "out/part.bc", "/usr/include", "-O2", "-c", ""):
        assert named(word) == []
