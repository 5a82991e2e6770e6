"""What a loader said of an object, with what build.toml says of it → `Verified`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Optional

from bpfgen.verify.classify import CRASH, DESCRIPTION, OTHER, TIMEOUT, Refusal, classify
from bpfgen.verify.job import Needs
from bpfgen.verify.model import ACCEPTED, FAILS, OK, UNDESCRIBED, Count, Program, Verified
from bpfgen.verify.protocol import Event

COUNTS = re.compile(r"processed (\d+) insns .*total_states (\d+) peak_states (\d+)")
"""The last line of a verifier's log (kernel/bpf/verifier.c, `print_verification_stats`)."""


def judge(said: Event, needs: Needs, kernel: str) -> Verified:
    """The verdict on an object, out of the `end` that the loader said of it, or of `dead`."""
    programs = tuple(_program(each, needs) for each in said.get("programs") or ())
    message = str(said.get("message", ""))
    refusal = None if said.get("ok") else _refusal(said, programs, message)
    why = needs.accept.get(kernel, "")
    return Verified(
        object=str(said["object"]),
        verdict=_verdict(refusal, why),
        programs=programs,
        refusal=refusal,
        message=message if refusal else "",
        accepted=why if refusal else "",
        assumed=tuple(sorted((said.get("assumed") or {}).items())),
        unneeded=bool(why) and refusal is None,
    )


def dead(name: str, kind: str, text: str) -> Event:
    """What is said of an object that the loader didn't: `CRASH` or `TIMEOUT` where the machine didn't survive it,
    `DESCRIPTION` where it wasn't tried.
    """
    return {"event": "end", "object": name, "ok": False, "kind": kind, "message": text, "programs": []}


def _verdict(refusal: Optional[Refusal], accepted: str) -> str:
    if refusal is None:
        return OK
    if accepted:
        return ACCEPTED
    return UNDESCRIBED if refusal.kind == DESCRIPTION else FAILS


def _refusal(said: Event, programs: Sequence[Program], message: str) -> Optional[Refusal]:
    """Why the object isn't loaded; None where only programs are refused that may be."""
    if said.get("kind") in (CRASH, TIMEOUT, DESCRIPTION):
        return Refusal(str(said["kind"]), message)
    refused = [each for each in programs if each.verdict in (FAILS, UNDESCRIBED)]
    needed = [each for each in refused if not each.optional]
    if needed:
        # What is only undescribed stands behind what a kernel refuses.
        return min(needed, key=lambda each: each.verdict != FAILS).refusal
    if refused and any(each.verdict == OK for each in programs):
        return None
    if refused:
        return refused[0].refusal
    found = classify(message, ())
    if programs:  # each of them loads alone
        return Refusal(found.kind, f"no program is refused alone, and all of them are together: {found.text}")
    return found if found.kind != OTHER else Refusal("object", found.text)


def _program(said: dict[str, Any], needs: Needs) -> Program:
    log = tuple(map(str, said.get("log") or ()))
    name, good = str(said["name"]), bool(said.get("ok"))
    refusal = None if good else classify(str(said.get("message", "")), log)
    verdict = OK if refusal is None else UNDESCRIBED if refusal.kind == DESCRIPTION else FAILS
    return Program(
        name=name,
        section=str(said.get("section", "")),
        verdict="" if said.get("skipped") else verdict,
        optional=name in needs.optional,
        refusal=None if said.get("skipped") else refusal,
        log=() if good else log,
        count=_count(log),
    )


def _count(log: Iterable[str]) -> Optional[Count]:
    for line in log:
        found = COUNTS.search(line)
        if found:
            return Count(*map(int, found.groups()))
    return None
