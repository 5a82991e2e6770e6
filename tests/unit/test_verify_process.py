"""Processes that are listened to: they end in time, and none is left."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Callable

import pytest

from bpfgen.errors import Failure, Problem
from bpfgen.verify.job import Item, Needs
from bpfgen.verify.machine import Ran
from bpfgen.verify.process import Deadlines, Talk, talk
from bpfgen.verify.protocol import DIED, DONE, SILENT, Event
from bpfgen.verify.rounds import outcomes

SHORT = Deadlines(boot=20, load=2)
HEAD = """import os, sys, json, time
def say(event, **rest): print(json.dumps({"event": event, **rest}), flush=True)
say("start", kernel="6.1", loader=str(os.getpid()))
"""


def loader(text: str) -> tuple[str, ...]:
    """A process that speaks as a loader does."""
    return (sys.executable, "-c", HEAD + text)


def is_gone(ran: Talk) -> bool:
    """Whether the process that spoke isn't there any more."""
    try:
        os.kill(int(ran.heard.loader), 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize(
    ("text", "ended", "code"),
    [
        ('say("done")', DONE, 0),
        ('print("broken {", flush=True); sys.exit(3)', DIED, 3),
        ('say("begin", object="a"); time.sleep(100)', SILENT, None),
        ("os.close(1); time.sleep(100)", DIED, None),
    ],
)
def test_ends(text: str, ended: str, code: int | None) -> None:
    """By itself, or by us when the deadline is over."""
    found = talk(loader(text), SHORT, lambda _: None)
    assert (found.heard.ended, found.code) == (ended, code)
    assert is_gone(found)


def test_no_such_command() -> None:
    """A command that can't be started is said."""
    with pytest.raises(Failure, match="no-such-command: No such file"):
        talk(("no-such-command",), SHORT, lambda _: None)


class Machine:
    """A place whose machine dies of the objects that `kills` names, and hangs with those that `hangs` names."""

    def __init__(self, kills: Sequence[str] = (), hangs: Sequence[str] = ()) -> None:
        self.kills, self.hangs, self.runs = kills, hangs, 0

    def run(self, items: Sequence[Item], note: Callable[[Event], None]) -> Ran:
        """One process for each run."""
        self.runs += 1
        names = [item.name for item in items]
        text = f"""
for name in {names!r}:
  say("begin", object=name)
  if name in {list(self.kills)!r}: os._exit(1)
  if name in {list(self.hangs)!r}: time.sleep(100)
  say("end", object=name, ok=True, programs=[])
say("done")"""
        return Ran(talk(loader(text), SHORT, note), "Oops" if self.kills else "", "")

    def failure(self, ran: Ran) -> Problem:
        """When nothing helps."""
        return Problem(None, f"it is over with {ran.talk.heard.busy}")


def items(names: str) -> list[Item]:
    """Objects of these names."""
    return [Item(name, "", b"", Needs()) for name in names]


def test_others_get_a_new_machine() -> None:
    """An object that kills its machine, or hangs it, is said to; the others are loaded all the same."""
    place = Machine(kills="b", hangs="d")
    found = outcomes(place, items("abcde"), lambda _: None)
    assert [found.ends[name]["ok"] for name in "abcde"] == [True, False, True, False, True]
    assert (found.ends["b"]["kind"], found.ends["d"]["kind"]) == ("crash", "timeout")
    assert "Oops" in found.ends["b"]["message"]
    assert place.runs == 3


def test_it_is_given_up() -> None:
    """A machine that dies of everything isn't tried for ever."""
    with pytest.raises(Failure, match="it is over with c"):
        outcomes(Machine(kills="abcde"), items("abcde"), lambda _: None)
