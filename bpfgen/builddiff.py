"""What changed between two builds, by what manifests and verdicts say of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Optional

from bpfgen.frozen import frozen

ADDED, REMOVED, CHANGED = "added", "removed", "changed"

Entry = Mapping[str, Any]
"""Of the manifest's `objects`: an `ObjectInfo` as JSON's values."""
FACTS = ("license", "endian", "size")
"""Keys of an entry that are compared, beside what is in lists."""
LISTS = {"programs": "program", "subprograms": "function", "maps": "map"}
LOADS = ("ok", "conditional")
"""Verdicts of objects that a kernel takes, maybe under a condition."""


@frozen
class Build:
    """One of the two."""

    objects: Optional[Mapping[str, Entry]] = None
    """By id; None where nothing is known of objects."""
    verdicts: Optional[Mapping[tuple[str, str, str], str]] = None
    """By object, kernel and architecture; None where nothing is known of kernels."""


@frozen
class Change:
    """One thing that isn't the same."""

    object: str
    kind: str
    """`object`, `program`, `function` (that programs call), `map`, `kernel`."""
    name: str
    """Of that program, function or map; kernel and architecture; empty for the object itself."""
    change: str
    """`added`, `removed`, `changed`."""
    what: str = ""
    """Which of its facts: a key of the manifest; `verdict`, `contents`."""
    before: Any = None
    now: Any = None

    @property
    def stops(self) -> bool:
        """Whether a kernel that took the object doesn't any more."""
        return self.change == CHANGED and self.kind == "kernel" and self.before in LOADS and self.now not in LOADS

    @property
    def starts(self) -> bool:
        """The other way round."""
        return self.change == CHANGED and self.kind == "kernel" and self.before not in LOADS and self.now in LOADS


def comparable(before: Build, now: Build) -> bool:
    """Whether there is something that both say."""
    objects = before.objects is not None and now.objects is not None
    return objects or (before.verdicts is not None and now.verdicts is not None)


def changes(before: Build, now: Build) -> Iterator[Change]:
    """Everything that changed of what both say, by object."""
    found: list[Change] = []
    if before.objects is not None and now.objects is not None:
        for name in {*before.objects, *now.objects}:
            found += _object(name, before.objects.get(name), now.objects.get(name))
    whole = {each.object for each in found if each.kind == "object" and each.change != CHANGED}
    if before.verdicts is not None and now.verdicts is not None:
        for key in sorted({*before.verdicts, *now.verdicts}):
            if key[0] not in whole:
                found += _verdict(key, before.verdicts.get(key), now.verdicts.get(key))
    yield from sorted(found, key=lambda each: each.object)


def _object(name: str, before: Optional[Entry], now: Optional[Entry]) -> Iterator[Change]:
    if before is None or now is None:
        yield Change(name, "object", "", REMOVED if now is None else ADDED)
        return
    found = list(_facts(name, "object", "", before, now, FACTS))
    for key, kind in LISTS.items():
        found += _members(name, kind, before[key], now[key])
    if not found and before["sha256"] != now["sha256"]:
        found.append(Change(name, "object", "", CHANGED, "contents", before["sha256"], now["sha256"]))
    yield from found


def _members(name: str, kind: str, before: Iterable[Entry], now: Iterable[Entry]) -> Iterator[Change]:
    """Of one list; of two of one name, such as static functions of linked files, the n-th is compared with the n-th."""
    old, new = _by_name(before), _by_name(now)
    for key in dict.fromkeys((*old, *new)):
        if key not in old or key not in new:
            yield Change(name, kind, key[0], ADDED if key in new else REMOVED)
        else:
            yield from _facts(name, kind, key[0], old[key], new[key], dict.fromkeys((*old[key], *new[key])))


def _by_name(entries: Iterable[Entry]) -> dict[tuple[str, int], Entry]:
    found: dict[tuple[str, int], Entry] = {}
    seen: dict[str, int] = {}
    for entry in entries:
        count = seen[entry["name"]] = seen.get(entry["name"], -1) + 1
        found[entry["name"], count] = entry
    return found


def _facts(name: str, kind: str, member: str, before: Entry, now: Entry, keys: Iterable[str]) -> Iterator[Change]:
    # A fact that one of two bpfgens doesn't write has not changed.
    for key in keys:
        if key in before and key in now and before[key] != now[key]:
            yield Change(name, kind, member, CHANGED, key, before[key], now[key])


def _verdict(key: tuple[str, str, str], before: Optional[str], now: Optional[str]) -> Iterator[Change]:
    name, kernel, arch = key
    if before != now:
        change = ADDED if before is None else REMOVED if now is None else CHANGED
        yield Change(name, "kernel", f"{kernel} {arch}", change, "verdict", before, now)
