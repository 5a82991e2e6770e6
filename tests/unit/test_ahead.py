"""`cc.job.Ahead`: a process that was started before this one knew of it."""

from __future__ import annotations

import os
from pathlib import Path

from bpfgen.cc.job import Ahead


def started(script: str) -> int:
    """A child that runs a shell script."""
    return os.posix_spawn("/bin/sh", ["/bin/sh", "-c", script], os.environ)


def test_messages_are_taken(tmp_path: Path) -> None:
    said = tmp_path / "said"
    assert Ahead(started(f"echo no >'{said}'; exit 3"), str(said)).end() == (3, b"no\n")
    assert not said.exists()


def test_ended_before_it_said_anything(tmp_path: Path) -> None:
    """The shell's child may not have opened the file for its messages yet."""
    ahead = Ahead(started("sleep 60"), str(tmp_path / "said"))
    ahead.stop()
    assert not ahead.running
    ahead.stop()
