"""`bpfgen verify` without `--committed`: what kernels say of the objects."""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, Optional, TextIO

from bpfgen import verifying
from bpfgen.commands import generate
from bpfgen.committed.ninja import attempt, build, is_built, is_shown
from bpfgen.compile import layout_of
from bpfgen.config.report import did_you_mean
from bpfgen.errors import EXIT_FAILED, EXIT_USAGE, Failure, Problem
from bpfgen.files import write_if_changed
from bpfgen.outputs import read_notes
from bpfgen.project import Project, load
from bpfgen.text import paint
from bpfgen.verify import baseline, show, trouble
from bpfgen.verify.judge import judge
from bpfgen.verify.model import ACCEPTED, FAILS, OK, UNDESCRIBED, Report, from_json, to_json
from bpfgen.verify.places import Here, There, here_arch, known_arch
from bpfgen.verify.protocol import Event
from bpfgen.verify.rounds import Place, outcomes
from bpfgen.verifying import Cell

COLOURS = {OK: "green", ACCEPTED: "yellow", UNDESCRIBED: "yellow", FAILS: "red"}


def run(args: argparse.Namespace, out: TextIO) -> int:
    """Prints what kernels said; 1 where one refused an object that it may not refuse. Raises `Failure`."""
    project = load(args)
    os.chdir(project.root)
    missing: list[Cell] = []
    broken: Optional[Failure] = None
    if args.dry_run and (args.running or args.ssh is not None):
        where = "another machine" if args.ssh is not None else "this machine"
        print(f"bpfgen: would load into the kernel of {where}", file=out)
        return 0
    if args.running or args.ssh is not None:
        reports = [_elsewhere(args, project)]
    else:
        found, missing = _chosen(args, project)
        if args.dry_run:
            print("".join(f"bpfgen: would verify {cell.kernel} {cell.arch}\n" for cell in found), end="", file=out)
            return 0
        reports, broken = _machines(args, found)
    reports = [_selected(report, project) for report in reports]
    worse = _compared(args, project, reports)
    good = (
        not worse
        and not broken
        and all(each.verdict in (OK, ACCEPTED) for report in reports for each in report.objects)
    )
    if args.json:
        _print_json(reports, worse, missing, good, out)
    else:
        _print(args, reports, worse, missing, out)
    if broken:
        raise broken
    return 0 if good else EXIT_FAILED


def _chosen(args: argparse.Namespace, project: Project) -> tuple[list[Cell], list[Cell]]:
    """The kernels to boot, and those that are only known by their types."""
    config = project.config
    for name in args.kernel:
        if name not in config.kernel:
            hint = did_you_mean(name, config.kernel) or f"add [kernel.{name}]"
            raise Failure([Problem(None, f'there is no kernel "{name}"', hint)], EXIT_USAGE)
    every = [c for c in verifying.cells(config, project.units) if not args.kernel or c.kernel in args.kernel]
    found, missing = [c for c in every if c.key], [c for c in every if not c.key]
    if not found or (args.kernel and missing):
        names = ", ".join(dict.fromkeys(each.kernel for each in missing))
        what = f"nothing to boot is known of {names}: there are types alone" if missing else "there is no kernel target"
        raise Failure([Problem(None, what, IMAGES if missing else WAYS)])
    absent = {(c.source, c.kernel) for c in found if not os.path.isfile(c.source)}
    if absent:
        raise Failure([Problem(None, f'there is no file "{file}", of the kernel {name}') for file, name in absent])
    return found, missing


IMAGES = 'name a package, a vmlinuz or a vmlinux by  image = "…"  in [kernel.NAME]; bpfgen kernel add --image  does it'
WAYS = "add a [kernel.NAME] table; or  bpfgen verify --running  loads into this machine's kernel, as root"


def _machines(args: argparse.Namespace, cells: Sequence[Cell]) -> tuple[list[Report], Optional[Failure]]:
    """What kernels said, and why others couldn't be asked. Raises `Failure` where none could be."""
    _generate(args)
    made = {cell.report: _made(cell) for cell in cells}
    every = list(dict.fromkeys(path for paths in made.values() for path in paths))  # a loader serves several kernels
    trouble.forget(every)
    # One machine for each processor: an emulated one takes all of it.
    words = ("-k", "0", "-j", str(os.cpu_count() or 1), *(cell.report for cell in cells))
    good, said = attempt(words, quiet=not is_shown(args))
    if good:
        return [_read(cell.report) for cell in cells], None
    known = trouble.failure(every)
    if known.problems:
        asked = [cell for cell in cells if not trouble.failure(made[cell.report]).problems and is_built(cell.report)]
        if asked:
            return [_read(cell.report) for cell in asked], known
        raise known
    sys.stderr.buffer.write(said)
    raise Failure([Problem(None, "the build fails, for the reasons above")], EXIT_FAILED)


def _made(cell: Cell) -> list[str]:
    """What a report is made of, and the report."""
    loaders = [verifying.loader_path(cell.out, loader, cell.arch) for loader in LOADERS]
    return [*loaders, cell.image, cell.report]


LOADERS = ("libbpf", "cilium")


def _read(path: str) -> Report:
    return from_json(read_notes(path, [each.name for each in dataclasses.fields(Report)]))


