"""`bpfgen clean`: removes what bpfgen and Ninja made, and nothing else."""

from __future__ import annotations

import argparse
import contextlib
import glob
import os
from typing import TextIO

from bpfgen.files import remove
from bpfgen.notes import last_layout, own_files, recorded, removable
from bpfgen.plan import EDITOR_FILE, NINJA_FILE
from bpfgen.project import place

HELP = "remove everything that was generated and built"
EPILOG = """examples:
  bpfgen clean             back to the sources
  bpfgen clean --outputs   only what ninja built; `ninja clean` does this
  bpfgen clean --dry-run   say what would go"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen clean`."""
    parser.add_argument("--outputs", action="store_true", help="keep build.ninja and bpfgen's notes")


BESIDE = (".d", ".tmp", ".said")
"""Endings of what a compile that was killed leaves beside its output (see `cc.main`)."""


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Removes the recorded outputs; works with a broken build.toml too, because it goes by the notes."""
    root, _ = place(args)
    os.chdir(root)
    layout = last_layout()
    if layout is None:
        if not args.quiet:
            print("bpfgen: nothing to clean", file=out)
        return 0
    names = removable(recorded(layout), layout)
    if not args.outputs:
        names += [*own_files(layout), EDITOR_FILE, NINJA_FILE]
    names += [f"{name}{end}" for name in names if name.startswith(f"{layout.out}/") for end in BESIDE]
    names += _leftovers({os.path.dirname(name) for name in (*names, NINJA_FILE)})
    present = [name for name in names if os.path.lexists(name)]
    if not args.dry_run:
        remove(present)
        _remove_empty(layout.out)
    if not args.quiet:
        verb = "would remove" if args.dry_run else "removed"
        print(f"bpfgen: {verb} {len(present)} files", file=out)
    if args.verbose or args.dry_run:
        print("".join(f"  {name}\n" for name in present), end="", file=out)
    return 0


def _leftovers(folders: set[str]) -> list[str]:
    """What writers that were killed left behind (see `files`)."""
    return sorted(path for folder in folders for path in glob.glob(os.path.join(glob.escape(folder), ".bpfgen-*.tmp")))


def _remove_empty(folder: str) -> None:
    """Removes folders that hold nothing any more, the deepest first."""
    for base, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(base)
