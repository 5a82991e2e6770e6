"""What a loader is given: objects, with what they don't say themselves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence

from bpfgen.frozen import field, frozen


@frozen
class Needs:
    """What an object's own tool tells its loader at run time: `config.schemaverify.Load` has what each means."""

    maps: Mapping[str, int] = field(default_factory=dict)
    attach: Mapping[str, str] = field(default_factory=dict)
    optional: Sequence[str] = ()
    modules: Sequence[str] = ()
    accept: Mapping[str, str] = field(default_factory=dict)


@frozen
class Item:
    """An object to load."""

    name: str
    """`Unit.id`"""
    path: str
    data: bytes
    needs: Needs

    def key(self, *rest: str) -> str:
        """What its outcome depends on, as a hash: its bytes, what is said of it, and the `rest`."""
        needs = [dict(self.needs.maps), dict(self.needs.attach), list(self.needs.modules)]
        text = json.dumps([hashlib.sha256(self.data).hexdigest(), needs, *rest], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@frozen
class Module:
    """A module of the kernel."""

    name: str
    data: bytes


def path(number: int) -> str:
    """The file of a module below the job's folder, by its place in the order."""
    return f"modules/{number}.ko"


def files(items: Sequence[Item], modules: Sequence[Module], port: str = "") -> Iterator[tuple[str, bytes]]:
    """The files of a job, by their paths below its folder. `port` is where the loader answers; empty for its output."""
    yield "job", "".join(_lines(items, modules, port)).encode()
    for number, module in enumerate(modules):
        yield path(number), module.data
    for number, item in enumerate(items):
        yield f"objects/{number}.o", item.data


def _lines(items: Sequence[Item], modules: Sequence[Module], port: str) -> Iterator[str]:
    """Words with tabs between them, which names of programs and maps can't have."""
    if port:
        yield f"port\t{port}\n"
    for number in range(len(modules)):
        yield f"module\t{path(number)}\n"
    for number, item in enumerate(items):
        yield f"object\t{item.name}\tobjects/{number}.o\n"
        for name, entries in item.needs.maps.items():
            yield f"map\t{name}\t{entries}\n"
        for name, target in item.needs.attach.items():
            yield f"attach\t{name}\t{target}\n"
