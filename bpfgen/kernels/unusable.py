"""What the readers of this package raise: the file is no kernel, or has no types."""

from __future__ import annotations


class Unusable(Exception):
    """Completes "FILE …"; with a hint for the user."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
