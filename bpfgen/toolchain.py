"""Finds the compiler and describes it. Asks the host once; everything behind this is pure."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Optional

from bpfgen.cc.lean import without_dwarf
from bpfgen.config.report import Report
from bpfgen.config.schema import Config
from bpfgen.errors import EXIT_FAILED
from bpfgen.frozen import frozen
from bpfgen.quote import shell_word

if TYPE_CHECKING:
    import subprocess

Cache = dict[str, Any]
"""Answers of compilers that were asked before, by path and what `stat` says of it; kept between runs as JSON."""

LEAN_REQUIRES = ">=19"
"""The versions that the tests compare with and without DWARF: 19 and the wheel's."""
INSTALL = "pip install 'bpfgen[clang]' brings one; or install clang from your system's packages"


@frozen
class Clang:
    """One compiler that was found."""

    kind: str
    """`system` or `wheel`."""
    command: tuple[str, ...]
    """The words that start it."""
    version: str
    """`19.1.7`."""
    text: str
    """The first line of `--version`."""
    bpf: bool
    """Whether it has the BPF target."""
    resources: str
    """Its folder of compiler headers (`stddef.h`)."""
    include: tuple[str, ...]
    """Folders that it searches for headers by itself, in its order."""
    lean: bool
    """Whether it can leave DWARF out and keep BTF (see `cc.lean`)."""
    programs: tuple[str, ...]
    """The program file, and the libraries of LLVM's that it loads."""
    identity: str
    """Changes when one of these does."""
    watch: tuple[str, ...]
    """Files that change with it."""


def find_clang(root: str, config: Config, cache: Cache, report: Report) -> Optional[Clang]:
    """The compiler that `[toolchain]` asks for; None, with a problem reported, when there is none."""
    return choose(candidates(root, config, cache), config, report)


def has_clang(root: str, config: Config, cache: Cache) -> bool:
    """Whether this host has a compiler that `[toolchain]` may mean."""
    return any(usable(clang, config) for clang in candidates(root, config, cache))


def usable(clang: Clang, config: Config) -> bool:
    """Whether a compiler has the BPF target, and a version that `[toolchain]` allows."""
    return clang.bpf and meets(clang.version, config.toolchain.require)


def choose(found: Iterable[Clang], config: Config, report: Report) -> Optional[Clang]:
    """The first one that can be used; None, with a problem reported, when there is none."""
    passed: list[Clang] = []
    for clang in found:
        if usable(clang, config):
            return clang
        passed.append(clang)
    _report_missing(config.toolchain.clang, config.toolchain.require, passed, report)
    return None


def candidates(root: str, config: Config, cache: Cache) -> Iterator[Clang]:
    """Every compiler that `[toolchain] clang` can mean, in the order of preference; each is asked when it is taken."""
    wanted = config.toolchain.clang
    if wanted not in {"auto", "wheel"}:
        path = shutil.which(os.path.join(root, wanted)) if "/" in wanted else _which(wanted)
        yield from _asked("system", (path,), cache) if path else ()
        return
    if wanted == "auto":
        for path in _on_path():
            yield from _asked("system", (path,), cache)
    zig = wheel_file("zig")
    if zig and os.access(zig, os.X_OK):
        yield from _asked("wheel", (zig, "clang"), cache)


def _on_path() -> list[str]:
    """`clang`, then `clang-N`, the newest first."""
    numbered: dict[int, str] = {}
    for folder in os.get_exec_path():
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            match = re.fullmatch(r"clang-(\d+)", name)
            if match and not _is_ccache(os.path.join(folder, name)):
                numbered.setdefault(int(match[1]), os.path.join(folder, name))
    plain = _which("clang")
    return ([plain] if plain else []) + [numbered[n] for n in sorted(numbered, reverse=True)]


