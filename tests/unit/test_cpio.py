"""Archives that the kernel unpacks at its start."""

from __future__ import annotations

import stat

from hypothesis import given
from hypothesis import strategies as st

from bpfgen.verify.cpio import File, archive

Members = list[tuple[str, int, tuple[int, int], bytes]]


def read(data: bytes) -> Members:
    """Name, mode, device and contents of each member, read as init/initramfs.c of the kernel reads them."""
    found: Members = []
    at = 0
    while True:
        assert at % 4 == 0
        assert data[at : at + 6] == b"070701"
        fields = [int(data[at + 6 + 8 * number : at + 14 + 8 * number], 16) for number in range(13)]
        name = data[at + 110 : at + 110 + fields[11]]
        assert name.endswith(b"\0")
        at += 110 + fields[11]
        at += -at % 4
        if name == b"TRAILER!!!\0":
            assert at == len(data)
            return found
        found.append((name[:-1].decode(), fields[1], (fields[9], fields[10]), data[at : at + fields[6]]))
        at += fields[6]
        at += -at % 4


def test_folders_come_first() -> None:
    """A file's folders are made before it, each once, and the console is a device."""
    members = read(archive([File("init", b"#!", 0o755), File("a/b/c", b"x"), File("a/b/d", b"")]))
    assert [(name, stat.filemode(mode)) for name, mode, _, _ in members] == [
        ("dev", "drwxr-xr-x"),
        ("a", "drwxr-xr-x"),
        ("a/b", "drwxr-xr-x"),
        ("dev/console", "crw-------"),
        ("init", "-rwxr-xr-x"),
        ("a/b/c", "-rw-r--r--"),
        ("a/b/d", "-rw-r--r--"),
    ]
    assert members[3][2] == (5, 1)


@given(st.dictionaries(st.from_regex(r"[a-z0-9._]{1,9}", fullmatch=True), st.binary(max_size=50)))
def test_contents_survive(files: dict[str, bytes]) -> None:
    """Whatever the sizes of names and contents."""
    members = read(archive([File(f"objects/{name}", data) for name, data in files.items()]))
    assert {name[8:]: data for name, mode, _, data in members if stat.S_ISREG(mode)} == files
