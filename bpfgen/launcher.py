"""Finds what runs the compiler (ccache, sccache, …) and says how it must be set up to serve every checkout.

Another launcher is one row of `LAUNCHERS`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from typing import Optional

from bpfgen.config.report import Report
from bpfgen.config.schema import Config
from bpfgen.frozen import frozen

Environment = tuple[tuple[str, str], ...]
"""Variables and their values; all others are the user's."""


@frozen
class Use:
    """What a launcher is to be set up for."""

    root: str
    """The project's absolute path."""
    remote: Optional[str]
    """`[cache] remote`"""
    compiler: str
    """What tells the compiler, with our driver around it, from others; the same on every host."""
    log: str
    """Where the launcher may note what it did."""


STATSLOG = "cache.log"
"""The note that ccache writes for `bpfgen cache`."""


@frozen
class Launcher:
    """What stands before the compiler's own words."""

    name: str
    """`ccache`, `sccache`, `none`, or the command of another one."""
    command: tuple[str, ...] = ()
    environment: Environment = ()
    outside: bool = False
    """It runs our driver, as a compiler that reduces headers and strips, instead of being run by it: then on a hit no
    Python starts. For caches that ask the compiler for nothing but compiles."""


def find_launcher(root: str, config: Config, compiler: str, report: Report) -> Launcher:
    """The launcher that `[cache]` asks for, to be used with a `compiler` (see `Use`); reports one that isn't there."""
    wanted = config.cache.launcher
    log = os.path.join(root, config.project.out, ".bpfgen", STATSLOG)
    use = Use(root, config.cache.remote, compiler, log)
    names = list(LAUNCHERS) if wanted == "auto" else [] if wanted == "none" else [wanted]
    for name in names:
        words = (name,) if isinstance(name, str) else name
        path = shutil.which(words[0] if "/" not in words[0] else os.path.join(root, words[0]))
        if path is None:
            continue
        kind = os.path.basename(words[0])
        environment, outside = LAUNCHERS[kind](use) if kind in LAUNCHERS else ((), False)
        return Launcher(kind, (path, *words[1:]), environment, outside)
    if wanted not in {"auto", "none"}:
        command = wanted if isinstance(wanted, str) else wanted[0]
        hint = 'install it, or write  launcher = "auto"  to do without where it isn\'t there'
        report.add(("cache", "launcher"), f'there is no launcher "{command}"', hint)
    return Launcher("none")


def _ccache(use: Use) -> tuple[Environment, bool]:
    """ccache(1), "CONFIGURATION OPTIONS"."""
    environment = (
        ("CCACHE_BASEDIR", use.root),  # paths below it are hashed as relative ones
        ("CCACHE_NOHASHDIR", "1"),  # no object has the folder in it, see OWN_FLAGS
        # A miss runs clang once, not first its preprocessor; `-MD` says what was read.
        ("CCACHE_DEPEND", "1"),
        # Not its time of change, which differs from host to host.
        ("CCACHE_COMPILERCHECK", f"string:{use.compiler}"),
        ("CCACHE_STATSLOG", use.log),
        *((name, use.remote) for name in ("CCACHE_REMOTE_STORAGE", "CCACHE_SECONDARY_STORAGE") if use.remote),
    )
    return environment, True


def _sccache(use: Use) -> tuple[Environment, bool]:
    """sccache's docs/Configuration.md. It preprocesses first, hit or not: better the reduced header than the whole."""
    if use.remote is None:
        return (), False
    scheme, _, rest = use.remote.partition("://")
    name = {"s3": "SCCACHE_BUCKET", "http": "SCCACHE_WEBDAV_ENDPOINT", "https": "SCCACHE_WEBDAV_ENDPOINT"}
    return ((name.get(scheme, "SCCACHE_REDIS"), rest if scheme == "s3" else use.remote),), False


LAUNCHERS: Mapping[str, Callable[[Use], tuple[Environment, bool]]] = {"ccache": _ccache, "sccache": _sccache}
"""What each is told, and whether it runs outside our driver; in the order in which `auto` looks for them."""
