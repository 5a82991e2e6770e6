"""`bpfgen verify`: objects in real kernels; with `--committed`, whether committed files are what their sources give."""

from __future__ import annotations

import argparse
import importlib
from typing import TextIO

from bpfgen.errors import EXIT_USAGE, Failure, Problem

HELP = "load the objects into real kernels; or compare committed files with their sources"
EPILOG = """examples:
  bpfgen verify                              each kernel target, in a virtual machine
  bpfgen verify --kernel lts510 -v           one of them, with the verifier's figures
  sudo bpfgen verify --running               the kernel of this machine
  bpfgen verify --ssh root@ebpf-test-vm      the kernel of another one
  bpfgen verify --baseline                   also compare with the committed baseline
  bpfgen verify --committed                  compare by bpfgen.lock; compiles nothing: for CI
  bpfgen verify --committed --any-toolchain  for a hook: looks for no compiler
  bpfgen verify --committed --rebuild        builds again, and compares every byte

exit code: 1 where a kernel refuses an object, or something isn't as the baseline or bpfgen.lock has it

keys of the JSON
  ok           whether all is well
  reports      of each kernel and architecture: kernel, arch, release, loader, how, objects;
               of each object: object, verdict (ok, accepted, undescribed, fails), refusal, message, programs, assumed;
               of each program: name, section, verdict, optional, refusal, log, count (instructions, states, peak)
  regressions  kernel, arch, object, program, before, now
  unverified   kernel targets without a kernel to boot: kernel, arch
with --committed
  drift        what isn't as the lock has it: kind (object, input, file, toolchain, result), file, line, message,
               hint"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `bpfgen verify`."""
    add = parser.add_argument
    add("--kernel", metavar="NAME", action="append", default=[], help="only this kernel target")
    add("--running", action="store_true", help="load into the kernel of this machine, as root")
    add(
        "--ssh",
        metavar="HOST",
        nargs="?",
        const="",
        help="load into the kernel of another machine (default: [verify.ssh])",
    )
    add("--baseline", action="store_true", help="compare with verify.baseline: what grew or isn't loaded is an error")
    add("--update-baseline", action="store_true", help="write verify.baseline")
    committed = parser.add_argument_group("committed files")
    add = committed.add_argument
    add("--committed", action="store_true", help="compare files, sources and toolchain with bpfgen.lock")
    add("--rebuild", action="store_true", help="also build again, and compare what comes out")
    add("--any-toolchain", action="store_true", help="don't compare the compiler and its headers")
    parser.add_argument("--json", action="store_true", help="print a JSON object")


OURS = ("kernel", "running", "ssh", "baseline", "update_baseline")
THEIRS = ("rebuild", "any_toolchain")


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Verifies; 1 where something isn't well. Raises `Failure`."""
    stray = [name for name in (OURS if args.committed else THEIRS) if getattr(args, name) not in (False, None, [])]
    if stray:
        shown = f"--{stray[0].replace('_', '-')}"
        other = "isn't for --committed" if args.committed else "is for --committed"
        raise Failure([Problem(None, f"{shown} {other}", "bpfgen verify --help")], EXIT_USAGE)
    name = "verify_committed" if args.committed else "verify_kernels"
    return int(importlib.import_module(f"bpfgen.commands.{name}").run(args, out))
