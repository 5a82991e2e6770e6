"""`files`: what is compared, written and left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpfgen import files
from bpfgen.files import holds, write_if_changed


@pytest.mark.parametrize("data", [b"", b"abcd", b"abcdefgh", b"abcdefghi"])
def test_holds(data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file, whatever its length in blocks, holds its own bytes and no others of any length."""
    monkeypatch.setattr(files, "_BLOCK", 4)
    path = tmp_path / "file"
    path.write_bytes(data)
    others = [data + b"x", data[:-1] + b"x", b"x" + data[1:], data[1:], data * 2]
    assert holds(str(path), data)
    assert not any(holds(str(path), other) for other in others if other != data)


def test_what_is_no_file_holds_nothing(tmp_path: Path) -> None:
    assert not holds(str(tmp_path / "nothing"), b"")
    assert not holds(str(tmp_path), b"")


def test_equal_bytes_are_not_written(tmp_path: Path) -> None:
    """The file stays the one it was; another's place is taken by a new one, and nothing stays beside it."""
    path = tmp_path / "folder/file"
    assert write_if_changed(str(path), b"one")
    before = path.stat()
    assert not write_if_changed(str(path), b"one")
    assert path.stat() == before
    assert write_if_changed(str(path), b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]
