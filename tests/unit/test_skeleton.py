"""Names of skeletons, and what stands in the way of one. What bpftool makes is in tests/e2e/test_consumers.py."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpfgen.errors import Failure
from bpfgen.outputs import Tools, skeleton


def entry(program: str, target: str = "bpfel", kernel: Optional[str] = None, variant: str = "") -> dict[str, Any]:
    """An object of the plan."""
    rest = f"{target}{f'-{kernel}' if kernel else ''}{f'@{variant}' if variant else ''}"
    found = {"id": f"{program}/{rest}", "program": program, "target": target, "kernel": kernel, "variant": variant}
    return {**found, "path": f"out/obj/{program}/{rest}.bpf.o", "arches": ["amd64"]}


@pytest.mark.parametrize(
    ("found", "file", "identifier"),
    [
        (entry("xdp"), "bpfel/xdp.skel.h", "xdp_bpf"),
        (entry("ct", "x86_bpfel", "lts6.1", "debug"), "x86_bpfel/ct-lts6.1@debug.skel.h", "ct_lts6_1_debug_bpf"),
        (entry("3-way"), "bpfel/3-way.skel.h", "_3_way_bpf"),
        (entry("é" * 80), f"bpfel/{'é' * 80}.skel.h", "_" * 55 + "7bcc5c74"),
    ],
)
def test_names(found: dict[str, Any], file: str, identifier: str) -> None:
    assert skeleton.file_name(found) == file
    assert skeleton.identifier(found) == identifier


@given(st.text(st.characters(exclude_characters="/|\\", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=100))
def test_identifiers_are_of_c(program: str) -> None:
    assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", skeleton.identifier(entry(program)))


def test_each_object_has_its_edge() -> None:
    """Which depends on bpftool, and on no other object."""
    objects = [entry("a"), entry("b"), entry("c")]
    plan = {"objects": objects, "skeleton": {"dir": "skel", "objects": ["a/bpfel", "c/bpfel"]}}
    first, second = skeleton.made(plan, Tools("plan.json", "/bin/bpftool"))
    assert first.words == ("/bin/bpftool", "out/obj/a/bpfel.bpf.o", "a_bpf", "skel/bpfel/a.skel.h")
    assert (first.inputs, first.implicit) == (("out/obj/a/bpfel.bpf.o",), ("/bin/bpftool",))
    assert second.outputs == ("skel/bpfel/c.skel.h",)


def test_refuses_files_of_others(tmp_path: Path) -> None:
    header = tmp_path / "a.skel.h"
    header.write_text("int mine;\n")
    with pytest.raises(Failure, match=r"a\.skel\.h: error: was not made by bpftool"):
        skeleton.step("bpftool", "a.o", "a_bpf", str(header))
    assert header.read_text() == "int mine;\n"
