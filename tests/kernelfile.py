"""Kernels in the forms that they are shipped in, made by hand from the documents of each form."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile

import lz4.block
import zstandard

MODULES = 0o100644
ELF_NAMES = b"\0.text\0.BTF\0.shstrtab\0"


def elf(btf: bytes, order: str = "<", wide: bool = True, name: bytes = b".BTF") -> bytes:
    """A vmlinux with code and types."""
    names = ELF_NAMES.replace(b".BTF", name)
    head, row = (64, 64) if wide else (52, 40)
    body = b"\x90" * 128
    types_at = head + len(body)
    names_at = types_at + len(btf)
    table = names_at + len(names) + -(names_at + len(names)) % 8
    sections = [(0, 0, 0, 0), (1, 1, head, len(body)), (7, 1, types_at, len(btf)), (12, 3, names_at, len(names))]
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    if wide:
        header = struct.pack(f"{order}HHIQQQIHHHHHH", 2, 62, 1, 0, 0, table, 0, 64, 0, 0, row, 4, 3)
        rows = [
            struct.pack(f"{order}IIQQQQIIQQ", n, kind, 0, 0, at, size, 0, 0, 1, 0) for n, kind, at, size in sections
        ]
    else:
        header = struct.pack(f"{order}HHIIIIIHHHHHH", 2, 3, 1, 0, 0, table, 0, 52, 0, 0, row, 4, 3)
        rows = [
            struct.pack(f"{order}IIIIIIIIII", n, kind, 0, 0, at, size, 0, 0, 1, 0) for n, kind, at, size in sections
        ]
    return (ident + header + body + btf + names).ljust(table, b"\0") + b"".join(rows)


def lz4_legacy(data: bytes) -> bytes:
    """As the kernel's build packs it: blocks of 8 MiB."""
    packed = b"\x02\x21\x4c\x18"
    for at in range(0, len(data), 8 << 20):
        block = lz4.block.compress(data[at : at + (8 << 20)], store_size=False)
        packed += struct.pack("<I", len(block)) + block
    return packed


def sized(packed: bytes, data: bytes) -> bytes:
    """With the size behind it, as the kernel's build appends it."""
    return packed + struct.pack("<I", len(data))


PACKERS = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "bzip2": bz2.compress,
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data),
    "lz4": lz4_legacy,
}


def bzimage(payload: bytes) -> bytes:
    """An x86 vmlinuz: three sectors of set-up code, then the code that unpacks the payload."""
    image = bytearray(512 * 4 + 100)
    image[0x1F1] = 3
    image[0x202:0x206] = b"HdrS"
    struct.pack_into("<II", image, 0x248, 100, len(payload))
    return bytes(image) + payload + b"and more"


def zboot(payload: bytes) -> bytes:
    """An EFI zboot image."""
    return (b"MZ\0\0zimg" + struct.pack("<II", 512, len(payload))).ljust(512, b"\0") + payload + b"and more"


def image(btf: bytes) -> bytes:
    """A plain Image of arm64: types somewhere, and before them what looks like some."""
    head = bytearray(b"MZ".ljust(4096, b"\x1f"))
    head[0x38:0x3C] = b"ARM\x64"
    small = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, 0, 0, 1) + b"\0"
    return bytes(head) + small + b"\x1f\x8b\x08 no gzip" + btf + b"\0" * 64


def tar(files: dict[str, bytes], mode: str = "w:xz") -> bytes:
    """An archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def deb(data: bytes, name: bytes = b"data.tar.xz") -> bytes:
    """A Debian package with that archive of files."""
    members = [(b"debian-binary", b"2.0\n"), (b"control.tar.xz", tar({"./control": b"Package: linux\n"})), (name, data)]
    text = b"!<arch>\n"
    for title, contents in members:
        text += title.ljust(16) + b"0".ljust(12) + b"0".ljust(12) + b"100644  " + str(len(contents)).encode().ljust(10)
        text += b"`\n" + contents + b"\n" * (len(contents) % 2)
    return text


def cpio(files: dict[str, bytes]) -> bytes:
    """An archive of the kind that is in an RPM package."""
    text = b""
    for name, data in [*files.items(), ("TRAILER!!!", b"")]:
        title = name.encode() + b"\0"
        fields = [1, MODULES, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(title), 0]
        text += b"070701" + b"".join(b"%08x" % field for field in fields) + title
        text += b"\0" * (-len(text) % 4) + data
        text += b"\0" * (-len(text) % 4)
    return text


def rpm(files: bytes) -> bytes:
    """An RPM package: a lead, a signature with one entry, a header with one entry, the files."""
    signature = b"\x8e\xad\xe8\x01" + bytes(4) + struct.pack(">II", 1, 5) + bytes(16) + b"12345"
    header = b"\x8e\xad\xe8\x01" + bytes(4) + struct.pack(">II", 1, 7) + bytes(16) + b"1234567"
    return b"\xed\xab\xee\xdb".ljust(96, b"\0") + signature + b"\0" * (-len(signature) % 8) + header + files