def _which(name: str) -> Optional[str]:
    """A command on the path that is no link to ccache, which Debian has in /usr/lib/ccache: that wouldn't change with
    the compiler, and whether there is a cache is `[cache]`'s matter.
    """
    found = (shutil.which(name, path=folder) for folder in os.get_exec_path())
    return next((path for path in found if path and not _is_ccache(path)), None)


def _is_ccache(path: str) -> bool:
    return os.path.basename(os.path.realpath(path)) == "ccache"


def wheel_file(*parts: str) -> Optional[str]:
    """A file of the `ziglang` wheel; None where it isn't installed. The package itself is not imported."""
    spec = importlib.util.find_spec("ziglang")
    if spec is None or not spec.origin:
        return None
    return os.path.join(os.path.dirname(spec.origin), *parts)


def names_in_shell(root: str, wanted: str) -> str:
    """The commands that `[toolchain] clang` can mean, for a shell's `for`, where this host's aren't meant."""
    if wanted == "auto":
        return "clang $(ls $(echo $PATH | tr : ' ') 2>/dev/null | grep -x 'clang-[0-9]*' | sort -ut- -k2 -nr)"
    return shell_word(os.path.join(root, wanted) if "/" in wanted else wanted)


def _asked(kind: str, command: tuple[str, ...], cache: Cache) -> Iterator[Clang]:
    path = os.path.realpath(command[0])
    key = _stamp(path)
    answers = cache.get(key)
    if answers is None or answers.keys() != QUESTIONS.keys():
        answers = cache[key] = _ask(command)
    # A build of LLVM's can be new in its libraries alone.
    libraries = map(os.path.realpath, LIBRARY.findall(answers["libraries"]))
    programs = (path, *filter(os.path.exists, libraries))
    watch = (path, *_record(path)) if kind == "wheel" else tuple(dict.fromkeys((command[0], *programs)))
    yield from described(answers, kind, command, programs, " ".join(map(_stamp, programs)), watch)


def described(
    answers: Mapping[str, str],
    kind: str,
    command: tuple[str, ...],
    programs: tuple[str, ...],
    identity: str,
    watch: tuple[str, ...],
) -> Iterator[Clang]:
    """The compiler that gave these answers to `QUESTIONS`, here or elsewhere; none where it is no clang."""
    said = answers["search"]
    version = re.search(r"clang version (\d+(?:\.\d+)*)", said)
    if version is None:
        return
    wheel = kind == "wheel"
    resources = wheel_file("lib") if wheel else resource_folder(said)
    yield Clang(
        kind=kind,
        command=command,
        version=version[1],
        text=said.splitlines()[0],
        bpf=re.search(r"^\s*bpfel\b", answers["targets"], re.MULTILINE) is not None,
        resources=resources or "",
        include=() if wheel else tuple(_searched(said)),
        # clang 14 without DWARF leaves functions of the kernel out of BTF too.
        lean=answers["lean"] == "" and meets(version[1], LEAN_REQUIRES),
        programs=programs,
        identity=identity,
        watch=watch,
    )


def _stamp(path: str) -> str:
    stat = os.stat(path)
    return f"{path} {stat.st_size} {stat.st_ctime_ns}"


def _ask(command: tuple[str, ...]) -> Mapping[str, str]:
    """What a compiler says of itself. Each answer costs the start of clang, about 25 ms: one that takes all flags gives
    them with one, and others are asked one by one.
    """
    said, code = _answers(command, {"search": ("-v", *QUESTIONS["lean"]), "libraries": QUESTIONS["libraries"]})
    if code == 0 and "\nTarget: bpfel" in said["search"] and "warning: " not in said["search"]:
        return {**said, "targets": "bpfel", "lean": ""}
    return {**said, **_answers(command, {name: QUESTIONS[name] for name in ("targets", "search", "lean")})[0]}


