"""Programs and subprograms: the functions in executable sections, and what `SEC()` makes of them."""

from __future__ import annotations

from functools import cache

from bpfgen.bpf.container import STT_FUNC, Container, Section, Symbol
from bpfgen.bpf.info import ProgramInfo
from bpfgen.bpf.malformed import Malformed
from bpfgen.catalog import table

INSTRUCTION_SIZE = 8
SUBPROGRAMS = ".text"


def program_type(section: str) -> str:
    """The program type of a section name without its `?` (`kprobe/do_exit` → `kprobe`), or `unspec`.

    A rule `name+` stands for `name` and `name/…`, another one for its name alone (libbpf's sec_def_matches).
    """
    rules = _rules()
    prefix = section.partition("/")[0]
    return rules.get(section) or rules.get(f"{prefix}+") or "unspec"


@cache
def _rules() -> dict[str, str]:
    return {name: kind for kind, names in table("sections").items() for name in names}


def read_programs(elf: Container) -> tuple[tuple[ProgramInfo, ...], tuple[ProgramInfo, ...]]:
    """Programs and subprograms, each by section and place in it; raises Malformed."""
    programs: list[ProgramInfo] = []
    subprograms: list[ProgramInfo] = []
    functions = [symbol for symbol in elf.symbols if symbol.kind == STT_FUNC]
    for symbol in sorted(functions, key=lambda symbol: (symbol.section, symbol.value)):
        section = elf.section_of(symbol)
        if section is None or not section.executable:
            continue
        where = subprograms if section.name == SUBPROGRAMS else programs
        where.append(_program(symbol, section))
    return tuple(programs), tuple(subprograms)


def _program(symbol: Symbol, section: Section) -> ProgramInfo:
    if not symbol.name or symbol.value % INSTRUCTION_SIZE or symbol.size % INSTRUCTION_SIZE:
        raise Malformed(f"the function {symbol.name!r} in {section.name} is no run of whole instructions")
    if symbol.value + symbol.size > len(section.data):
        raise Malformed(f"the function {symbol.name} ends beyond its section {section.name}")
    name = section.name.removeprefix("?")
    return ProgramInfo(symbol.name, name, program_type(name), symbol.size // INSTRUCTION_SIZE)
