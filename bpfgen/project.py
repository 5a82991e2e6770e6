"""The rim's reading side: command line → the project on disk."""

from __future__ import annotations

import argparse
import os
import re

from bpfgen.config.check import check
from bpfgen.config.decode import decode
from bpfgen.config.report import Report
from bpfgen.config.schema import Config
from bpfgen.config.source import Document, read_document
from bpfgen.errors import Failure, Location, Problem
from bpfgen.frozen import frozen
from bpfgen.headers import btf_path, judged, wanted
from bpfgen.matrix import Unit, expand, select
from bpfgen.sources import Sources, discover


@frozen
class Project:
    """A project that was read and found sound."""

    root: str
    """Its absolute folder: the one that holds `build.toml`."""
    file: str
    """The name of `build.toml` in it."""
    document: Document
    config: Config
    sources: Sources
    units: tuple[Unit, ...]
    """The selected ones."""


def place(args: argparse.Namespace) -> tuple[str, str]:
    """The project's absolute folder and the name of its file. `-C` comes first, then `-f`, as with make."""
    file = os.path.abspath(os.path.join(args.directory, args.file))
    return os.path.dirname(file), os.path.basename(file)


def load(args: argparse.Namespace) -> Project:
    """Reads, checks and expands the project; raises `Failure` with every problem."""
    root, file = place(args)
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", root):
        message = f"the folder {root!r} has a control character in its name, or is no UTF-8"
        raise Failure([Problem(None, message, "move the project")])
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff|\\]", file):
        raise Failure([Problem(None, f"Ninja can't write the file name {file!r}", "rename it")])
    document = read_document(args.file, read_file(root, file, args.file))
    report = Report(document)
    config = decode(document.values, report)
    check(config, report)
    sources = discover(root, config, report)
    report.fail_if_any()
    units = expand(config, sources.programs)
    _check_kernels(root, config, units, report)
    if config.go is not None and config.go.bindings == "bpf2go":
        from bpfgen import bindings  # only where a project has them

        bindings.check(bindings.bindings(config, units), report)
    report.fail_if_any()
    selected = select(units, args.only, args.skip)
    if not selected:
        hint = "bpfgen matrix lists what there is"
        raise Failure([Problem(Location(args.file), "--only and --skip leave nothing to build", hint)])
    return Project(root, file, document, config, sources, selected)


def read_file(root: str, file: str, shown: str) -> bytes:
    """The bytes of build.toml; raises `Failure` where there is none, with a way to it."""
    try:
        with open(os.path.join(root, file), "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        above = _above(root, file)
        hint = f"run it in {above}, or with -C {above}" if above else "bpfgen init writes one"
        raise Failure([Problem(Location(shown), "there is no such file", hint)]) from None
    except IsADirectoryError:
        raise Failure(
            [Problem(Location(shown), "is a folder", f"name the file in it: -f {shown}/build.toml")]
        ) from None


def _above(root: str, file: str) -> str:
    """The nearest folder above that has the file; empty where none has."""
    folder = os.path.dirname(root)
    while folder != os.path.dirname(folder):
        if os.path.isfile(os.path.join(folder, file)):
            return os.path.relpath(folder, root)
        folder = os.path.dirname(folder)
    return ""


def _check_kernels(root: str, config: Config, units: tuple[Unit, ...], report: Report) -> None:
    typed = ((kernel, arch) for kernel, arch in judged(units) if config.kernel[kernel].btf)
    for kernel, arch in dict.fromkeys((*wanted(units), *typed)):
        path = btf_path(config, kernel, arch)
        if not os.path.isfile(os.path.join(root, path)):
            several = "{arch}" in str(config.kernel[kernel].btf)
            hint = "the file of each architecture must be there" if several else RUNNING_HINT.get(path, "")
            report.add(("kernel", kernel, "btf"), f'no such file: "{path}"', hint)
    for name, each in config.kernel.items():
        for path in dict.fromkeys((each.profile or "").replace("{arch}", arch) for arch in config.targets.arches):
            if path and not os.path.isfile(os.path.join(root, path)):
                report.add(("kernel", name, "profile"), f'no such file: "{path}"', "bpfgen kernel capture  makes one")


# There is a path for it, so there is no word: a file may be called as one likes.
RUNNING_HINT = dict.fromkeys(("running", "host", "auto"), "the running kernel's types are in  /sys/kernel/btf/vmlinux")
