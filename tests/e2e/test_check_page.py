"""docs/check.md: its project is built, and each command prints what is shown; the README shows a part of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import BPFGEN, NINJA, Project

pytestmark = pytest.mark.real

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "check.md"
README = ROOT / "README.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def shown(text: str, root: Path) -> Iterator[tuple[str, str]]:
    """Each block of console of a page and what it should be; the other blocks are files of the project."""
    for language, block in BLOCK.findall(text):
        if language == "c":
            (root / "bpf/execs.c").write_text(block, encoding="utf-8")
        elif language == "toml":
            (root / "build.toml").write_text(block, encoding="utf-8")
        elif language == "console":
            command = block.removeprefix("$ ").partition("\n")[0]
            done = subprocess.run(["sh", "-c", command], cwd=root, check=False, capture_output=True, text=True)
            yield block, f"$ {command}\n{done.stdout}{done.stderr}"


def test_page(tmp_path: Path, update: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the top, in the project that `bpfgen init` makes."""
    folders = (os.path.dirname(NINJA), os.environ["PATH"])
    monkeypatch.setenv("PATH", os.pathsep.join(folders))
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    root = tmp_path / "demo"
    Project(root).run((*BPFGEN, "init", "."))
    text = PAGE.read_text(encoding="utf-8")
    pairs = list(shown(text, root))
    if update:
        for before, after in pairs:
            text = text.replace(f"```console\n{before}```", f"```console\n{after}```", 1)
        PAGE.write_text(text, encoding="utf-8")
    assert [before for before, _after in pairs if not update] == [after for _before, after in pairs if not update]
    assert json.loads((root / "check.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert (root / "out/report.html").exists()


def test_readme() -> None:
    """What the README shows is the page's first block."""
    first = next(block for language, block in BLOCK.findall(PAGE.read_text(encoding="utf-8")) if language == "console")
    assert f"```console\n{first}```" in README.read_text(encoding="utf-8")