def _generate(args: argparse.Namespace) -> None:
    """The Ninja file of the whole project, as plain `bpfgen` writes it."""
    whole = argparse.Namespace(**{**vars(args), "only": [], "skip": [], "dry_run": False, "quiet": True})
    generate.run(whole, io.StringIO())


def _elsewhere(args: argparse.Namespace, project: Project) -> Report:
    """What the kernel says that runs here, or on the machine that ssh reaches."""
    from bpfgen.verify.loaders import build as build_loader
    from bpfgen.verify.targets import deadlines_of, items_of

    words, host = _ssh(args, project) if args.ssh is not None else ((), "")
    arch = _asked_arch(words, host) if host else here_arch()
    _generate(args)
    build(("objects",), quiet=not is_shown(args))
    config, layout = project.config, layout_of(project.config)
    loader = verifying.loader_path(layout.out, config.check.loader, arch)
    build_loader(config.check.loader, arch, (config.verify.libbpf or "").replace("{arch}", arch), loader)
    plan = {**read_notes(layout.note("plan.json"), ["objects"]), "verify": verifying.section(config, project.units)}
    items = list(items_of(plan, "", arch))
    if not items:
        raise Failure([Problem(None, f"no object is for {arch}", f'add "{arch}" to  arches')])
    deadlines = deadlines_of(plan)
    place: Place = There(words, host, loader, deadlines) if host else Here(loader, deadlines)
    done = outcomes(place, items, _progress(args, len(items)))
    objects = tuple(judge(done.ends[item.name], item.needs, "") for item in items)
    return Report(host or "running", arch, done.release, done.loader, host or "this machine", objects)


def _progress(args: argparse.Namespace, count: int) -> Any:
    done = 0

    def note(event: Event) -> None:
        nonlocal done
        if event["event"] == "end" and is_shown(args):
            done += 1
            print(f"[{done}/{count}] {event.get('object')}", file=sys.stderr)

    return note


def _ssh(args: argparse.Namespace, project: Project) -> tuple[tuple[str, ...], str]:
    from bpfgen.builders import Unavailable, ssh

    table = project.config.verify.ssh
    if not args.ssh and table is None:
        raise Failure([Problem(None, "no machine is named", "bpfgen verify --ssh HOST, or  host = …  in [verify.ssh]")])
    found = ssh.login_of(project.root, table) if table else ssh.Login("", (), "")
    if args.ssh:
        found = ssh.Login(args.ssh, found.options if table and table.host == args.ssh else (), "")
    try:
        return ssh.connection(found)[0], found.host
    except Unavailable as error:
        raise Failure([Problem(None, str(error))], EXIT_FAILED) from error


def _asked_arch(words: tuple[str, ...], host: str) -> str:
    from bpfgen.builders import Unavailable, ssh

    try:
        return known_arch(ssh.output(words, host, "uname -m").decode(errors="replace").strip())
    except Unavailable as error:
        message, _, hint = str(error).partition("\n  hint: ")
        raise Failure([Problem(None, message, hint)], EXIT_FAILED) from error


def _selected(report: Report, project: Project) -> Report:
    """The report, without objects that `--only` and `--skip` leave out."""
    names = {unit.id for unit in project.units}
    return dataclasses.replace(report, objects=tuple(each for each in report.objects if each.object in names))


def _compared(args: argparse.Namespace, project: Project, reports: Sequence[Report]) -> list[baseline.Regression]:
    path, now = project.config.verify.baseline, baseline.baseline(reports)
    worse: list[baseline.Regression] = []
    if args.baseline:
        worse = list(baseline.regressions(baseline.read(path), now, project.config.verify.growth))
    if args.update_baseline and not args.dry_run:
        old: Optional[baseline.Baseline] = baseline.read(path) if os.path.exists(path) else {}
        write_if_changed(path, baseline.render(baseline.merged(old or {}, now)))
    return worse


def _print_json(
    reports: Sequence[Report], worse: Sequence[baseline.Regression], missing: Sequence[Cell], good: bool, out: TextIO
) -> None:
    value = {
        "ok": good,
        "reports": [to_json(report) for report in reports],
        "regressions": [dataclasses.asdict(each) for each in worse],
        "unverified": [{"kernel": cell.kernel, "arch": cell.arch} for cell in missing],
    }
    print(json.dumps(value, indent=1, ensure_ascii=False), file=out)


def _print(
    args: argparse.Namespace,
    reports: Sequence[Report],
    worse: Sequence[baseline.Regression],
    missing: Sequence[Cell],
    out: TextIO,
) -> None:
    if not args.quiet:
        print(show.table(reports, lambda text, verdict: paint(text, COLOURS[verdict], args.color, out)), file=out)
    lines = [line for report in reports for line in show.details(report, args.verbose)]
    print("".join(f"{line}\n" for line in ["", *lines] if lines), end="", file=out)
    for each in worse:
        print(f"regression: {each}", file=out)
    if not args.quiet:
        for cell in missing:
            print(
                f"bpfgen: {cell.kernel} {cell.arch} isn't verified: there are its types, and no kernel to boot",
                file=out,
            )
        print(show.summary(reports), file=out)
