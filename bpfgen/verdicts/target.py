"""What is known of one kernel of one architecture: of each thing whether the kernel has it, and what says so.

The best source comes first: the kernel's own types, in which the enums of linux/bpf.h stand as that kernel has them,
backports included; what a machine said of it (`bpfgen kernel capture`); what the user assumes; its upstream version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from typing import Any, Optional

from bpfgen.bpf.btf import Kind
from bpfgen.bpf.kernel import KernelTypes
from bpfgen.catalog import features, table, version
from bpfgen.frozen import field, frozen
from bpfgen.verdicts.span import Span, between, exactly, narrowed

BTF, PROFILE, ASSUME, UPSTREAM = "btf", "profile", "assume", "upstream"
ENUMS = {
    "helper": ("bpf_func_id", "BPF_FUNC_"),
    "map_type": ("bpf_map_type", "BPF_MAP_TYPE_"),
    "program_type": ("bpf_prog_type", "BPF_PROG_TYPE_"),
    "attach_type": ("bpf_attach_type", "BPF_"),
}
"""Kinds of `catalog/features.toml`: the enum of linux/bpf.h, and what its names begin with."""
PREFIXES = {"helper": "bpf_", "map_type": "BPF_MAP_TYPE_", "program_type": "BPF_PROG_TYPE_", "attach_type": "BPF_"}
"""What names in the catalogue begin with."""
FLAGS = "BPF_F_NO_PREALLOC"
"""The first of the flags of maps, which are an enum without a name."""

FIRST = "3.18"
"""The first kernel with bpf(2): what it has, every kernel has."""


@frozen
class Answer:
    """Whether a kernel has something."""

    has: Optional[bool]
    """None where nothing says."""
    source: str = ""
    since: str = ""
    """The first upstream version that has it; empty where that isn't known."""

    @property
    def lately(self) -> str:
        """The end of a sentence: `, which came with Linux 5.17`."""
        return f", which came with Linux {self.since}" if self.since else ""


@frozen
class Known:
    """What `build.toml` says of a kernel target, for one architecture."""

    name: str
    arch: str
    upstream: str = ""
    assume: tuple[str, ...] = ()
    profile: Optional[Mapping[str, Any]] = None
    """`features` of a profile: what bpftool found."""
    tools: Mapping[str, str] = field(default_factory=dict)
    """Of the profile: versions of what was asked."""
    shipped: bool = False
    """Whether its types are shipped with the program, because the kernel itself has none (`min_btf`)."""


