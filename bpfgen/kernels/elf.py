"""One section of an ELF file (System V gABI, "ELF Header", "Sections"), of either class and byte order.

pyelftools would do it; but it reads what a kernel's ELF file has a hundred thousand of, and raises errors of many kinds
for damage.
"""

from __future__ import annotations

import struct
from typing import Optional

from bpfgen.kernels.held import Data
from bpfgen.kernels.unusable import Unusable

MAGIC = b"\x7fELF"
NAME_LIMIT = 64
_HEADER = {1: "16xHHIIIIIHHHHHH", 2: "16xHHIQQQIHHHHHH"}
"""`EI_CLASS` → the header; its last six fields are the sizes, counts and the index of the section of names."""
_SECTION = {1: "IIIIIIIIII", 2: "IIQQQQIIQQ"}
_ORDER = {1: "<", 2: ">"}


def section(data: Data, name: str) -> Optional[bytes]:
    """The contents of the first section of that name; None where there is none. Raises Unusable."""
    try:
        return _section(data, name.encode())
    except (struct.error, KeyError, IndexError):
        raise Unusable("is damaged: its ELF headers are wrong") from None


def _section(data: Data, wanted: bytes) -> Optional[bytes]:
    width, order = data[4], _ORDER[data[5]]
    header = struct.unpack_from(f"{order}{_HEADER[width]}", data)
    table, size, count, names = header[5], header[-3], header[-2], header[-1]
    row = struct.Struct(f"{order}{_SECTION[width]}")
    if table == 0 or size < row.size:
        return None
    rows = [row.unpack_from(data, table + index * size) for index in range(count)]
    strings = rows[names][4]
    for each in rows:
        start = strings + each[0]
        if data[start : start + NAME_LIMIT].partition(b"\0")[0] == wanted:
            offset, length = each[4], each[5]
            if offset + length > len(data):
                raise Unusable(f"is damaged: its section {wanted.decode()} ends beyond the file")
            return data[offset : offset + length]
    return None
