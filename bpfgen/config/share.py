"""Many programs → what they have in common, said once. Pure."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Optional, TypeVar

from bpfgen.config.schema import Compile, Config, Go, Program, ProgramGo, Targets

T = TypeVar("T")


def common(values: Iterable[T]) -> T:
    """The value that most have; the first of several."""
    return Counter(values).most_common(1)[0][0]


def share(config: Config) -> Config:
    """The same units, with what programs have in common said once.

    What a program overrides is that of most; what it adds to only where it is the same in all.
    """
    programs = list(config.program.values())
    top = Compile(
        cflags=_of_all([program.cflags for program in programs]) or (),
        include=_of_all([program.include for program in programs]) or (),
        define=_of_all([program.define for program in programs]) or {},
        mcpu=common(program.mcpu for program in programs),
        strip=common(program.strip for program in programs) is not False,
    )
    names = common(program.arches for program in programs)
    go = _go(config)
    return dataclasses.replace(
        config,
        compile=top,
        targets=Targets(arches=names or ()),
        program={key: _own(program, top, names, go) for key, program in config.program.items()},
        go=go,
    )


def _go(config: Config) -> Optional[Go]:
    """`[go]` with what the programs' Go files have in common."""
    files = [program.go for program in config.program.values() if program.go]
    if config.go is None or not files:
        return config.go
    folders = {go.dir for go in files}
    tags = common(go.tags for go in files)
    return dataclasses.replace(
        config.go,
        package=common(go.package for go in files) or config.go.package,
        tags=tags or (),
        dir=files[0].dir if len(folders) == 1 else None,
    )


def _of_all(values: Sequence[T]) -> Optional[T]:
    return values[0] if all(value == values[0] for value in values) else None


def _own(program: Program, top: Compile, names: Optional[tuple[str, ...]], go: Optional[Go]) -> Program:
    """What a program says beyond `top`, `targets.arches` and `go`."""
    return dataclasses.replace(
        program,
        arches=None if program.arches == names else program.arches,
        cflags=() if program.cflags == top.cflags else program.cflags,
        include=() if program.include == top.include else program.include,
        define={} if program.define == top.define else program.define,
        mcpu=None if program.mcpu == top.mcpu else program.mcpu,
        strip=None if program.strip == top.strip else program.strip,
        go=_own_go(program.go, go) if go else program.go,
    )


def _own_go(own: Optional[ProgramGo], go: Go) -> ProgramGo:
    own = own or ProgramGo()
    return dataclasses.replace(
        own,
        package=None if own.package == go.package else own.package,
        tags=None if own.tags == go.tags else own.tags,
        dir=None if own.dir == go.dir else own.dir,
    )
