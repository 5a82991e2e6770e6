"""What is looked at, in which order."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable

from bpfgen.config.checkbuilder import ENGINES, image_of, table_of
from bpfgen.config.schemabuilder import Image
from bpfgen.doctor import Finding, compiler, containers, headers, remote, subject, tools
from bpfgen.doctor.subject import Subject
from bpfgen.errors import Failure, describe
from bpfgen.toolchain import Cache


def diagnose(args: argparse.Namespace) -> list[Finding]:
    """Everything that is to be said of the project of the command line, and of this machine."""
    project, rows = subject.read(args)
    cache: Cache = {}
    kind, why = _builder(args, project, cache)
    looks: dict[str, Callable[[], Iterable[Finding]]] = {
        "builder": lambda: [Finding("builder", "ok", f"{kind}, {why}")],
        kind: lambda: _inside(args, project, kind, cache),
        "bpftool": lambda: tools.bpftool(project, cache),
        "kernel": lambda: tools.btf(project),
        "ninja": tools.ninja,
        "go": lambda: tools.go(project),
        "kvm": tools.kvm,
    }
    return [*rows, *(row for name, look in looks.items() for row in _guarded(name, look))]


def _guarded(name: str, look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What was found; what stopped the looking is a finding too."""
    try:
        return list(look())
    except Failure as failure:
        return subject.findings(name, failure)
    except OSError as error:
        return [Finding(name, "failure", describe(error))]
    except ValueError as error:
        return [Finding(name, "failure", str(error))]


def _builder(args: argparse.Namespace, project: Subject, cache: Cache) -> tuple[str, str]:
    """The kind of builder, and why it is that one."""
    builder = project.config.builder
    if args.builder:
        return args.builder, "as --builder says"
    if builder.kind != "auto":
        return builder.kind, f'as build.toml says  kind = "{builder.kind}"'
    kind, image = image_of(project.config)
    if image is None:
        return "native", 'which is what  kind = "auto"  means'
    rows = _guarded("clang", lambda: compiler.check(project, cache)[1])
    if any(row.level == "ok" for row in rows):
        return "native", "as this host has a clang that can be used"
    return kind, "as no clang of this host can be used, and build.toml names an image"


def _inside(args: argparse.Namespace, project: Subject, kind: str, cache: Cache) -> list[Finding]:
    """What the builder has."""
    if kind in ENGINES:
        return _container(args, project, kind)
    if kind != "native":
        return _remote(args, project, kind)
    clang, rows = compiler.check(project, cache)
    if clang is None:
        return rows
    return [*rows, *headers.check(project, clang), *tools.launcher(project, clang, cache)]


def _container(args: argparse.Namespace, project: Subject, kind: str) -> list[Finding]:
    from bpfgen.doctor import engines

    image = Image(image=args.image) if args.image else table_of(project.config.builder, kind) or Image()
    rows = containers.check(project, kind, engines.find(kind), image)
    if kind == "docker" and engines.sdk() is None:
        found = "Python's docker package isn't installed, or can't be imported, and a build needs it"
        rows.append(Finding("docker package", "failure", found, "run  pip install 'bpfgen[docker]'"))
    return rows


def _remote(args: argparse.Namespace, project: Subject, kind: str) -> list[Finding]:
    if args.host:
        return remote.check(project.config.toolchain, args.host)
    if kind != "ssh" or project.config.builder.ssh is None:  # to ask the others would start their machines
        return [Finding(kind, "failure", "nothing says which host is meant", "add  --host NAME")]
    from bpfgen.builders.ssh import login as login_of

    login = login_of(project.root, project.config)
    return remote.check(project.config.toolchain, login.host, ("ssh", *login.options))
