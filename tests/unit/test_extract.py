"""BTF out of everything that a kernel is shipped in, and one clear error for what is damaged."""

from __future__ import annotations

import lzma
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from btffile import Builder
from hypothesis import given, settings
from hypothesis import strategies as st
from kernelfile import PACKERS, bzimage, cpio, deb, elf, image, lz4_legacy, rpm, sized, tar, zboot

from bpfgen.bpf.btf import Kind
from bpfgen.kernels import held
from bpfgen.kernels.extract import SMALLEST, find_btf, kernel_btf
from bpfgen.kernels.unusable import Unusable


def types(order: str = "<") -> bytes:
    """Enough integers for a kernel."""
    btf = Builder(order)
    for number in range(SMALLEST // 16 + 1):
        btf.add(Kind.INT, f"number_{number}", 4, 32)
    return btf.bytes()


BTF = types()
BIG_ENDIAN = types(">")
VMLINUX = elf(BTF)
VMLINUZ = bzimage(sized(PACKERS["xz"](VMLINUX), VMLINUX))
PATH = "./boot/vmlinuz-6.12.1-amd64"

FORMS: dict[str, bytes] = {
    "raw": BTF,
    "vmlinux": VMLINUX,
    "vmlinux of 32 bits": elf(BTF, wide=False),
    **{f"vmlinuz, {name}": bzimage(sized(pack(VMLINUX), VMLINUX)) for name, pack in PACKERS.items()},
    **{f"zboot, {name}": zboot(pack(image(BTF))) for name, pack in PACKERS.items()},
    **{f"packed vmlinux, {name}": pack(VMLINUX) for name, pack in PACKERS.items()},
    "Image": image(BTF),
    "Image.gz": PACKERS["gzip"](image(BTF)),
    "something with a vmlinux in it": b"\x13" * 1000 + PACKERS["xz"](VMLINUX) + b"\x13" * 1000,
    "deb": deb(tar({"./usr/share/doc/vmlinuz-x": b"no", PATH: VMLINUZ})),
    "deb, gzip": deb(tar({PATH: VMLINUZ}, "w:gz"), b"data.tar.gz"),
    "deb, zstd": deb(PACKERS["zstd"](tar({PATH: VMLINUZ}, "w")), b"data.tar.zst"),
    "deb, not packed": deb(tar({PATH: VMLINUZ}, "w"), b"data.tar"),
    "rpm": rpm(PACKERS["zstd"](cpio({"./lib/modules/6.1/config": b"x", "./lib/modules/6.1/vmlinuz": VMLINUZ}))),
    "rpm, not packed": rpm(cpio({"./boot/vmlinuz-6.1": VMLINUZ})),
    "BTFHub": tar({"5.4.0-1009-aws.btf": BTF}),
    "tar": tar({"5.4.0-1009-aws.btf": BTF}, "w"),
}


@pytest.mark.parametrize("name", FORMS)
def test_forms(name: str) -> None:
    assert find_btf(FORMS[name]) == BTF


@pytest.mark.parametrize("data", [BIG_ENDIAN, elf(BIG_ENDIAN, ">"), elf(BIG_ENDIAN, ">", wide=False)])
def test_big_endian(data: bytes) -> None:
    assert find_btf(data) == BIG_ENDIAN


def test_a_file_is_read_as_its_bytes_are(tmp_path: Path) -> None:
    (tmp_path / "kernel.deb").write_bytes(FORMS["deb"])
    (tmp_path / "empty").touch()
    assert kernel_btf(str(tmp_path / "kernel.deb")) == BTF
    with pytest.raises(Unusable, match=r"^is empty$"):
        kernel_btf(str(tmp_path / "empty"))


BROKEN = BTF[:24] + b"\xff" * 32 + BTF[56:]
DAMAGED: dict[str, tuple[bytes, str]] = {
    "text": (b"no kernel at all, but some text", "is no kernel, and has no BTF"),
    "BTF": (BROKEN, "has damaged BTF: type 1 is of the unknown kind 31"),
    "half a BTF": (BTF[: len(BTF) // 2], "has damaged BTF: a section ends beyond the data"),
    "BTF without types": (Builder("<").bytes(), "has damaged BTF: there are no types in it"),
    "damaged BTF in a deb": (deb(tar({PATH: bzimage(lzma.compress(elf(BROKEN)))})), "has damaged BTF"),
    "vmlinux without BTF": (elf(BTF, name=b".XYZ"), "has no BTF: this kernel was built without"),
    "vmlinuz without BTF": (bzimage(lzma.compress(elf(b""))), "has no BTF: this kernel was built without"),
    "Image without BTF": (image(b""), "has no BTF: this kernel was built without"),
    "half a vmlinux": (VMLINUX[: len(VMLINUX) // 2], "is damaged: its ELF headers are wrong"),
    "half a vmlinuz": (VMLINUZ[: len(VMLINUZ) // 2], "is damaged: the kernel in it ends beyond the file"),
    "half an xz": (lzma.compress(VMLINUX)[:1000], "is damaged: its xz data can't be unpacked"),
    "half an lz4": (lz4_legacy(VMLINUX)[:1000], "is damaged: its lz4 data can't be unpacked"),
    "no zstd": (PACKERS["zstd"](VMLINUX)[:4] + b"\xff" * 99, "is damaged: its zstd data can't be unpacked"),
    "half a gzip": (PACKERS["gzip"](VMLINUX)[:1000], "is damaged: its gzip data can't be unpacked"),
    "lzop": (b"\x89LZO\0\r\n\x1a\n" + bytes(99), "is packed by LZO, which bpfgen can't unpack"),
    "empty deb": (b"!<arch>\n", "is an empty package: it has no data.tar"),
    "deb without files": (deb(tar({})), "has no kernel in it"),
    "deb of modules": (deb(tar({"./lib/modules/6.1/kernel/x.ko": b"x"})), "has no kernel in it"),
    "half a deb": (FORMS["deb"][:4000], "is damaged: its files end beyond the package"),
    "deb with garbage": (b"!<arch>\n" + b"x" * 60, "is damaged: it is no sound Debian package"),
    "half a tar": (deb(tar({PATH: VMLINUZ}, "w")[:2000], b"data.tar"), "is damaged: the archive in it can't be read"),
    "rpm": (FORMS["rpm"][:100], "is damaged: it is no sound RPM package"),
    "rpm without files": (rpm(b""), "is an empty package: it has no files"),
    "rpm of modules": (rpm(cpio({"./lib/modules/6.1/x.ko": b"x"})), "has no kernel in it"),
    "half an rpm": (rpm(cpio({"./boot/vmlinuz-6.1": VMLINUZ})[:2000]), "is damaged: it ends within the kernel"),
    "archives in archives": (
        deb(tar({PATH: deb(tar({PATH: deb(tar({PATH: deb(tar({PATH: b"!<arch>\n" * 9}))}))}))})),
        "",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage(name: str) -> None:
    data, message = DAMAGED[name]
    with pytest.raises(Unusable) as caught:
        find_btf(data)
    assert caught.value.message.startswith(message)


def test_what_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "LIMIT", 1 << 20)
    with pytest.raises(Unusable, match=r"^unpacks to more than"):
        find_btf(lzma.compress(bytes(2 << 20)))


@pytest.mark.parametrize("name", ["zstd", "lz4"])
def test_a_library_that_is_missing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("compression", "zstandard", "lz4", "lz4.block"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(Unusable) as caught:
        find_btf(FORMS[f"vmlinuz, {name}"])
    assert caught.value.message == f"is packed by {name}, which this Python can't unpack"
    assert caught.value.hint == "run  pip install 'bpfgen[kernels]'"


@settings(max_examples=300)
@given(st.data())
def test_no_damage_is_a_traceback(data: Any) -> None:
    """Cut, or with some bytes changed where the formats' own are: an answer or an error."""
    whole = bytearray(FORMS[data.draw(st.sampled_from(list(FORMS)))])
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.one_of(st.integers(0, min(len(whole), 800) - 1), st.integers(0, len(whole) - 1)))
        whole[at] = data.draw(st.integers(0, 255))
    with suppress(Unusable):
        find_btf(bytes(whole[: data.draw(st.one_of(st.just(len(whole)), st.integers(0, len(whole))))]))
