"""Programs and subprograms: the functions in executable sections, and what `SEC()` makes of them."""

from __future__ import annotations

from bpfgen.bpf.container import STT_FUNC, Container, Section, Symbol
from bpfgen.bpf.info import ProgramInfo
from bpfgen.bpf.insns import INSTRUCTION_SIZE
from bpfgen.bpf.malformed import Malformed
from bpfgen.catalog import table
from bpfgen.frozen import frozen

SUBPROGRAMS = ".text"


@frozen
class SectionRule:
    """What a section's name says of its programs: a row of `catalog/sections.toml`."""

    type: str
    """`enum bpf_prog_type` in lower case; `unspec` where no rule matches."""
    attach_type: str = ""
    """`enum bpf_attach_type` in lower case; empty where none is expected."""
    flags: frozenset[str] = frozenset()
    attach_to: str = ""
    """What follows the first `/`, where the rule allows that: a function, a tracepoint, a file and symbol, …"""


def section_rule(section: str) -> SectionRule:
    """The rule for a section's name without its `?`.

    A rule `name+` stands for `name` and `name/…`, another one for its name alone (libbpf's sec_def_matches).
    """
    rules = table("sections")
    prefix, _, target = section.partition("/")
    if section in rules:
        row, target = rules[section], ""
    else:
        row = rules.get(f"{prefix}+", ["unspec"])
    return SectionRule(row[0], row[1] if len(row) > 1 else "", frozenset(row[2:]), target)


def program_type(section: str) -> str:
    """The program type of a section's name without its `?` (`kprobe/do_exit` → `kprobe`), or `unspec`."""
    return section_rule(section).type


def read_programs(elf: Container) -> tuple[tuple[ProgramInfo, ...], tuple[ProgramInfo, ...]]:
    """Programs and subprograms, each by section and place in it; raises Malformed."""
    programs: list[ProgramInfo] = []
    subprograms: list[ProgramInfo] = []
    for symbol, section in functions(elf):
        where = subprograms if section.name == SUBPROGRAMS else programs
        where.append(_program(symbol, section))
    return tuple(programs), tuple(subprograms)


def functions(elf: Container) -> list[tuple[Symbol, Section]]:
    """The functions in executable sections, by section and place in it; raises Malformed."""
    found = []
    symbols = [symbol for symbol in elf.symbols if symbol.kind == STT_FUNC]
    for symbol in sorted(symbols, key=lambda symbol: (symbol.section, symbol.value)):
        section = elf.section_of(symbol)
        if section is not None and section.executable:
            _check(symbol, section)
            found.append((symbol, section))
    return found


def _check(symbol: Symbol, section: Section) -> None:
    if not symbol.name or symbol.value % INSTRUCTION_SIZE or symbol.size % INSTRUCTION_SIZE:
        raise Malformed(f"the function {symbol.name!r} in {section.name} is no run of whole instructions")
    if symbol.value + symbol.size > len(section.data):
        raise Malformed(f"the function {symbol.name} ends beyond its section {section.name}")


def _program(symbol: Symbol, section: Section) -> ProgramInfo:
    name = section.name.removeprefix("?")
    rule = section_rule(name)
    return ProgramInfo(
        name=symbol.name,
        section=name,
        type=rule.type,
        instructions=symbol.size // INSTRUCTION_SIZE,
        attach_type=rule.attach_type,
        attach_to=rule.attach_to,
        sleepable="sleepable" in rule.flags,
        autoload=name == section.name,
    )
