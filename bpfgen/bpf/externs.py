"""Externs: what an object expects of the kernel that loads it (libbpf's bpf_object__collect_externs)."""

from __future__ import annotations

from collections.abc import Iterator

from bpfgen.bpf.btf import Btf, Entry, Kind
from bpfgen.bpf.container import STB_LOCAL, STB_WEAK, STT_NOTYPE, Container, Symbol
from bpfgen.bpf.layout import c_name
from bpfgen.bpf.prototypes import prototype
from bpfgen.frozen import frozen

SECTIONS = {".kconfig": "kconfig", ".ksyms": "ksym"}


@frozen
class Extern:
    """One undefined symbol with a name."""

    name: str
    kind: str
    """`kconfig`, `ksym`, `kfunc`; empty where the object's BTF doesn't say, so that libbpf refuses it."""
    weak: bool
    """Whether the object loads without it."""
    type: str
    """In C, with a function's parameters; empty for a symbol of the kernel of which only the address is taken."""


def read_externs(elf: Container, btf: Btf | None) -> tuple[Extern, ...]:
    """Every extern once, in the order of the symbol table; raises Malformed."""
    known = dict(_declared(btf)) if btf is not None else {}
    symbols = {symbol.name: symbol for symbol in elf.symbols[1:] if is_extern(symbol)}
    return tuple(_extern(symbol, btf, *known.get(name, ("", None))) for name, symbol in symbols.items())


def is_extern(symbol: Symbol) -> bool:
    """libbpf's sym_is_extern: undefined, global or weak, of no type."""
    return not symbol.section and bool(symbol.name) and symbol.binding != STB_LOCAL and symbol.kind == STT_NOTYPE


def _declared(btf: Btf) -> Iterator[tuple[str, tuple[str, Entry | None]]]:
    for section, kind in SECTIONS.items():
        types = btf.data_section(section)
        for entry in btf.entries(types) if types is not None else ():
            is_function = entry.type.kind is Kind.FUNC and kind == "ksym"
            yield entry.type.name, ("kfunc" if is_function else kind, entry)


def _extern(symbol: Symbol, btf: Btf | None, kind: str, entry: Entry | None) -> Extern:
    return Extern(symbol.name, kind, symbol.binding == STB_WEAK, _type(btf, kind, entry))


def _type(btf: Btf | None, kind: str, entry: Entry | None) -> str:
    if btf is None or entry is None:
        return ""
    if kind == "kfunc":
        return prototype(btf, entry.type)
    if kind == "ksym" and btf.plain(entry.type.target).kind is Kind.VOID:
        return ""
    return c_name(btf, entry.type.target)
