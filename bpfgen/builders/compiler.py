"""The compiler of a builder: asked once for each image, or state of a machine, by the questions of `toolchain`."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Optional

from bpfgen.builders import MACHINES, Gone, Unavailable, image, sysroot
from bpfgen.builders.settings import Settings
from bpfgen.config.checkbuilder import kind_of
from bpfgen.config.report import Report
from bpfgen.config.schema import Config
from bpfgen.errors import describe
from bpfgen.frozen import frozen
from bpfgen.quote import shell_word
from bpfgen.toolchain import QUESTIONS, Cache, Clang, choose, described, names_in_shell, wheel_file

MARK = "@@bpfgen "
HEADERS = "/usr/include"
Result = tuple[Optional[Clang], Optional[Settings], Optional[frozenset[str]]]
Ask = Callable[[str], bytes]
"""What a script prints in the builder; raises Unavailable."""


@frozen
class Place:
    """A builder, and what it said of its compilers."""

    settings: Settings
    identity: str
    """What tells its compilers from others."""
    watch: tuple[str, ...]
    """Files that say that it must be asked again."""
    answers: Mapping[str, Any]
    """Those of `ask`, at least."""
    output: Ask


def find(root: str, config: Config, cache: Cache, report: Report) -> Result:
    """The compiler, its builder, and the folders there that have `asm/types.h`; with problems reported."""
    try:
        try:
            return _found(root, config, cache, report)
        except Gone:  # since an earlier run
            image.forget(kind_of(config), cache)
            return _found(root, config, cache, report)
    except (Unavailable, OSError, tarfile.TarError) as error:
        text = describe(error) if isinstance(error, OSError) else str(error)
        message, _, hint = text.partition("\n  hint: ")
        report.add(("builder", "kind"), message, hint)
        return None, None, None


def _found(root: str, config: Config, cache: Cache, report: Report) -> Result:
    """As `find`; raises Unavailable, OSError, tarfile.TarError."""
    from bpfgen.builders import containers, remote

    kind = kind_of(config)
    place = remote.find(root, config, kind, cache) if kind in MACHINES else containers.find(root, config, cache)
    clang = choose(_clangs(place), config, report)
    if clang is None:
        return None, None, None
    if place.settings.remote:
        place = remote.chosen(place, clang)
    if not os.path.isdir(os.path.join(root, place.settings.sysroot)):
        _export(place, clang)
    cache[f"build of {clang.identity}"] = place.identity
    return clang, place.settings, frozenset(place.answers["headers"])


def shared(root: str, config: Config) -> tuple[str, ...]:
    """Absolute folders and files that a compile can name: the project, bpfgen's own, and what is outside."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    wheel = wheel_file("lib", "libc", "include")
    readable = [root, os.path.join(package, "clang"), *([wheel] if wheel and os.path.isdir(wheel) else [])]
    readable += [path for path in _outside(root, config) if os.path.exists(path)]
    return tuple(dict.fromkeys(readable))


def _outside(root: str, config: Config) -> Iterator[str]:
    """Folders of headers, and sources, that `build.toml` names outside the project."""
    named = [*config.compile.include]
    for program in config.program.values():
        named += [*program.include, *program.sources, *([program.source] if program.source else [])]
        named += [folder for variant in program.variants.values() for folder in variant.include]
    for name in named:
        path = os.path.normpath(os.path.join(root, name))
        for place in (path, os.path.realpath(path)):
            if not place.startswith(f"{root}/") and place != root:
                yield place


def ask(output: Ask, root: str, wanted: str, what: str) -> dict[str, Any]:
    """What compilers say, and which folders have headers of architectures: `{"headers": […], "clangs": [{…}, …]}`.

    `what` is asked, for people. Raises Unavailable.
    """
    said = output(_questions(root, wanted)).decode(errors="replace")
    parts = [part.partition("\n")[::2] for part in said.split(MARK)[1:]]
    headers, clangs = [], []
    for name, text in parts:
        if name == "headers":
            headers = [os.path.dirname(os.path.dirname(path)) for path in text.split()]
        elif name == "clang":
            clangs.append({"command": text.strip()})
        elif name != "end":
            clangs[-1][name] = text.strip()
    if not parts or parts[-1][0] != "end":
        raise Unavailable(f"{what} has no usable shell: {said.strip() or 'it says nothing'}")
    return {"headers": headers, "clangs": clangs}


def _questions(root: str, wanted: str) -> str:
    lines = [f"echo '{MARK}headers'; ls -d /usr/include/*/asm/types.h /usr/*/include/asm/types.h 2>/dev/null"]
    lines.append(f"for name in {names_in_shell(root, wanted)}; do")
    lines.append(f'clang=$(command -v "$name") || continue; echo "{MARK}clang"; echo "$clang"')
    for name, flags in QUESTIONS.items():
        if name != "libraries":  # the image's id, or the compiler's stamp, stands for them
            lines.append(f'echo; echo "{MARK}{name}"; "$clang" {" ".join(map(shell_word, flags))} 2>&1')
    return "\n".join([*lines, "done", f"echo; echo '{MARK}end'"])


def _clangs(place: Place) -> Iterator[Clang]:
    for answer in place.answers["clangs"]:
        identity = f"{place.identity} {answer['command']}"
        yield from described(answer, "system", (answer["command"],), (), identity, place.watch)


def _export(place: Place, clang: Clang) -> None:
    folders = dict.fromkeys((*clang.include, HEADERS))
    target = os.path.join(place.settings.root, place.settings.sysroot)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    sysroot.unpack(place.output(sysroot.export_script(folders)), target)
