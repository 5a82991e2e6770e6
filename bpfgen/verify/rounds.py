"""Objects → what a kernel said of each, also where one of them is the machine's last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable, Protocol

from bpfgen.errors import EXIT_FAILED, Failure, Problem
from bpfgen.frozen import frozen
from bpfgen.verify.classify import CRASH, TIMEOUT
from bpfgen.verify.job import Item, Module, path
from bpfgen.verify.judge import dead
from bpfgen.verify.machine import Guest, Ran, boot
from bpfgen.verify.protocol import DONE, SILENT, Event

DEATHS = 3
"""Of machines, before it is given up."""


class Place(Protocol):
    """Where objects are loaded."""

    def run(self, items: Sequence[Item], note: Callable[[Event], None], /) -> Ran:
        """Loads objects; raises `Failure`, OSError."""

    def failure(self, ran: Ran, /) -> Problem:
        """Why nothing was loaded."""


@frozen
class Outcomes:
    """Of all objects."""

    release: str
    loader: str
    ends: dict[str, Event]
    """The last event of each, by name."""


def outcomes(place: Place, items: Sequence[Item], note: Callable[[Event], None]) -> Outcomes:
    """Loads every object. One that the machine dies of, or that takes too long, has that for an outcome, and the others
    get a new machine. Raises `Failure`, OSError.
    """
    ends: dict[str, Event] = {}
    left, deaths = list(items), 0
    while True:
        ran = place.run(left, note)
        found = ran.talk.heard
        ends.update(found.outcomes)
        left = [item for item in left if item.name not in ends]
        if found.ended == DONE and not left:
            return Outcomes(found.kernel, found.loader, ends)
        deaths += 1
        if not found.kernel or not found.busy or deaths == DEATHS:
            raise Failure([place.failure(ran)], EXIT_FAILED)
        silent = found.ended == SILENT
        text = "it took longer than verify.timeout allows" if silent else _last_words(ran)
        ends[found.busy] = dead(found.busy, TIMEOUT if silent else CRASH, text)
        left = [item for item in left if item.name != found.busy]
        if not left:
            return Outcomes(found.kernel, found.loader, ends)


def _last_words(ran: Ran) -> str:
    if ran.panic:
        return f"the kernel panics: {ran.panic}"
    said = (ran.talk.said or ran.console).splitlines() or ["it says nothing"]
    return f"the machine ends while it loads: {said[-1]}"


@frozen
class Emulated:
    """A kernel target in a virtual machine."""

    guest: Guest
    kernel: str
    modules: Sequence[Module] = ()

    def run(self, items: Sequence[Item], note: Callable[[Event], None]) -> Ran:
        """In a machine of their own. A module that its kernel doesn't take is a `Failure`."""
        ran = boot(self.guest, items, self.modules, note)
        refused = [(module.name, ran.talk.heard.modules.get(path(at), "")) for at, module in enumerate(self.modules)]
        problems = [
            Problem(None, f"the kernel of {self.kernel} on {self.guest.arch} takes no module {name}: {why}")
            for name, why in refused
            if why
        ]
        if problems:
            raise Failure(problems, EXIT_FAILED)
        return ran

    def failure(self, ran: Ran) -> Problem:
        """What a machine did instead."""
        name = f"the machine for {self.kernel} on {self.guest.arch}"
        found = ran.talk.heard
        if ran.panic:
            when = "while it loads objects" if found.kernel else "while it starts"
            return Problem(None, f"the kernel of {self.kernel} on {self.guest.arch} panics {when}: {ran.panic}", MEMORY)
        if found.trouble:
            return Problem(None, f"{name} can't begin: {found.trouble}")
        if found.ended == SILENT and not found.kernel:
            seconds = self.guest.deadlines.boot
            hint = f"the kernel's last words:\n{_indented(ran.console)}" if ran.console else NOTHING
            return Problem(None, f"{name} hangs: no kernel has started within {seconds:g} seconds", hint)
        if found.ended == SILENT:
            return Problem(None, f"{name} hangs: it has said nothing for {self.guest.deadlines.load:g} seconds")
        said = ran.talk.said.splitlines()
        if said:
            return Problem(None, f"{name} doesn't start: {said[-1]}", IMAGE)
        console = f"the kernel's last words:\n{_indented(ran.console)}" if ran.console else NOTHING
        return Problem(None, f"{name} ends before it has loaded anything", console)


MEMORY = "more memory may help:  memory = …  in [verify]"
NOTHING = "the kernel said nothing: it may be damaged, or for another machine"
IMAGE = "the kernel may be damaged, or for another architecture"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
