"""An initial root file system: a cpio archive of the "newc" format (cpio(5); Documentation/driver-api/early-userspace/
buffer-format.rst).
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator

from bpfgen.frozen import frozen

CONSOLE = (5, 1)
"""Major and minor number of /dev/console (Documentation/admin-guide/devices.txt)."""


@frozen
class File:
    """A file of the archive."""

    path: str
    """Without a slash at its start. Folders above it are made."""
    data: bytes
    mode: int = 0o644


def archive(files: Iterable[File]) -> bytes:
    """The archive, with the device that the kernel opens for its first process. Equal files give equal bytes."""
    members = [*_members(files), _member("TRAILER!!!", 0)]
    return b"".join(members)


def _members(files: Iterable[File]) -> Iterator[bytes]:
    files = list(files)
    folders = {"dev": None}
    for file in files:
        parts = file.path.split("/")[:-1]
        folders.update(dict.fromkeys("/".join(parts[:count]) for count in range(1, len(parts) + 1)))
    for folder in folders:
        yield _member(folder, stat.S_IFDIR | 0o755)
    yield _member("dev/console", stat.S_IFCHR | 0o600, device=CONSOLE)
    for file in files:
        yield _member(file.path, stat.S_IFREG | file.mode, file.data)


def _member(path: str, mode: int, data: bytes = b"", device: tuple[int, int] = (0, 0)) -> bytes:
    """Thirteen numbers of eight hexadecimal digits, the name and the contents, both padded to four bytes."""
    name = path.encode() + b"\0"
    # Inode, owner, group, time, device of the file system and checksum say nothing here.
    numbers = (0, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % number for number in numbers)
    return _padded(head + name) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
