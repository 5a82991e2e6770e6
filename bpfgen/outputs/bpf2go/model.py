"""One object → what its bindings declare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bpfgen.bpf.btf import Btf
from bpfgen.bpf.container import Container, read_container
from bpfgen.bpf.malformed import Malformed
from bpfgen.bpf.maps import read_maps
from bpfgen.bpf.maptypes import read_map_types
from bpfgen.bpf.programs import read_programs
from bpfgen.bpf.variables import Variable, read_variables
from bpfgen.errors import Failure, Location, Problem
from bpfgen.frozen import frozen
from bpfgen.outputs.bpf2go.collect import Chosen, global_types, wanted
from bpfgen.outputs.bpf2go.gotypes import GoType, names_in
from bpfgen.outputs.bpf2go.identifiers import identifier, is_name
from bpfgen.outputs.bpf2go.layout import Layouts, Unsupported
from bpfgen.outputs.bpf2go.levels import Level

_UNUSED = "clang leaves out what the program doesn't use; a pointer to it is no use either"
_LEFT_OUT = "write  global_types = false  in the program's go table, and name under  types  what is needed"


@frozen
class Options:
    """What the user says about one program's bindings."""

    stem: str
    types: tuple[str, ...]
    """C types to declare besides the global ones."""
    global_types: bool


@frozen
class Declaration:
    """A Go type."""

    name: str
    type: GoType
    constants: tuple[tuple[str, int], ...]
    """Of an enum: Go names and values, in the order of C."""


@frozen
class Model:
    """What one file of bindings declares; names are C's, sorted."""

    maps: tuple[str, ...]
    programs: tuple[str, ...]
    variables: tuple[str, ...]
    types: tuple[Declaration, ...]
    """By their Go names."""


def read_model(data: bytes, path: str, options: Options, level: Level) -> Model:
    """Reads the object of these bytes; raises `Failure` with every type that can't be declared, and where the object
    is damaged. `path` is the file that messages point to.
    """
    try:
        elf = read_container(data)
        types = elf.section(".BTF")
        btf = Btf(types.data) if types is not None else None
        return _model(elf, btf, path, options, level)
    except Malformed as error:
        raise Failure([Problem(Location(path), f"no sound BPF object: {error}")]) from error


def common(models: Sequence[Model]) -> Model:
    """What all of them have: names, and types that are the same in each, down to those that they refer to."""
    first, *others = models
    if not others:
        return first
    types = [each for each in first.types if all(each in model.types for model in others)]
    gone = {each.name for each in first.types} - {each.name for each in types}
    while lost := {each.name for each in types if gone & set(names_in(each.type))}:
        types = [each for each in types if each.name not in lost]
        gone |= lost
    return Model(
        maps=tuple(name for name in first.maps if all(name in model.maps for model in others)),
        programs=tuple(name for name in first.programs if all(name in model.programs for model in others)),
        variables=tuple(name for name in first.variables if all(name in model.variables for model in others)),
        types=tuple(types),
    )


def _model(elf: Container, btf: Btf | None, path: str, options: Options, level: Level) -> Model:
    maps = [each for each in read_maps(elf, btf) if not each.name.startswith(".")]
    if not level.struct_ops:
        maps = [each for each in maps if each.type != "struct_ops"]
    variables = read_variables(elf, btf)
    names = {
        "map": tuple(sorted(each.name for each in maps)),
        "program": tuple(sorted(each.name for each in read_programs(elf)[0])),
        "variable": tuple(sorted(each.name for each in variables)),
    }
    problems = [
        Problem(Location(path), f"the {kind} {name} has no name in Go", "rename it")
        for kind, found in names.items()
        for name in found
        if not is_name(identifier(name))
    ]
    types = _types(btf, names["map"], variables, path, options, level, problems) if btf is not None else ()
    if problems:
        raise Failure(problems)
    return Model(names["map"], names["program"], names["variable"], types)


def _types(
    btf: Btf,
    maps: Sequence[str],
    variables: Sequence[Variable],
    path: str,
    options: Options,
    level: Level,
    problems: list[Problem],
) -> tuple[Declaration, ...]:
    chosen, missing = wanted(btf, options.types)
    problems += [Problem(Location(path), f'there is no C type "{name}" in it', _UNUSED) for name in missing]
    if options.global_types:
        of_maps = {name: types for name, types in read_map_types(btf).items() if name in maps}
        chosen = {**global_types(btf, of_maps, variables), **chosen}
    named = _named(chosen.values(), options.stem, path, problems)
    shared = {each.type: name for name, each in named.items() if each.shared}
    declarations = []
    for name, each in sorted(named.items()):
        layouts = Layouts(btf, shared if each.shared else {}, host_layout=level.host_layout)
        try:
            declarations.append(_declaration(name, each, layouts))
        except Unsupported as error:
            problems.append(Problem(Location(path), f'the C type "{each.name}" {error}: Go can\'t have it', _LEFT_OUT))
    return tuple(declarations)


def _named(chosen: Iterable[Chosen], stem: str, path: str, problems: list[Problem]) -> dict[str, Chosen]:
    """Types by their Go names, which must not be those of others."""
    named: dict[str, Chosen] = {}
    for each in chosen:
        name = stem + identifier(each.name)
        other = named.setdefault(name, each)
        if other.type != each.type:
            message = f'the C types "{other.name}" and "{each.name}" would both be {name} in Go'
            problems.append(Problem(Location(path), message, "rename one of them"))
    return named


def _declaration(name: str, chosen: Chosen, layouts: Layouts) -> Declaration:
    constants = ((name + identifier(value), number) for value, number in layouts.constants(chosen.type))
    return Declaration(name, layouts.declared(chosen.type), tuple(constants))
