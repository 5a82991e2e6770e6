"""`cc.index`: what is written is read again, and nothing else is taken for it."""

from __future__ import annotations

import os
import tempfile
from array import array
from pathlib import Path

import pytest
from headers import SOFT, headers
from hypothesis import given
from hypothesis import strategies as st

from bpfgen.cc import VMLINUX
from bpfgen.cc.declarations import parse
from bpfgen.cc.index import FILE, Index, Stale, dump, load, mark, refusal


def write(folder: str, data: bytes, header: str = "") -> None:
    """Puts a header, and what is said to be its index, in a folder."""
    path = os.path.join(folder, VMLINUX)
    Path(path).write_text(header, encoding="utf-8")
    Path(folder, FILE).write_bytes(mark(path) + data)


@given(headers())
def test_index_comes_back(case: tuple[str, list[str]]) -> None:
    header, words = case
    index = parse(header.encode())
    with tempfile.TemporaryDirectory() as folder:
        write(folder, dump(index), header)
        again = load(folder)
    assert again.words[again.base :] == index.words
    names = (
        "buckets",
        "starts",
        "named",
        "named_starts",
        "hard",
        "hard_starts",
        "soft",
        "soft_starts",
        "always",
        "ends",
    )
    for name in names:
        assert list(getattr(again, name)) == list(getattr(index, name))
    assert [again.find(word.encode()) for word in words] == [index.find(word.encode()) for word in words]
    known = bytes(index.words).split(b"\n")[1:-1]
    assert [again.find(word) for word in known] == list(range(len(known)))
    assert again.find(b"no_such_word") == again.find(b"") == -1


GOOD = dump(parse(SOFT.encode()))


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255), st.booleans())
def test_damaged_index(at: int, byte: int, cut: bool) -> None:
    """A damaged file is made again, or is an index, or a reason; nothing else is raised."""
    data = GOOD[:at] if cut else GOOD[:at] + bytes([byte]) + GOOD[at + 1 :]
    with tempfile.TemporaryDirectory() as folder:
        write(folder, data)
        try:
            read = load(folder)
        except (Stale, ValueError):
            return
        assert isinstance(read, Index)
        assert not cut


@pytest.mark.parametrize("data", [b"", b"N", GOOD[:-1]])
def test_no_index(tmp_path: Path, data: bytes) -> None:
    write(str(tmp_path), data)
    with pytest.raises(Stale):
        load(str(tmp_path))


def test_index_of_another_header(tmp_path: Path) -> None:
    write(str(tmp_path), GOOD)
    assert isinstance(load(str(tmp_path)), Index)
    (tmp_path / VMLINUX).write_text("int other;\n", encoding="utf-8")
    with pytest.raises(Stale):
        load(str(tmp_path))


def test_refusal(tmp_path: Path) -> None:
    write(str(tmp_path), refusal("is odd"))
    with pytest.raises(ValueError, match=r"^is odd$"):
        load(str(tmp_path))


def test_arrays_are_of_four_bytes() -> None:
    """The file's numbers are read as C's `unsigned int`."""
    assert array("I").itemsize == memoryview(bytes(8)).cast("I").itemsize == 4
