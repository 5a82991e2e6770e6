"""docs/migrate-bpf2go.md: its commands are run, and its build.toml is the one that comes out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from switching import environ, run

pytestmark = [pytest.mark.real, pytest.mark.input]

PAGE = Path(__file__).parent.parent.parent / "docs" / "migrate-bpf2go.md"
HEADER = Path(__file__).parent.parent / "data" / "layouts" / "tool" / "headers" / "common.h"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_page(tmp_path: Path, update: bool) -> None:
    """From the top: the sources are those shown, and each command prints what is shown."""
    text = PAGE.read_text(encoding="utf-8")
    blocks = [(name, block) for name, block in BLOCK.findall(text)]
    shown = {name: block for name, block in blocks if name in {"go", "c", "toml"}}
    root = tmp_path / "counter"
    (root / "headers").mkdir(parents=True)
    (root / "main.go").write_text(shown["go"], encoding="utf-8")
    (root / "counter.c").write_text(shown["c"], encoding="utf-8")
    (root / "headers/common.h").write_text(HEADER.read_text(encoding="utf-8"), encoding="utf-8")
    module = "module example.com/counter\n\ngo 1.24\n\nrequire github.com/cilium/ebpf v0.22.0\n"
    (root / "go.mod").write_text(module, encoding="utf-8")
    first, second = (block for name, block in blocks if name == "console")
    env = environ(BPF2GO_CC="clang")
    assert _run(first, root, env) == first
    (root / "main.go").write_text(shown["go"], encoding="utf-8")
    assert _run(second, root, env) == second
    made = (root / "build.toml").read_text(encoding="utf-8")
    if update:
        PAGE.write_text(text.replace(f"```toml\n{shown['toml']}```", f"```toml\n{made}```"), encoding="utf-8")
    assert made == shown["toml"]


def _run(tour: str, root: Path, env: dict[str, str]) -> str:
    """What a shell prints that echoes the commands of a tour."""
    commands = re.findall(r"^\$ (.*)$", tour, re.MULTILINE)
    script = "".join(f"printf '%s\\n' {shlex.quote(f'$ {command}')}\n{command}\n" for command in commands)
    return run("sh", "-ec", script, cwd=root, env=env).stdout
