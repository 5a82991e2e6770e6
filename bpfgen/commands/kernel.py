"""`bpfgen kernel`: kernel targets, and where their types come from."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from typing import Any, TextIO

from bpfgen.config.decode import decode
from bpfgen.config.report import Report
from bpfgen.config.schema import Config, Kernel
from bpfgen.config.source import Document, read_document
from bpfgen.errors import EXIT_FAILED, EXIT_OK, Failure, Location, Problem
from bpfgen.project import place, read_file

HELP = "add kernel targets, list them, and capture what a kernel can do"
EPILOG = """examples:
  bpfgen kernel list
  bpfgen kernel list --json
  bpfgen kernel add lts510 linux-image-5.10.0-32-{arch}.deb --upstream 5.10
  bpfgen kernel add lts61 linux-image-6.1-{arch}.deb --image     and bpfgen verify boots it
  bpfgen kernel add here /sys/kernel/btf/vmlinux     the kernel that runs
  bpfgen kernel capture rhel-9.6.json                on a machine with that kernel, as root
  bpfgen kernel add rhel96 rhel-9.6.json             what was captured there

add takes raw BTF, a vmlinux, a vmlinuz or Image, a .deb, an .rpm, an archive of BTFHub, a vmlinux.h or a profile. It
writes the types to a file that has their hash in its name, and the entry to build.toml, whose other text stays.

keys of list --json, for each kernel
  name, upstream, btf, profile, assume   as in build.toml; null or [] where it doesn't say
  min_btf                                patterns of the running kernels that it ships types for; [] where it ships none
  files                                  architecture to the file of its types
  missing                                those of these files that aren't there"""
