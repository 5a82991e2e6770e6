"""The C sources of cilium/ebpf's examples, which bring their own headers."""

from __future__ import annotations

from pathlib import Path

import fetch
import objdump
import pytest
from contract import InputContract

from bpfgen.bpf.details import read_details
from bpfgen.bpf.object import BpfObject


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

    def test_objects_of_other_compilers_are_read(self) -> None:
        """The module's test data: objects of clang 14 to 22, in both byte orders, some of them linked."""
        objects = sorted(self.fetch().rglob("*.elf"))
        assert len(objects) > 60
        for path in objects:
            read_details(BpfObject(path.read_bytes()))
        # libbpf's linker left code in one that belongs to no function.
        assert [path.name for path in objects if objdump.differences(path)] == ["linked-el.elf"]
