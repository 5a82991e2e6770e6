"""What the readers of this package raise among themselves."""

from __future__ import annotations


class Malformed(Exception):
    """The bytes break their format; the message names what, and `read_object` adds the file."""
