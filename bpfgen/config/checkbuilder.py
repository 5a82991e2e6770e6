"""What must hold in `[builder]`: pure checks."""

from __future__ import annotations

from typing import Optional

from bpfgen.config.report import Report
from bpfgen.config.schema import Config
from bpfgen.config.schemabuilder import Builder, Image

ENGINES = ("docker", "podman")
MACHINES = ("ssh", "vagrant", "lima")
EXAMPLE = 'add  [builder.{}]  with  image = "NAME@sha256:…"  or  dockerfile = "bpf/Dockerfile"'


def builder(config: Config, report: Report) -> None:
    """Reports what contradicts itself."""
    kind = config.builder.kind
    tables = {name: table for name in ENGINES if (table := getattr(config.builder, name)) is not None}
    for name, table in tables.items():
        _image(name, table, report)
    if kind in ENGINES and not tables:
        report.add(("builder", "kind"), f"nothing says which image {kind} is to run", EXAMPLE.format(kind))
    if kind == "ssh" and config.builder.ssh is None:
        report.add(("builder", "kind"), "nothing says which host is meant", 'add  [builder.ssh]  with  host = "NAME"')
    if config.builder.ssh and config.builder.ssh.port is not None and not 0 < config.builder.ssh.port < 65536:
        report.add(("builder", "ssh", "port"), "builder.ssh.port must be from 1 to 65535")
    if kind in (*ENGINES, *MACHINES):
        _elsewhere(config, kind, report)


def _elsewhere(config: Config, kind: str, report: Report) -> None:
    whose = "the image's" if kind in ENGINES else "that machine's"
    if config.toolchain.clang == "wheel":
        hint = f"remove the key, or name a command of {'the image' if kind in ENGINES else 'that machine'}"
        report.add(("toolchain", "clang"), f"the wheel's clang is of this host, and {kind} runs {whose}", hint)
    if config.cache.launcher not in ("auto", "none", "ccache"):
        hint = 'write  launcher = "ccache"  or  "none"'
        report.add(("cache", "launcher"), f"with {kind}, the only launcher is ccache", hint)


def _image(name: str, table: Image, report: Report) -> None:
    path = ("builder", name)
    if table.image and table.dockerfile:
        report.add(
            (*path, "dockerfile"), f"[builder.{name}] has both image and dockerfile", "keep one of them", key=True
        )
    elif not table.image and not table.dockerfile:
        report.add(path, f"[builder.{name}] names no image", EXAMPLE.format(name), key=True)
    if table.context and not table.dockerfile:
        report.add((*path, "context"), "a context without a dockerfile is for nothing", "remove it", key=True)


def image_of(config: Config) -> tuple[str, Optional[Image]]:
    """The engine that is meant where it isn't this host, and its table: podman may have docker's."""
    kind = config.builder.kind
    if kind not in ENGINES:
        kind = "docker" if config.builder.docker else "podman"
    return kind, table_of(config.builder, kind)


def table_of(builder: Builder, kind: str) -> Optional[Image]:
    """The table of an engine, or the other one's where it has none."""
    tables = (builder.podman, builder.docker) if kind == "podman" else (builder.docker, builder.podman)
    return tables[0] or tables[1]


def kind_of(config: Config) -> str:
    """The builder that is meant where it isn't this host."""
    return config.builder.kind if config.builder.kind in MACHINES else image_of(config)[0]
