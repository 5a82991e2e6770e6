"""What the documents show is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bpfgen.config.decode import decode
from bpfgen.config.report import Report
from bpfgen.config.source import read_document

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md"]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PART = re.compile(r"^At the end of `[^`]+`:\n\n```.*?^```$", re.MULTILINE | re.DOTALL)
"""What goes on a file; tests/real/test_migrate_make.py puts it there."""
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def blocks(page: Path, language: str) -> list[str]:
    """The page's blocks in a language."""
    whole = PART.sub("", page.read_text(encoding="utf-8"))
    return [text for name, text in BLOCK.findall(whole) if name == language]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_toml_blocks_are_right(page: Path) -> None:
    """Every block of TOML decodes."""
    for text in blocks(page, "toml"):
        document = read_document(page.name, text.encode())
        report = Report(document)
        decode(document.values, report)
        report.fail_if_any()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert not [link for link in links if not (page.parent / link).exists()]


@pytest.mark.real
def test_readme_tour(tmp_path: Path) -> None:
    """The README's tour prints what the README says, line by line."""
    tour = next(text for text in blocks(ROOT / "README.md", "console") if "bpfgen init" in text)
    commands = re.findall(r"^\$ (.*)$", tour, re.MULTILINE)
    script = "".join(f"printf '%s\\n' {_quoted('$ ' + command)}\n{command}\n" for command in commands)
    done = subprocess.run(
        ["sh", "-ec", script], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert done.stdout == tour


def test_readme_errors(tmp_path: Path) -> None:
    """The README's wrong file gives the README's messages."""
    shown = next(text for text in blocks(ROOT / "README.md", "console") if ": error: " in text)
    wrong = '[project]\nname = "flywall"\n\n[targets]\narches = ["x86_64"]\n\n[program.xdp_blocklist]\n'
    (tmp_path / "build.toml").write_text(wrong + 'source = "bpf/xpd_blocklist.c"\n')
    (tmp_path / "bpf").mkdir()
    (tmp_path / "bpf/xdp_blocklist.c").touch()
    done = subprocess.run(["bpfgen"], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert f"$ bpfgen\n{done.stderr}" == shown


def test_objects_are_shown_as_they_are(tmp_path: Path) -> None:
    """Every command of the page on objects prints what the page says."""
    for shown in blocks(ROOT / "docs" / "objects.md", "console"):
        command, _, expected = shown.removeprefix("$ ").partition("\n")
        words = ["sh", "-c", command.replace("/tmp/", f"{tmp_path}/")]
        done = subprocess.run(words, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
        assert (done.stdout + done.stderr).replace(f"{tmp_path}/", "/tmp/").strip() == expected.strip()


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
