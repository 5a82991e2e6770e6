"""`@frozen`: the one kind of class that bpfgen's data is made of."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Any:
        return lambda decorator: decorator


__all__ = ["field", "frozen"]

T = TypeVar("T")

# `slots=` came with Python 3.10; on 3.9 the classes work the same, only larger.
_OPTIONS: dict[str, Any] = {"frozen": True, **({"slots": True} if sys.version_info >= (3, 10) else {})}


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """A frozen, slotted dataclass."""
    return dataclass(**_OPTIONS)(cls)
