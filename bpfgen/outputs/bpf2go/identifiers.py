"""Go's names for C's, as bpf2go makes them (cilium/ebpf, internal/output.go and cmd/bpf2go/gen/output.go)."""

from __future__ import annotations

import unicodedata

from bpfgen.frozen import frozen


def identifier(text: str) -> str:
    """The exported Go name of a C name: `cfg_pid` → `CfgPid`, `g_mode` → `G_mode`, `MODE_A` → `MODE_A`.

    An underscore goes where it leads, or follows a small letter or a digit; the letter after it is then a capital.
    """
    kept = []
    previous = ""  # nothing, or an underscore that went
    for letter in text:
        kind = unicodedata.category(letter)
        if letter == "_":
            if not previous or unicodedata.category(previous) in {"Nd", "Ll"}:
                previous = ""
                continue
            previous = letter
        elif kind[0] == "L":
            previous = letter if previous else capital(letter)
        elif kind == "Nd":
            previous = letter
        else:
            continue
        kept.append(previous)
    return "".join(kept)


def is_name(text: str) -> bool:
    """Whether Go takes what `identifier` made for a name: `__` became nothing, and `_1` a number."""
    return bool(text) and unicodedata.category(text[0]) != "Nd"


def capital(letter: str) -> str:
    """One letter in upper case, as Go has it: where Unicode's has several letters, as it is."""
    upper = letter.upper()
    return upper if len(upper) == 1 else letter


def upper_first(text: str) -> str:
    """The text with its first letter in upper case."""
    return capital(text[:1]) + text[1:]


@frozen
class Names:
    """The names that a file of bindings declares for itself, from its stem."""

    stem: str

    @property
    def load(self) -> str:
        """`loadFoo`, and `LoadFoo` of an upper-case stem."""
        return self._exported(f"load{upper_first(self.stem)}")

    @property
    def load_objects(self) -> str:
        """`loadFooObjects`"""
        return f"{self.load}Objects"

    @property
    def close(self) -> str:
        """`_FooClose`"""
        return f"_{upper_first(self.stem)}Close"

    @property
    def data(self) -> str:
        """`_FooBytes`"""
        return f"_{upper_first(self.stem)}Bytes"

    @property
    def files(self) -> str:
        """`fooFS`: where the object is embedded as a file."""
        return f"{self.stem}FS"

    def _exported(self, name: str) -> str:
        return upper_first(name) if unicodedata.category(self.stem[0]) == "Lu" else name
