"""Which clang would be used, and why; where none can be, what each one lacks."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
from typing import Optional

from bpfgen.config.schema import Config
from bpfgen.doctor import Finding, ask
from bpfgen.doctor.mend import install
from bpfgen.doctor.subject import Subject
from bpfgen.toolchain import Cache, Clang, candidates, usable

WHEEL = "pip install 'bpfgen[clang]'"


def check(subject: Subject, cache: Cache) -> tuple[Optional[Clang], list[Finding]]:
    """The compiler, if there is one, and what is said of it."""
    require = subject.config.toolchain.require
    passed: list[Clang] = []
    for clang in candidates(subject.root, subject.config, cache):
        if usable(clang, subject.config):
            return clang, [Finding("clang", "ok", f"{_name(clang)}; {_why(subject.config, clang, passed)}")]
        passed.append(clang)
    mend = _mend(subject, cache)
    if not passed:
        return None, [Finding("clang", "failure", _absent(subject), mend)]
    return None, [Finding("clang", "failure", f"{_name(clang)} {_lack(clang, require)}", mend) for clang in passed]


def _name(clang: Clang) -> str:
    return f"{' '.join(clang.command)} (clang {clang.version})"


def _lack(clang: Clang, require: str) -> str:
    if not clang.bpf:
        return "has no BPF target"
    return f'isn\'t of a version that toolchain.require "{require}" allows'


def _why(config: Config, clang: Clang, passed: list[Clang]) -> str:
    wanted = config.toolchain.clang
    if wanted != "auto":
        return f'build.toml says  clang = "{wanted}"'
    if clang.kind == "wheel":
        why = "no clang on PATH can be used, so it is the ziglang wheel's"
    elif re.search(r"-\d+$", clang.command[0]):
        why = "the newest clang-N on PATH that can be used"
    else:
        why = "the first clang on PATH"
    return "; ".join([why, *(f"{_name(other)} {_lack(other, config.toolchain.require)}" for other in passed)])


def _absent(subject: Subject) -> str:
    """What is said where not one compiler was found."""
    wanted = subject.config.toolchain.clang
    if wanted == "auto":
        return "there is no clang on PATH, and the ziglang wheel isn't installed"
    if wanted == "wheel":
        return "the ziglang wheel, whose clang build.toml asks for, isn't installed"
    path = shutil.which(os.path.join(subject.root, wanted) if "/" in wanted else wanted)
    if path is None:
        return f'there is no "{wanted}", which build.toml asks for'
    says = (ask((path, "--version")).text.splitlines() or [""])[0]
    return f'{path} is no clang: to --version it says "{says[:80]}"'


def _mend(subject: Subject, cache: Cache) -> str:
    """The nearest way to a compiler that can be used: one that is here already, before one to install."""
    toolchain = subject.config.toolchain
    if toolchain.clang not in {"auto", "wheel"}:
        auto = dataclasses.replace(subject.config, toolchain=dataclasses.replace(toolchain, clang="auto"))
        for clang in candidates(subject.root, auto, cache):
            if usable(clang, auto):
                name = "wheel" if clang.kind == "wheel" else os.path.basename(clang.command[0])
                return f'write  clang = "{name}"  below [toolchain]'
    if toolchain.clang == "wheel":
        return f"run  {WHEEL}"
    major = _major(toolchain.clang, toolchain.require)
    mend = install("clang-{clang}", clang=major) if major else install("clang")
    change = "" if toolchain.clang in {"auto", f"clang-{major}"} else ' and write  clang = "auto"  below [toolchain]'
    return f"{mend} {change or f' or  {WHEEL}'}".replace("   ", "  ")


def _major(wanted: str, require: str) -> str:
    """The version that must be installed by number; empty where any will do."""
    named = re.fullmatch(r"clang-(\d+)", wanted)
    if named:
        return named[1]
    bound = re.search(r"(?:>=|==|^) *(\d+)", require)
    return bound[1] if bound and int(bound[1]) > 14 else ""
