"""The compiler of an image: asked once for each image, in a container of it, by the questions of `toolchain`."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Optional

from bpfgen.builders import Gone, Unavailable, engine, image, sysroot
from bpfgen.builders.session import begin
from bpfgen.builders.settings import Settings
from bpfgen.config.checkbuilder import image_of
from bpfgen.config.report import Report
from bpfgen.config.schema import Config, Image
from bpfgen.errors import describe
from bpfgen.quote import shell_word
from bpfgen.toolchain import QUESTIONS, Cache, Clang, choose, described, names_in_shell, wheel_file

MARK = "@@bpfgen "
HEADERS = "/usr/include"
Result = tuple[Optional[Clang], Optional[Settings], Optional[frozenset[str]]]


def find(root: str, config: Config, cache: Cache, report: Report) -> Result:
    """The compiler, its container, and the folders there that have `asm/types.h`; with problems reported."""
    kind, wanted = image_of(config)
    assert wanted is not None  # config.checkbuilder has seen to it
    out = config.project.out.rstrip("/")
    os.makedirs(os.path.join(root, out), exist_ok=True)  # what is mounted must be there
    try:
        key = f"{kind} address"
        if kind == "docker" or key not in cache:  # podman's is a program, which stays where it is
            cache[key] = engine(kind).find()
        asked = (kind, cache[key], wanted)
        try:
            return _described(root, config, asked, cache, report)
        except Gone:  # since an earlier run
            image.forget(kind, cache)
            return _described(root, config, asked, cache, report)
    except (Unavailable, OSError, tarfile.TarError) as error:
        text = describe(error) if isinstance(error, OSError) else str(error)
        message, _, hint = text.partition("\n  hint: ")
        report.add(("builder", "kind"), message, hint)
        return None, None, None


def _described(root: str, config: Config, wanted: tuple[str, str, Image], cache: Cache, report: Report) -> Result:
    """As `find`, by the engine, its address and the image; raises Unavailable, OSError, tarfile.TarError."""
    kind, address, _ = wanted
    found = image.find(root, *wanted, cache)
    key = f"{kind} {found.id} {config.toolchain.clang}"
    settings = _settings(root, config, kind, address, found.id)
    answers = cache.get(key)
    if answers is None or set(answers) != {"user", "headers", "clangs"}:
        answers = _ask(settings, config.toolchain.clang)
    settings = replace(settings, user=answers["user"])
    clang = choose(_clangs(answers["clangs"], found), config, report)
    if clang is None:
        return None, None, None
    if not os.path.isdir(os.path.join(root, settings.sysroot)):
        _export(settings, clang)
    cache[key] = answers
    cache[f"build of {clang.identity}"] = found.id
    return clang, settings, frozenset(answers["headers"])


def _settings(root: str, config: Config, kind: str, address: str, image_id: str) -> Settings:
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    wheel = wheel_file("lib", "libc", "include")
    writable = [os.path.join(root, config.project.out.rstrip("/"))]
    readable = [root, os.path.join(package, "clang"), *([wheel] if wheel and os.path.isdir(wheel) else [])]
    readable += [path for path in _outside(root, config) if os.path.exists(path)]
    name = image_id.rpartition(":")[2][:12]
    return Settings(
        kind=kind,
        engine=address,
        image=image_id,
        root=root,
        readable=tuple(dict.fromkeys(readable)),
        writable=tuple(writable),
        user="",
        sysroot=f"{config.project.out.rstrip('/')}/sysroot/{name}",
    )


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


def _ask(settings: Settings, wanted: str) -> dict[str, Any]:
    rootless = engine(settings.kind).is_rootless(settings.engine)
    user = "" if rootless else f"{os.getuid()}:{os.getgid()}"
    said = _output(replace(settings, user=user), _questions(settings.root, wanted)).decode(errors="replace")
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
        raise Unavailable(f"the image has no usable shell: {said.strip() or 'it says nothing'}")
    return {"user": user, "headers": headers, "clangs": clangs}


def _questions(root: str, wanted: str) -> str:
    names = names_in_shell(root, wanted)
    lines = [f"echo '{MARK}headers'; ls -d /usr/include/*/asm/types.h /usr/*/include/asm/types.h 2>/dev/null"]
    lines.append(f'for name in {names}; do clang=$(command -v "$name") || continue; echo "{MARK}clang"; echo "$clang"')
    for name, flags in QUESTIONS.items():
        if name != "libraries":  # the image's id stands for them
            lines.append(f'echo; echo "{MARK}{name}"; "$clang" {" ".join(map(shell_word, flags))} 2>&1')
    return "\n".join([*lines, "done", f"echo; echo '{MARK}end'"])


def _output(settings: Settings, script: str) -> bytes:
    """What a script writes in a container that is there for it alone."""
    stream = begin(settings, script)
    data = bytearray()
    try:
        while more := stream.receive():
            data += more
    finally:
        stream.close()
    return bytes(data)


def _clangs(answers: list[Mapping[str, str]], found: image.Found) -> Iterator[Clang]:
    for answer in answers:
        identity = f"{found.id} {answer['command']}"
        yield from described(answer, "system", (answer["command"],), (), identity, found.watch)


def _export(settings: Settings, clang: Clang) -> None:
    folders = dict.fromkeys((*clang.include, HEADERS))
    target = os.path.join(settings.root, settings.sysroot)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    sysroot.unpack(_output(settings, sysroot.export_script(folders)), target)
