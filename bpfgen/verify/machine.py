"""A kernel in a virtual machine that qemu emulates, or that KVM runs where that works."""

from __future__ import annotations

import dataclasses
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Sequence
from typing import Callable

from bpfgen.errors import EXIT_FAILED, Failure, Problem
from bpfgen.frozen import frozen
from bpfgen.kernels.boot import release_of
from bpfgen.kernels.held import mapped
from bpfgen.verify.cpio import File, archive
from bpfgen.verify.job import Item, Module, files
from bpfgen.verify.machines import MACHINES, QUIET, Machine
from bpfgen.verify.process import Deadlines, Talk, talk
from bpfgen.verify.protocol import SILENT, Event

HOST = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
"""What machines call themselves, by Go's names."""
PROBE_SECONDS = 10
"""Until KVM has started a kernel. It takes less than one where it works."""
PANIC = re.compile(r"Kernel panic - not syncing: (.*)")


@frozen
class Guest:
    """A virtual machine, before it runs."""

    arch: str
    image: str
    """The file that it boots."""
    config: str
    """The file with its configuration, which loaders read; it may be empty."""
    loader: str
    memory: int
    """MiB"""
    deadlines: Deadlines
    kvm: bool = False


@frozen
class Ran:
    """What came of a machine."""

    talk: Talk
    panic: str
    """What the kernel said when it gave up; empty where it didn't."""
    console: str
    """The last lines of the kernel's messages."""


def machine_of(arch: str) -> Machine:
    """The machine of an architecture, whose emulator is installed. Raises `Failure`."""
    machine = MACHINES.get(arch)
    if machine is None:
        known = ", ".join(MACHINES)
        raise Failure([Problem(None, f"no machine is known for {arch}", f"there are some for {known}")], EXIT_FAILED)
    if shutil.which(machine.qemu) is None:
        message = f"there is no {machine.qemu}, which emulates a machine for {arch}"
        hint = f"install qemu: in Debian, apt-get install {machine.package}; with Homebrew, brew install qemu"
        raise Failure([Problem(None, message, hint)], EXIT_FAILED)
    return machine


def boot(guest: Guest, items: Sequence[Item], modules: Sequence[Module], note: Callable[[Event], None]) -> Ran:
    """Runs a machine until it has loaded the objects, has died, or is silent. Raises `Failure`, OSError."""
    machine = machine_of(guest.arch)
    with tempfile.TemporaryDirectory(prefix="bpfgen-verify-") as folder:
        initrd, console = os.path.join(folder, "initrd"), os.path.join(folder, "console")
        with open(initrd, "wb") as file:
            file.write(_archive(guest, items, modules, machine.answers))
        done = talk(_words(guest, machine, initrd, console), guest.deadlines, note)
        text = _read(console)
    found = PANIC.search(text)
    return Ran(done, found[1].strip() if found else "", "\n".join(text.splitlines()[-LAST:]))


LAST = 15
"""Lines of a console that are shown."""


def _archive(guest: Guest, items: Sequence[Item], modules: Sequence[Module], port: str) -> bytes:
    with open(guest.loader, "rb") as file:
        init = File("init", file.read(), 0o755)
    with open(guest.config, "rb") as file:
        config = File(f"boot/config-{release_of(mapped(guest.image))}", file.read())
    return archive(
        [init, *([config] if config.data else []), *(File(path, data) for path, data in files(items, modules, port))]
    )


def _words(guest: Guest, machine: Machine, initrd: str, console: str) -> list[str]:
    processor = "host" if guest.kvm else machine.processor
    return [
        *(machine.qemu, *machine.model, "-cpu", processor, "-accel", "kvm" if guest.kvm else "tcg"),
        *("-m", str(guest.memory), "-nodefaults", "-no-reboot", "-display", "none"),
        *("-chardev", f"file,id=console,path={console}", "-chardev", "stdio,id=answers,signal=off"),
        *machine.ports,
        *("-kernel", guest.image, "-initrd", initrd),
        *("-append", f"console={machine.console} {QUIET} {machine.append}".strip()),
    ]


def kvm_answers(guest: Guest) -> str:
    """Why KVM can't run the machine; empty where it can. It is tried: a device that is there says nothing."""
    if HOST.get(platform.machine()) != guest.arch:
        return f"this host is no {guest.arch} machine"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "/dev/kvm can't be opened"
    deadlines = Deadlines(min(PROBE_SECONDS, guest.deadlines.boot), PROBE_SECONDS)
    probe = dataclasses.replace(guest, deadlines=deadlines, kvm=True)
    ran = boot(probe, (), (), lambda _: None)
    if ran.talk.heard.kernel:
        return ""
    if ran.talk.heard.ended == SILENT:
        return f"KVM hangs: no kernel started within {PROBE_SECONDS} seconds"
    return (ran.talk.said.splitlines() or [ran.panic or "no kernel starts"])[-1]


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""
