"""bcc's libbpf-tools: the programs behind opensnoop, biolatency, tcpconnect, …"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import fetch
import pytest
from contract import Built, FastContract, each


@pytest.mark.input
class TestLibbpfTools(FastContract):
    """CO-RE programs against the running kernel's types and the system's libbpf headers."""

    name = "libbpf_tools"
    needs = ("apt-get", "tar", "xz")
    folders = ("libbpf-tools",)
    sources = "libbpf-tools/*.bpf.c"
    flags = ("-Ilibbpf-tools",)
    count = 53
    editor_step = 4
    builds_step = 8

    @staticmethod
    def fetch() -> Path:
        """Debian's source package."""
        return fetch.libbpf_tools()

    def test_editor_commands(self, built: Built) -> None:
        """clang finds no error in any source, by the line that clangd has of it, in a fifth of clangd's time."""
        text = (built.root / "compile_commands.json").read_text(encoding="utf-8")
        commands = {entry["file"]: entry["arguments"] for entry in json.loads(text)}

        def said(source: str) -> str:
            words = (*commands[source], "-fsyntax-only")
            done = subprocess.run(words, cwd=built.root, check=False, capture_output=True, text=True)
            return done.stderr if done.returncode else ""

        assert sorted(commands) == sorted(built.ours)
        assert {source: text for source, text in each(said, commands).items() if text} == {}