def _answers(command: tuple[str, ...], questions: Mapping[str, tuple[str, ...]]) -> tuple[dict[str, str], int]:
    """The answers, had at once, and the largest exit code."""
    import subprocess  # only where a compiler was not asked before

    # With the variable, the dynamic linker lists what it would load, and starts nothing (ld.so(8)).
    listing = {**os.environ, "LD_TRACE_LOADED_OBJECTS": "1"}
    try:
        started = {
            name: subprocess.Popen(
                (*command, *flags),
                env=listing if name == "libraries" else None,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            for name, flags in questions.items()
        }
    except OSError:
        return dict.fromkeys(questions, "no answer"), EXIT_FAILED
    said = {name: _said(process).strip() for name, process in started.items()}
    return said, max(abs(process.returncode) for process in started.values())


ANSWER_SECONDS = 60
LIBRARY = re.compile(r" => (/.*/lib(?:clang|LLVM)[^/]*) \(0x")
QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "targets": ("-print-targets",),
    "search": ("-target", "bpfel", "-E", "-v", "-x", "c", os.devnull, "-o", os.devnull),
    # Whoever takes these has nothing to say.
    "lean": ("-target", "bpfel", "-g", *without_dwarf("bpfel"), "-c", "-x", "c", os.devnull, "-o", os.devnull),
    "libraries": ("--version",),
}


def _searched(answer: str) -> list[str]:
    """The folders that `clang -v` lists, a line each, between two sentences."""
    _, _, after = answer.partition("#include <...> search starts here:\n")
    folders, _, _ = after.partition("End of search list.")
    return [os.path.normpath(line.strip()) for line in folders.splitlines()]


def resource_folder(answer: str) -> str:
    """The folder of clang's own headers, from the `-cc1` line of `clang -v`, which quotes words that need it."""
    match = re.search(r"""\"?-resource-dir"? (?:"((?:[^"\\]|\\.)*)"|(\S+))""", answer)
    return re.sub(r"\\(.)", r"\1", match[1]) if match and match[1] else match[2] if match else ""


def _said(process: subprocess.Popen[bytes]) -> str:
    """Everything that a process writes, or that it took too long: no answer would be a good one to `lean`."""
    from subprocess import TimeoutExpired

    try:
        return process.communicate(timeout=ANSWER_SECONDS)[0].decode(errors="replace")
    except TimeoutExpired:
        process.kill()
        process.communicate()
        return "no answer"


def _record(zig: str) -> Iterator[str]:
    """The wheel's RECORD, which pip writes at every installation, while the files in a wheel carry old dates."""
    site = os.path.dirname(os.path.dirname(zig))
    for name in sorted(os.listdir(site)):
        if name.startswith("ziglang-") and name.endswith(".dist-info"):
            yield os.path.join(site, name, "RECORD")


def meets(version: str, require: str) -> bool:
    """Whether a version satisfies a requirement such as `>=14,<20`; versions compare number by number."""
    have = _numbers(version)
    for clause in require.split(","):
        operator, text = re.fullmatch(r" *(>=|<=|==|<|>)? *([0-9.]+) *", clause).groups()  # type: ignore[union-attr]
        want = _numbers(text)
        # `==19` and `<=19` mean any 19.x.
        short = have[: len(want)]
        if not {
            ">=": have >= want, "<=": short <= want, "==": short == want, "<": have < want, ">": short > want
        }[operator or ">="]:  # fmt: skip
            return False
    return True


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part)


def _report_missing(wanted: str, require: str, found: list[Clang], report: Report) -> None:
    path = ("toolchain", "clang")
    if not found:
        message = "no clang was found" if wanted == "auto" else f'there is no clang "{wanted}"'
        if wanted == "wheel":
            message = "the ziglang wheel, whose clang is asked for, is not installed"
        report.add(path, message, INSTALL)
        return
    for clang in found:
        name = " ".join(clang.command)
        if not clang.bpf:
            hint = "Apple's clang has none; " + INSTALL
            report.add(path, f"{name} ({clang.text}) has no BPF target", hint)
        else:
            message = f'{name} is clang {clang.version}, and toolchain.require is "{require}"'
            report.add(("toolchain", "require"), message, INSTALL)
