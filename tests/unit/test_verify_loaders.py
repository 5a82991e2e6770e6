"""Which libbpf a loader is built with, before any compiler is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpfgen.errors import Failure
from bpfgen.verify.loaders import build

VERSION = "#define LIBBPF_MAJOR_VERSION {}\n#define LIBBPF_MINOR_VERSION {}\n"


def unpacked(folder: Path, major: int, minor: int) -> None:
    """A package of libbpf, without its code."""
    for path, text in (
        ("usr/include/bpf/libbpf_version.h", VERSION.format(major, minor)),
        ("usr/lib/x86_64-linux-gnu/libbpf.a", "!<arch>\n"),
    ):
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_text(text, encoding="utf-8")


def refusal(folder: Path, arch: str = "amd64") -> str:
    """Why the loader can't be built; nothing is left of it."""
    target = folder / "made" / "loader"
    with pytest.raises(Failure) as caught:
        build("libbpf", arch, str(folder), str(target))
    assert list(target.parent.iterdir()) == []
    return str(caught.value)


def test_none(tmp_path: Path) -> None:
    """Both ways out are named."""
    text = refusal(tmp_path)
    assert f'there is no static libbpf (libbpf.a) for amd64 in "{tmp_path}"' in text
    assert "libbpf = …  in [verify]" in text
    assert 'loader = "cilium"  in [check]' in text


@pytest.mark.parametrize("version", [(0, 8), (1, 1), (1, 5)])
def test_too_old(tmp_path: Path, version: tuple[int, int]) -> None:
    """An old one would refuse what newer ones load."""
    unpacked(tmp_path, *version)
    assert f"is libbpf {version[0]}.{version[1]}, and 1.6 or newer is needed" in refusal(tmp_path)


def test_other_architecture(tmp_path: Path) -> None:
    """A library for one architecture is none for another."""
    unpacked(tmp_path, 1, 7)
    assert "there is no static libbpf (libbpf.a) for arm64" in refusal(tmp_path, "arm64")


def test_damaged(tmp_path: Path) -> None:
    """What the compiler says is passed on."""
    unpacked(tmp_path, 1, 7)
    assert "the loader of libbpf can't be built: " in refusal(tmp_path)
