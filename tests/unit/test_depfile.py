"""`cc.depfile`: what clang writes is read, and what Ninja reads is written."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bpfgen.cc.depfile import parse, render

# Without what a path in build.toml can't have either (`UNWRITABLE`).
NAMES = st.text(st.sampled_from("ab. $#:'\"é&()=%+~[]{}*?!@,-/"), min_size=1).filter(lambda name: name.strip() == name)


@given(NAMES, st.lists(NAMES, max_size=5))
@example("o", ["a b", "$", "#", "$$", "a$ b", "a: b", "it's", "é"])
def test_round_trip(target: str, files: list[str]) -> None:
    if ": " not in target and not target.endswith(":"):
        assert parse(render(target, files)) == files


@pytest.mark.parametrize("text", ["o: a.c \\\n  b.h\n", "o: a.c \\\r\n  b.h\r\n", "o:  a.c   b.h", "x y o: a.c b.h\n"])
def test_shapes(text: str) -> None:
    assert parse(text) == ["a.c", "b.h"]


@pytest.mark.real
@pytest.mark.parametrize("name", ["a b.h", "$a.h", "#.h", "it's.h", "é.h", "a  b.h", "$$.h", "a$ b.h", "a:b.h", "%.h"])
@pytest.mark.parametrize("clang", ["clang-19", "clang-14"])
def test_what_clang_writes(tmp_path: Path, clang: str, name: str) -> None:
    if shutil.which(clang) is None:
        pytest.skip(f"{clang} is not installed")
    (tmp_path / name).touch()
    (tmp_path / "main.c").write_text(f'#include "{name}"\n', encoding="utf-8")
    words = [clang, "-target", "bpfel", "-fsyntax-only", "-MD", "-MF", "d", "-MT", "o", "main.c"]
    subprocess.run(words, cwd=tmp_path, check=True)
    assert parse((tmp_path / "d").read_text(encoding="utf-8")) == ["main.c", name]
