"""Finds what runs the compiler (ccache, sccache, …) and says how it must be set up to serve every checkout.

Another launcher that needs setting up is one row of `LAUNCHERS`.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from typing import Optional

from bpfgen.buildid import fingerprint
from bpfgen.cc.lean import hidden, without_dwarf
from bpfgen.config.report import Report
from bpfgen.config.schema import Config
from bpfgen.frozen import frozen
from bpfgen.quote import shell_word
from bpfgen.toolchain import Cache, Clang

Environment = tuple[tuple[str, str], ...]
"""`NAME OTHERS…` and a value: the variable NAME gets it, unless the user has set one of the names (see `unset`)."""
Labels = tuple[tuple[str, str], ...]
"""Folders, and what they are called in an object (see `Host.labels`)."""


@frozen
class Use:
    """What a launcher is to be set up for."""

    root: str
    """The project's absolute path."""
    remote: Optional[str]
    """`[cache] remote`"""
    compiler: str
    """The compiler and its build, in words that are the same on every host that has it."""
    log: str
    """Where the launcher may note what it did."""
    configured: frozenset[str]
    """Names of ccache's settings that its own files have, which count more."""


STATSLOG, COMPILER, LAUNCHER = "cache.log", "clang", "launcher"
"""Notes: what ccache did, for `bpfgen cache`; the compiler as one word; the launcher as one that sets itself up."""
STATSLOG_BYTES = 4_000_000
"""Some 30,000 compiles, which take `bpfgen cache` a tenth of a second to read: a longer log begins anew."""


@frozen
class Launcher:
    """What stands before the compiler's own words."""

    name: str
    """`ccache`, `sccache`, `none`, or the command of another one."""
    command: tuple[str, ...] = ()
    environment: Environment = ()
    words: tuple[str, ...] = ()
    """What an edge has of it: `command`, or the script that `setup` is."""
    setup: str = ""
    """The text of a script that sets `environment` and is `command` then; empty where there is nothing to set."""
    script: str = ""
    """The text of a script that stands for the compiler behind a launcher; empty where none is needed."""
    outside: bool = False
    """It runs our driver, as a compiler that reduces headers and strips, instead of being run by it: then on a hit no
    Python starts. For caches that ask the compiler for nothing but compiles."""
    scripted: bool = False
    """Whether the script has the flags of `prefix_maps`, and those that leave DWARF out (`cc.lean`)."""
    watch: tuple[str, ...] = ()
    """Files that say that the launcher must be looked for again."""


def find_launcher(
    root: str, config: Config, clang: Clang, driver: str, labels: Labels, cache: Cache, report: Report
) -> Launcher:
    """The launcher that `[cache]` asks for; reports one that isn't there. `driver` tells our own code from others."""
    wanted = config.cache.launcher
    # Not sccache: it starts a server that outlives the build, and preprocesses even what it has.
    words = ("ccache",) if wanted == "auto" else (wanted,) if isinstance(wanted, str) else wanted
    if words == ("none",):
        return Launcher("none")
    path = shutil.which(words[0] if "/" not in words[0] else os.path.join(root, words[0]))
    if path is not None:
        compiler = f"{clang.text} {build_of(clang, cache)}"
        return _described(root, config, clang, (compiler, driver), labels, (path, *words[1:]))
    if wanted != "auto":
        hint = 'install it, or write  launcher = "auto"  to use ccache where it is installed'
        report.add(("cache", "launcher"), f'there is no launcher "{words[0]}"', hint)
    return Launcher("none")


def _described(
    root: str, config: Config, clang: Clang, identity: tuple[str, str], labels: Labels, command: tuple[str, ...]
) -> Launcher:
    name = os.path.basename(command[0])
    notes = f"{config.project.out.rstrip('/')}/.bpfgen"
    files, configured = _own_settings(command[0]) if name == "ccache" else ((), frozenset())
    use = Use(root, config.cache.remote, " ".join(identity), os.path.join(root, notes, STATSLOG), configured)
    environment = LAUNCHERS[name](use) if name in LAUNCHERS else ()
    # ccache gets a script of the driver for the compiler (see `compile`), and hashes no prefix map. sccache does,
    # looks at the compiler's own file alone, and takes no compile with -Xclang: the script has what it must not see,
    # and what it must.
    outside, scripted = name == "ccache", name == "sccache"
    wrapped = not outside and (scripted or len(clang.command) > 1)
    flags = prefix_maps(root, labels) if scripted else ()
    return Launcher(
        name,
        command,
        environment,
        words=(f"{notes}/{LAUNCHER}",) if environment else command,
        setup=_setup(environment, (*command, *((f"{notes}/{COMPILER}",) if outside else ()))) if environment else "",
        script=_script(clang.command, identity[0], root, flags, scripted) if wrapped else "",
        outside=outside,
        scripted=scripted,
        watch=(command[0], *files),
    )