UPSTREAM_HELP = "the upstream version whose features it has, such as 5.10: a distribution's number may say little"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen kernel` and of its parts."""
    from bpfgen.cli import common_options

    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    common = [common_options(suppress=True)]
    listing = actions.add_parser("list", help="the kernel targets of build.toml", parents=common)
    listing.add_argument("--json", action="store_true", help="one list")
    adding = actions.add_parser("add", help="take a kernel's types into the project", parents=common)
    adding.add_argument("name", metavar="NAME", help="of the kernel target")
    adding.add_argument("path", metavar="PATH", help="the kernel; {arch} stands for each architecture of the project")
    adding.add_argument("--upstream", metavar="VERSION", help=UPSTREAM_HELP)
    adding.add_argument("--image", action="store_true", help="also name PATH as what  bpfgen verify  boots")
    adding.add_argument("--to", metavar="FOLDER", default="btf", help="where files are kept (default: btf)")
    capturing = actions.add_parser("capture", help="write down what the running kernel can do", parents=common)
    capturing.add_argument("path", metavar="FILE.json", help="what to write; the types go beside it, as FILE.btf")
    capturing.add_argument("--bpftool", metavar="COMMAND", default="auto", help="the bpftool to ask")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Does what is asked for."""
    if args.action == "capture":
        return _capture(args, out)
    root, file = place(args)
    document = read_document(args.file, read_file(root, file, args.file))
    report = Report(document)
    config = decode(document.values, report)
    report.fail_if_any()
    if args.action == "list":
        return _list(root, config, args.json, out)
    return _add(root, file, document, config, args, out)


def _list(root: str, config: Config, as_json: bool, out: TextIO) -> int:
    rows = [_row(root, config, name) for name in config.kernel]
    if as_json:
        print(json.dumps(rows, indent=1), file=out)
        return EXIT_OK
    if not rows:
        print("bpfgen: there is no kernel target; bpfgen kernel add makes one", file=out)
    for row in rows:
        says = [f"upstream {row['upstream']}"] if row["upstream"] else []
        says += [f"types of {row['btf']}"] if row["btf"] else []
        says += [f"captured in {row['profile']}"] if row["profile"] else []
        says += [f"assumed {feature}" for feature in row["assume"]]
        says += [f"types shipped for {pattern}" for pattern in row["min_btf"]]
        says += [f"MISSING {path}" for path in row["missing"]]
        print(f"{row['name']}\n" + "".join(f"  {text}\n" for text in says), end="", file=out)
    return EXIT_OK


def _row(root: str, config: Config, name: str) -> dict[str, Any]:
    kernel = config.kernel[name]
    files = {arch: kernel.btf.replace("{arch}", arch) for arch in config.targets.arches} if kernel.btf else {}
    missing = [path for path in dict.fromkeys(files.values()) if not os.path.isfile(os.path.join(root, path))]
    said = {"upstream": kernel.upstream, "btf": kernel.btf, "profile": kernel.profile, "assume": list(kernel.assume)}
    return {"name": name, **said, "min_btf": _shipped(kernel), "files": files, "missing": missing}


def _shipped(kernel: Kernel) -> list[str]:
    from bpfgen.config.checkminbtf import releases

    return list(releases(kernel)) if kernel.min_btf else []


def _add(root: str, file: str, document: Document, config: Config, args: argparse.Namespace, out: TextIO) -> int:
    from bpfgen.config.edit import with_kernel
    from bpfgen.files import write_if_changed
    from bpfgen.kernels.intake import take

    taken = take(args.name, args.path, args.directory, config.targets.arches, args.to.rstrip("/"))
    entry = {**({"upstream": args.upstream} if args.upstream else {}), **taken.entry}
    if args.image:
        entry["image"] = _booted(root, args, config.targets.arches)
    text = with_kernel(document, args.name, entry)
    report = Report(read_document(args.file, text.encode()))
    decode(report.document.values, report)
    report.fail_if_any()
    verb = "would write" if args.dry_run else "wrote"
    for name, data in taken.files.items():
        if not args.dry_run:
            write_if_changed(os.path.join(root, name), data)
        if not args.quiet:
            print(f"bpfgen: {verb} {name}, {len(data):,} bytes", file=out)
    if not args.dry_run:
        write_if_changed(os.path.join(root, file), _as_before(read_file(root, file, args.file), text))
    if not args.quiet:
        print(f"bpfgen: {verb} {args.file}: [kernel.{args.name}]", file=out)
    return EXIT_OK


def _booted(root: str, args: argparse.Namespace, arches: Sequence[str]) -> str:
    """The kernel's file as `image` names it: relative to the project, if it is there. Raises `Failure`."""
    from bpfgen.kernels.boot import bootable
    from bpfgen.kernels.held import mapped
    from bpfgen.kernels.unusable import Unusable

    for path, arch in {args.path.replace("{arch}", arch): arch for arch in arches}.items():
        try:
            bootable(mapped(os.path.join(args.directory, path)), arch)
        except Unusable as error:
            raise Failure([Problem(Location(path), error.message, error.hint)]) from error
    path = os.path.abspath(os.path.join(args.directory, args.path))
    inside = os.path.relpath(path, root)
    return path if inside.startswith("..") else inside


def _as_before(before: bytes, text: str) -> bytes:
    """The text with the line ends of the file, and the mark at its beginning."""
    data = text.encode()
    if b"\r\n" in before:
        data = data.replace(b"\n", b"\r\n")
    return b"\xef\xbb\xbf" + data if before.startswith(b"\xef\xbb\xbf") else data


def _capture(args: argparse.Namespace, out: TextIO) -> int:
    from bpfgen.host import which_bpftool
    from bpfgen.kernels.profile import capture
    from bpfgen.kernels.unusable import Unusable

    bpftool = which_bpftool(args.bpftool)
    if bpftool is None:
        hint = "install it from this system's packages; or  bpfgen kernel add  takes types without it"
        raise Failure([Problem(None, "no bpftool was found, which asks the kernel what it can do", hint)], EXIT_FAILED)
    path = os.path.join(args.directory, args.path)
    if args.dry_run:
        print(f"bpfgen: would ask {bpftool}, and write {args.path}", file=out)
        return EXIT_OK
    try:
        profile = capture(bpftool, path)
    except Unusable as error:
        raise Failure([Problem(Location(bpftool), error.message, error.hint)], EXIT_FAILED) from error
    if not args.quiet:
        types = f", and {profile.btf['file']}" if profile.btf else "; the kernel has no BTF"
        print(f"bpfgen: wrote {args.path} of Linux {profile.kernel['release']}{types}", file=out)
    return EXIT_OK
