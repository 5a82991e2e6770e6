"""What must hold in `[builder]`: pure checks."""

from __future__ import annotations

from typing import Optional

from bpfgen.config.report import Report
from bpfgen.config.schema import Builder, Config, Image

ENGINES = ("docker", "podman")
EXAMPLE = 'add  [builder.{}]  with  image = "NAME@sha256:…"  or  dockerfile = "bpf/Dockerfile"'


def builder(config: Config, report: Report) -> None:
    """Reports what contradicts itself."""
    kind = config.builder.kind
    tables = {name: table for name in ENGINES if (table := getattr(config.builder, name)) is not None}
    for name, table in tables.items():
        _image(name, table, report)
    if kind in ENGINES and not tables:
        report.add(("builder", "kind"), f"nothing says which image {kind} is to run", EXAMPLE.format(kind))
    if kind in ENGINES and config.toolchain.clang == "wheel":
        hint = "remove the key, or name a command of the image"
        report.add(("toolchain", "clang"), f"the wheel's clang is of this host, and {kind} runs the image's", hint)
    if kind in ENGINES and config.cache.launcher not in ("auto", "none", "ccache"):
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
