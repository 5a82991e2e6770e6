"""bcc's libbpf-tools: the programs behind opensnoop, biolatency, tcpconnect, …"""

from __future__ import annotations

from pathlib import Path

import fetch
import pytest
from contract import FastContract


@pytest.mark.input
class TestLibbpfTools(FastContract):
    """CO-RE programs against the running kernel's types and the system's libbpf headers."""

    name = "libbpf_tools"
    needs = ("apt-get", "tar", "xz")
    folders = ("libbpf-tools",)
    sources = "libbpf-tools/*.bpf.c"
    flags = ("-Ilibbpf-tools",)
    count = 53
    builds_step = 8

    @staticmethod
    def fetch() -> Path:
        """Debian's source package."""
        return fetch.libbpf_tools()
