"""What is left to do on an object that was compiled without DWARF, and how the shell sees that it is nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpfgen.cc.lean import unfinished
from bpfgen.strip import BadObject, mended, parse, strip

OBJECTS = Path(__file__).parent.parent / "data" / "objects"
STRIPPED = sorted(path.name for path in OBJECTS.glob("*.o") if not path.name.startswith("debug"))
ORDERS = {"bpfel": "<", "bpfeb": ">"}

WORD = st.sampled_from([0, 1, 7, 10, 0x0A0A0A0A, 0x07000000, 0x87000000]) | st.integers(0, 2**32 - 1)
FORWARD = st.tuples(WORD, st.sampled_from([0x07000000, 0x87000000]), st.just(0))
TYPES = st.lists(st.one_of(FORWARD, st.tuples(WORD, WORD, WORD)), min_size=2, max_size=6)


def is_forward(record: tuple[int, int, int]) -> bool:
    return record[1] >> 24 & 31 == 7 and record[2] == 0 and record[1] & 0x60FFFFFF == 0


def seen(target: str, texts: list[bytes], folder: Path) -> set[int]:
    """Which texts the shell's search takes for unfinished, by their numbers."""
    for number, text in enumerate(texts):
        (folder / str(number)).write_bytes(text)
    words = ("grep", "-laP", unfinished(target), *map(str, range(len(texts))))
    done = subprocess.run(words, cwd=folder, env={**os.environ, "LC_ALL": "C"}, check=False, capture_output=True)
    assert done.returncode in {0, 1}, done.stderr
    return {int(name) for name in done.stdout.split()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder to write texts to; skips where `grep` has no Perl expressions."""
    grep = shutil.which("grep")
    if grep is None or subprocess.run((grep, "-qP", "a"), input=b"a", check=False, capture_output=True).returncode:
        pytest.skip("grep has no -P")
    return tmp_path


@pytest.mark.parametrize("target", ORDERS)
def test_two_forwards_are_never_overlooked(target: str, folder: Path) -> None:
    """Whatever bytes their names' offsets have: a line's end too."""
    found: list[tuple[bool, bytes]] = []

    @given(TYPES, st.binary(max_size=9))
    def collect(types: list[tuple[int, int, int]], before: bytes) -> None:
        words = [word for record in types for word in record]
        text = before + struct.pack(f"{ORDERS[target]}{len(words)}I", *words) + b"\0ant\0"
        found.append((is_forward(types[-1]) and is_forward(types[-2]), text))

    collect()
    told = seen(target, [text for _, text in found], folder)
    needed = {number for number, (needs, _) in enumerate(found) if needs}
    assert needed
    assert needed <= told
    assert len(told) < len(found)


@pytest.mark.parametrize("name", STRIPPED)
def test_what_is_not_unfinished_stays(name: str, folder: Path) -> None:
    data = (OBJECTS / name).read_bytes()
    elf = parse(data)
    after = mended(data)
    assert strip(after) == strip(data)
    assert mended(after) == after
    assert len(after) == len(data)
    if not seen({"<": "bpfel", ">": "bpfeb"}[elf.order], [data], folder):
        assert after == data


def test_dwarf_is_dropped() -> None:
    data = (OBJECTS / "debug.bpfel.o").read_bytes()
    assert mended(data) == strip(data)


@given(st.binary(max_size=80), st.integers(0, 200))
def test_damage(tail: bytes, cut: int) -> None:
    data = (OBJECTS / "sample.bpfel.o").read_bytes()
    with contextlib.suppress(BadObject):
        mended(data[:cut] + tail)
