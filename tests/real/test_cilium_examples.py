"""The C sources of cilium/ebpf's examples, which bring their own headers."""

from __future__ import annotations

from pathlib import Path

import fetch
import pytest
from contract import InputContract


@pytest.mark.input
class TestCiliumExamples(InputContract):
    """Programs in a folder each, two of one name among them."""

    name = "cilium_examples"
    needs = ("go",)
    folders = ("examples",)
    sources = "examples/*/*.c"
    flags = ("-Iexamples/headers",)
    count = 14

    @staticmethod
    def fetch() -> Path:
        """The Go module."""
        return fetch.cilium_examples()