class Target:
    """A kernel that objects are judged for."""

    def __init__(self, known: Known, types: KernelTypes | None = None) -> None:
        self.known, self.types = known, types

    def has(self, kind: str, name: str) -> Answer:
        """Whether it has something of a kind: of `features.toml` by its name there (`bpf_loop`, `ringbuf`; a number
        where it has none), `isa` by its row, `map_flag`, `feature` and `jit` by theirs in `kernels.toml`.
        """
        if kind in ENUMS:
            return self._numbered(kind, name)
        if kind == "map_flag":
            return self._flag(name)
        if kind == "jit":
            row = table("kernels")["jit"][name]
            since = row["since"].get(self.known.arch, "")
            function, beside = row.get("shown", ("", ""))
            if beside and self.function(beside):
                return Answer(self.function(function), BTF, since)
        else:
            row = table("isa")["feature"][name] if kind == "isa" else table("kernels")[kind][name]
            since = str(row.get("kernel" if kind == "isa" else "since", ""))
        return self._by_version(since)

    def calls(self, helper: str, program_type: str, attach_type: str = "", sleepable: bool = False) -> Answer:
        """Whether programs of that type may call a helper that the kernel has; `since` is the first kernel that was
        asked and lets them.

        Of profiles, those count that bpftool 7.5 or newer made: before, with libbpf before 1.5, it said yes for every
        helper on new kernels.
        """
        if self.known.profile is not None and _is_newer(self.known.tools.get("libbpf", ""), (1, 5)):
            found = self.known.profile.get("helpers", {}).get(f"{program_type}_available_helpers")
            if isinstance(found, list):
                return Answer(helper in found, PROFILE)
        rows, end = allowed(), ".s" if sleepable else ""
        row = rows.get(f"{program_type}{end}", rows.get(f"{program_type}.{attach_type}{end}"))
        by_target = program_type in ("tracing", "lsm") and helper in table("allowed")["by_target"]
        if row is None or by_target or helper not in features("helper"):
            return Answer(None)
        return Answer(self._lets(row.get(helper, "")), UPSTREAM, row.get(helper, ""))

    def option(self, name: str) -> Optional[str]:
        """The value of an option of the kernel's configuration, by a profile."""
        found = (self.known.profile or {}).get("system_config", {}).get(name)
        return str(found) if found is not None else None

    def function(self, name: str) -> Optional[bool]:
        """Whether the kernel itself has a function of that name; None where its types aren't known."""
        return None if self.types is None else bool(self.types.find(name, Kind.FUNC))

    def _lets(self, first: str) -> Optional[bool]:
        """Of the kernels that were asked, `first` was the oldest to say yes; none, if it is empty. What came between
        two of them, either can have.
        """
        if not first:
            return False
        asked = [version(each) for each in table("allowed")["kernels"]]
        before = [each for each in asked if each < version(first)]
        if self.span.reaches(first):
            return True
        refused = before and self.span.high is not None and self.span.high <= (before[-1][0], before[-1][1] + 1)
        return False if refused else None

    @cached_property
    def span(self) -> Span:
        """The upstream versions that it can count as."""
        claim = self.known.upstream
        if self._numbers:
            rows = [(str(row["since"]), row["id"] in self._numbers[kind]) for kind, row in _rows(self._numbers)]
            found = between([since for since, has in rows if has], [since for since, has in rows if not has])
            return narrowed(found, claim) if claim else found
        return exactly(claim) if claim else Span()

    @cached_property
    def _numbers(self) -> dict[str, frozenset[int]]:
        """The values of the enums that are in its types."""
        found = {}
        for kind, (enum, prefix) in ENUMS.items():
            for each in self.types.find(enum, Kind.ENUM) if self.types is not None else ():
                values = each.btf.values(each.type)
                found[kind] = frozenset(value.number for value in values if value.name.startswith(prefix))
        return found

    @cached_property
    def _flags(self) -> Optional[frozenset[str]]:
        """The names of flags of maps, where its types have them."""
        for each in self.types.unnamed(Kind.ENUM) if self.types is not None else ():
            names = frozenset(value.name for value in each.btf.values(each.type))
            if FLAGS in names:
                return names
        return None

    def _numbered(self, kind: str, name: str) -> Answer:
        row = _row(kind, name)
        number, since = (row["id"], str(row["since"])) if row else (int(name) if name.isdigit() else -1, "")
        if kind in self._numbers and number >= 0:
            return Answer(number in self._numbers[kind], BTF, since)
        said = self._profiled(kind, name)
        if said is not None:
            return Answer(said, PROFILE, since)
        if f"{kind}:{_catalogued(kind, name)}" in self.known.assume:
            return Answer(True, ASSUME, since)
        return self._by_version(since)

    def _profiled(self, kind: str, name: str) -> Optional[bool]:
        features = self.known.profile or {}
        if kind in ("map_type", "program_type"):
            rows, word = ("map_types", name) if kind == "map_type" else ("program_types", f"{name}_prog")
            suffix = "_map_type" if kind == "map_type" else "_type"
            found = features.get(rows, {}).get(f"have_{word}{suffix}")
            return found if isinstance(found, bool) else None
        if kind == "helper" and _is_newer(self.known.tools.get("libbpf", ""), (1, 5)):
            lists = [each for each in features.get("helpers", {}).values() if isinstance(each, list)]
            return any(name in each for each in lists) if lists else None
        return None

    def _flag(self, name: str) -> Answer:
        row = table("kernels")["map_flag"].get(name)
        since = str(row["since"]) if row else ""
        if self._flags is not None:
            return Answer(name in self._flags, BTF, since)
        return self._by_version(since)

    def _by_version(self, since: str) -> Answer:
        if not since:
            return Answer(None)
        if since == FIRST:
            return Answer(True)
        return Answer(self.span.reaches(since), BTF if self._numbers else UPSTREAM, since)


@cache
def allowed() -> dict[str, dict[str, str]]:
    """The helpers that programs may call, with the first kernel that lets them; by `TYPE` or `TYPE.ATTACH_TYPE`, with
    `.s` if they sleep: `catalog/allowed.toml`.
    """
    facts, names = table("allowed"), {row["id"]: name for name, row in features("helper").items()}
    found = {}
    for row in facts["row"]:
        by_id = {number: kernel for kernel in facts["kernels"] for number in _numbers(row.get(kernel, ""))}
        own = {names[number]: kernel for number, kernel in by_id.items()}
        found.update(dict.fromkeys(row["types"], own))
    return found


def _numbers(ranges: str) -> Iterator[int]:
    """`"1-3 5"` → 1, 2, 3, 5."""
    for each in ranges.split():
        first, _, last = each.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _rows(kinds: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for kind in kinds:
        for row in features(kind).values():
            yield kind, row


def _catalogued(kind: str, name: str) -> str:
    """The name in the catalogue: `bpf_loop`, `BPF_MAP_TYPE_RINGBUF`."""
    return name if kind == "helper" else PREFIXES[kind] + name.upper()


def _row(kind: str, name: str) -> Optional[Mapping[str, Any]]:
    return features(kind).get(_catalogued(kind, name))


def _is_newer(text: str, wanted: tuple[int, ...]) -> bool:
    numbers = text.removeprefix("v").split(".")
    return all(each.isdigit() for each in numbers) and tuple(map(int, numbers)) >= wanted
