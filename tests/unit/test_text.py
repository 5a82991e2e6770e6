"""`text`: columns line up, and colour is used where it is wanted."""

from __future__ import annotations

import io

import pytest

from bpfgen.text import columns, paint


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def test_columns() -> None:
    """Every column is as wide as its widest cell; lines don't end in spaces."""
    assert columns([("A", "LONG", "C"), ("wider", "x", "")]) == "A      LONG  C\nwider  x"


def test_columns_of_nothing() -> None:
    """No rows give no text."""
    assert columns([]) == ""


@pytest.mark.parametrize(
    ("mode", "no_color", "stream", "coloured"),
    [
        ("auto", "", Terminal(), True),
        ("auto", "", io.StringIO(), False),
        ("auto", "1", Terminal(), False),
        ("always", "1", io.StringIO(), True),
        ("never", "", Terminal(), False),
    ],
)
def test_paint(mode: str, no_color: str, stream: io.StringIO, coloured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The option wins over NO_COLOR, which wins over the terminal; an empty NO_COLOR counts as none (no-color.org)."""
    monkeypatch.setenv("NO_COLOR", no_color)
    assert paint("x", "red", mode, stream) == ("\x1b[31mx\x1b[0m" if coloured else "x")