def unset(variables: Environment, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that are for bpfgen to set, where none of their names is in `environ`."""
    named = [(names.split(), value) for names, value in variables]
    return {names[0]: value for names, value in named if not any(name in environ for name in names)}


def _setup(variables: Environment, command: tuple[str, ...]) -> str:
    """A script that does what `unset` says, then is the command."""
    known, settings = [], []
    for number, (names, value) in enumerate(variables):
        known.append(f'known{number}="{"".join(f"${{{name}+x}}" for name in names.split())}"')
        settings.append(f'[ "$known{number}" ] || export {names.split()[0]}={shell_word(value)}')
    lines = ("#!/bin/sh", "# Written by bpfgen.", *known, *settings, f'exec {quoted(command)} "$@"')
    return "\n".join(lines) + "\n"


def quoted(words: tuple[str, ...]) -> str:
    """Words for a shell script."""
    return " ".join(map(shell_word, words))


def build_of(clang: Clang, cache: Cache) -> str:
    """One word for the compiler's build; raises OSError."""
    key = f"build of {clang.identity}"
    if key not in cache:
        cache[key] = fingerprint(clang.programs)
    return str(cache[key])


NO_MAP = ".=."


def prefix_maps(root: str, labels: Labels) -> tuple[str, ...]:
    """The flags that keep the machine's folders out of an object."""
    # clang splits the option at its first `=`; sources are named relative to the project, so little is lost. But there
    # must be as many everywhere: of these flags, ccache hashes how many there are, and not what they say.
    folders = ((root, "."), *labels)
    maps = (f"{folder}={label}" if "=" not in folder else NO_MAP for folder, label in folders)
    return tuple(f"-ffile-prefix-map={words}" for words in maps)


def _script(command: tuple[str, ...], compiler: str, root: str, flags: tuple[str, ...], lean: bool = False) -> str:
    """A script that is the same in every checkout, if the compiler is: a launcher may take it for the compiler."""

    def portable(word: str) -> str:
        # It runs in the project's folder.
        before, found, after = word.partition(root)
        if not found or before[-1:] not in {"", "="} or after[:1] not in {"", "/", "="}:
            return shell_word(word)
        return "".join((before and shell_word(before), '"$PWD"', after and shell_word(after)))

    def line(words: Iterable[str]) -> str:
        return " ".join(map(portable, words))

    cases = [f'  {hidden(target)}) set -- "$@" {line(without_dwarf(target))} ;;' for target in ("bpfel", "bpfeb")]
    own = ("for word do case $word in", *cases, "esac; done") if lean else ()
    head = ("#!/bin/sh", f"# Written by bpfgen, for launchers of compilers. {compiler}")
    return "\n".join((*head, *own, f'exec {line((*command, *flags))} "$@"')) + "\n"


def _own_settings(ccache: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """ccache's own files, and the settings in them: `(FILE) NAME = VALUE` in its answer. It gives variables more
    weight than files, so bpfgen's must leave those alone.
    """
    rows = re.findall(r"^\((/.*)\) (\w+) = ", said((ccache, "--show-config")), re.MULTILINE)
    return tuple(dict.fromkeys(file for file, _ in rows)), frozenset(name for _, name in rows)


def said(words: tuple[str, ...]) -> str:
    """What a command prints to its standard output. Without the module subprocess, whose import alone takes twice the
    time of ccache.
    """
    read, write = os.pipe()
    try:
        silent = (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)
        actions = [(os.POSIX_SPAWN_DUP2, write, 1), silent]
        child = os.posix_spawn(words[0], words, os.environ, file_actions=actions)
    except OSError:
        os.close(read)
        return ""
    finally:
        os.close(write)
    with open(read, encoding="utf-8", errors="replace") as file:
        text = file.read()
    os.waitpid(child, 0)
    return text


def _ccache(use: Use) -> Environment:
    """ccache(1), "CONFIGURATION OPTIONS". Each boolean has two variables, the second one's name starts with NO."""
    remote = ("CCACHE_REMOTE_STORAGE", "CCACHE_SECONDARY_STORAGE")  # since 4.7, and until then
    settings = [
        ("base_dir", "CCACHE_BASEDIR", _literal(use.root)),  # paths below it are hashed as relative ones
        ("hash_dir", "CCACHE_NOHASHDIR CCACHE_HASHDIR", "1"),  # no object has the folder in it, see OWN_FLAGS
        # A miss runs clang once, not first its preprocessor; `-MD` says what was read.
        ("depend_mode", "CCACHE_DEPEND CCACHE_NODEPEND", "1"),
        # Not its time of change, which differs from host to host.
        ("compiler_check", "CCACHE_COMPILERCHECK", f"string:{use.compiler}"),
        ("stats_log", "CCACHE_STATSLOG", _literal(use.log)),
    ]
    if use.remote and "secondary_storage" not in use.configured:
        settings += [("remote_storage", " ".join(names), use.remote) for names in (remote, remote[::-1])]
    dollar = ((DOLLAR, "$"),) if "$" in use.log else ()
    return (*dollar, *((names, value) for name, names, value in settings if name not in use.configured))


DOLLAR = "BPFGEN_DOLLAR"


def _literal(path: str) -> str:
    """A path as ccache's setting: it replaces `$NAME`, and lets no `$` be quoted."""
    return path.replace("$", f"${{{DOLLAR}}}")


def _sccache(use: Use) -> Environment:
    """sccache's docs/Configuration.md. Its server reads them when it starts, which a compile does where none runs."""
    if use.remote is None:
        return ()
    scheme, _, rest = use.remote.partition("://")
    if scheme != "s3":
        return (("SCCACHE_WEBDAV_ENDPOINT" if scheme in {"http", "https"} else "SCCACHE_REDIS", use.remote),)
    bucket, _, prefix = rest.partition("/")
    return (("SCCACHE_BUCKET", bucket), *((("SCCACHE_S3_KEY_PREFIX", prefix.rstrip("/")),) if prefix else ()))


def refuse_elsewhere(launcher: Launcher, kind: str, report: Report) -> None:
    """Reports one that runs the compiler itself: it and its cache would have to be where that is, and a
    container has no network and goes after the build.
    """
    if launcher.words and not launcher.outside:
        hint = 'write  launcher = "ccache",  which runs on this host, or  "none"'
        report.add(("cache", "launcher"), f"{launcher.name} can't run a compiler that is elsewhere, by {kind}", hint)


LAUNCHERS: Mapping[str, Callable[[Use], Environment]] = {"ccache": _ccache, "sccache": _sccache}
