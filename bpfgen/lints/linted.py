"""Units that were built → findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from bpfgen.bpf.elf import unsound
from bpfgen.bpf.malformed import Malformed
from bpfgen.compile import layout_of
from bpfgen.errors import Location
from bpfgen.findings.places import top
from bpfgen.findings.policy import ACCEPTED
from bpfgen.frozen import frozen
from bpfgen.host import Host
from bpfgen.lints import LINTS
from bpfgen.lints.case import Case
from bpfgen.lints.model import LEVELS, Finding, Found, lints
from bpfgen.lints.silence import by_comment, by_table
from bpfgen.lints.tree import Tree
from bpfgen.matrix import Unit
from bpfgen.project import Project
from bpfgen.verdicts.subject import CILIUM, Subject

HOST = ("/usr/include", ".")
"""Folders with a label that aren't the toolchain's (see `host.Host.labels`)."""


@frozen
class Linted:
    """What there is to show."""

    findings: tuple[Finding, ...]
    """The worst first, then by place."""
    objects: int
    """How many were looked at."""
    unused: tuple[int, ...]
    """Those of `lint.allow` that accept nothing, by index; only where all units are looked at."""

    @property
    def is_ok(self) -> bool:
        """Whether there is no error."""
        return not any(finding.is_error for finding in self.findings)


def linted(project: Project, host: Host, units: Sequence[Unit], reads: Mapping[str, Sequence[str]]) -> Linted:
    """All lints of units whose objects are built; the project's folder is the current one. `reads` has the files that
    made each output of a compile. Raises `Failure` where an object is damaged, OSError where one isn't there.
    """
    found: dict[Finding, tuple[list[str], list[str]]] = {}
    used: set[int] = set()
    tree = _tree(project, host)
    for unit in units:
        for key in _unit(project, host, unit, reads, tree, used):
            programs, objects = found.setdefault(key, ([], []))
            programs.append(unit.program)
            objects.append(unit.id)
    merged = (_merged(key, *names) for key, names in found.items())
    count = len(project.config.lint.allow) if len(units) == len(project.units) else 0
    return Linted(tuple(sorted(merged, key=_rank)), len(units), tuple(sorted(set(range(count)) - used)))


def _tree(project: Project, host: Host) -> Tree:
    toolchain = [folder for folder, _label in host.labels if folder not in HOST]
    # With a builder, what isn't the project's is of the image, which is the same everywhere.
    return Tree(
        project.root,
        top(project.root),
        layout_of(project.config).out,
        (*toolchain, host.clang.resources, *(("/",) if host.builder else ())),
    )


def _merged(key: Finding, programs: Iterable[str], objects: Iterable[str]) -> Finding:
    names = tuple(dict.fromkeys(programs)), tuple(dict.fromkeys(objects))
    return Finding(key.code, key.level, key.message, key.place, *names, accepted=key.accepted)


def _rank(finding: Finding) -> tuple[int, str, int, int, str, str]:
    place = finding.place
    return LEVELS.index(finding.level), place.file, place.line, place.column, finding.code, finding.message


def _unit(
    project: Project, host: Host, unit: Unit, reads: Mapping[str, Sequence[str]], tree: Tree, used: set[int]
) -> Iterator[Finding]:
    """Findings of a unit, without its name: others may have the same."""
    layout = layout_of(project.config)
    path = layout.object(unit)
    files = [name for part in layout.parts(unit) for name in reads.get(part, ())]
    own = [name for name in dict.fromkeys((*unit.files, *files)) if not name.startswith(host.package)]
    try:
        case = Case(unit, Subject(Path(path).read_bytes(), CILIUM), own, tree, project.config, project.document.where)
        found = [(code, each) for code, lint in LINTS.items() for each in lint(case)]
    except Malformed as error:
        raise unsound(error, path) from None
    for code, each in found:
        if not by_comment(code, each.place, unit.files[0], tree):
            yield _finding(project, unit, code, each, used)


def _finding(project: Project, unit: Unit, code: str, found: Found, used: set[int]) -> Finding:
    tables = project.config.lint.allow
    index = by_table(code, unit.program, tables)
    place = found.place or Location(unit.files[0])
    if index is None:
        return Finding(code, lints()[code].level, found.message, place, (), ())
    used.add(index)
    return Finding(code, ACCEPTED, found.message, place, (), (), tables[index].reason)
