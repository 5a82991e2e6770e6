"""One object on one kernel: what the rules are given, and how they say what they found."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from functools import cached_property
from typing import Optional

from bpfgen.bpf.flow import Known
from bpfgen.bpf.lines import Line
from bpfgen.bpf.resolve import Place, Resolution
from bpfgen.verdicts import guards
from bpfgen.verdicts.model import FAILS, OK, UNKNOWN, Reason
from bpfgen.verdicts.subject import Loaded, Site, Subject
from bpfgen.verdicts.target import Answer, Target


class Case:
    """An object, and the kernel that it is judged for."""

    def __init__(self, subject: Subject, target: Target) -> None:
        self.subject, self.target = subject, target
        self._live: dict[tuple[str, bool], frozenset[Place]] = {}

    @cached_property
    def resolutions(self) -> Mapping[Place, Resolution]:
        """What becomes of the CO-RE relocations of all that is loaded; none where the kernel's types aren't known."""
        if self.target.types is None or not self.subject.found.relocations:
            return {}
        return self.subject.resolver.resolve(self.target.types, frozenset(each.name for each in self.subject.left))

    def live(self, program: Loaded, sites: Iterable[Site]) -> Optional[Site]:
        """The first of these instructions that the kernel's verifier comes to; None where guards save all of them."""
        return _first(sites, self._reached(program))

    def _reached(self, program: Loaded, denied: bool = False) -> frozenset[Place]:
        """The instructions that the verifier comes to; only looked for where something is missing. `denied`: if the
        kernel had nothing that the program asks for.
        """
        if not program.functions:  # a symbol without code
            return frozenset()
        key = (program.name, denied)
        if key not in self._live:
            answers = guards.denied(self.subject.found.relocations) if denied else self.resolutions
            self._live[key] = self.subject.flow.live(program.functions[0], answers, self._known)
        return self._live[key]

    def _is_asked_first(self, program: Loaded, sites: Iterable[Site]) -> bool:
        """Whether these instructions are behind questions that only types answer which aren't known."""
        if self.target.types is not None or not self.subject.found.relocations:
            return False
        return _first(sites, self._reached(program, denied=True)) is None

    @cached_property
    def _known(self) -> Known:
        """What guards ask for beside types."""
        return guards.known(self.subject, self.target)

    def missing(
        self,
        answer: Answer,
        kind: str,
        name: str,
        what: str,
        program: Optional[Loaded] = None,
        sites: Iterable[Site] = (),
        soft: bool = False,
    ) -> Optional[Reason]:
        """What an answer makes of a need; None where the kernel has it. `what` says it in words: `the helper bpf_loop`.

        A soft need counts only where the verifier comes to one of its instructions.
        """
        if answer.has:
            return None
        sites = tuple(sites)
        site = self.live(program, sites) if soft and program is not None else next(iter(sites), None)
        line = self._line(program, site or next(iter(sites), None))
        where = program.name if program is not None else ""
        if soft and sites and site is None:
            message = f"the kernel {_lacks(answer)} {what}, but doesn't come to it"
            return Reason(OK, kind, name, message, where, line, answer.source)
        message = f"the kernel {_lacks(answer)} {what}{answer.lately}"
        verdict = UNKNOWN if answer.has is None else FAILS
        if soft and program is not None and self._is_asked_first(program, sites):
            verdict, message = UNKNOWN, f"{message}; whether it comes to it, its types would tell"
        return Reason(verdict, kind, name, message, where, line, answer.source)

    def reason(
        self,
        verdict: str,
        kind: str,
        name: str,
        message: str,
        program: Optional[Loaded] = None,
        site: Optional[Site] = None,
        source: str = "",
    ) -> Reason:
        """A reason of any other kind."""
        where = program.name if program is not None else ""
        return Reason(verdict, kind, name, message, where, self._line(program, site), source)

    def _line(self, program: Optional[Loaded], site: Optional[Site]) -> Optional[Line]:
        """Of an instruction, else of the program's first one."""
        if site is None and program is not None and program.functions:
            site = (program.functions[0], program.functions[0].start)
        return self.subject.line(site) if site is not None else None


def _first(sites: Iterable[Site], reached: Container[Place]) -> Optional[Site]:
    return next((site for site in sites if (site[0].section, site[1]) in reached), None)


def _lacks(answer: Answer) -> str:
    return "may lack" if answer.has is None else "lacks"
